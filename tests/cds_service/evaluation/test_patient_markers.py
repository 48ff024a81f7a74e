"""No patient's data in another's answer, however many calls there are at once (the long run: benchmarks)."""

from __future__ import annotations

from pathlib import Path

from tests.cds_service.patient_markers import ask_all, marked_patients

PATIENTS, CALLS, AT_ONCE = 40, 400, 64


def test_every_answer_is_of_its_own_patient_alone(tmp_path: Path) -> None:
    seen = ask_all(marked_patients(PATIENTS), CALLS, AT_ONCE, tmp_path)
    assert seen.mixed == []
    assert seen.wrong_tokens == []
    assert seen.unanswered == []
    assert len(seen.answered) == PATIENTS
    assert seen.answered.total() == CALLS
