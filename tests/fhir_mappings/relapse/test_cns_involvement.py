"""Whether the CNS is involved, from the site of the event and the punctures near it."""

from __future__ import annotations

import pytest

from fhir_mappings.assess import as_json
from fhir_mappings.clinical.answers import Answer
from tests.cds_service.trials.charts import assessed


@pytest.mark.parametrize(
    ("patient_id", "answer"),
    [
        ("isolated-cns", Answer.YES),
        ("early-marrow", Answer.NO),
        ("testicular", Answer.NO),
        ("traumatic-tap", Answer.UNSURE),
        ("coded-relapse", Answer.UNSURE),
        ("healthy", Answer.UNSURE),
    ],
)
def test_a_puncture_decides_or_nothing_does(patient_id: str, answer: Answer) -> None:
    found = assessed(patient_id).assessment
    assert found.cns is answer
    assert bool(found.cns_because) is (answer is not Answer.UNSURE)
    assert all(item.resource.startswith("Observation/") for item in found.cns_because)
    words = {Answer.YES: "involved", Answer.NO: "not-involved", Answer.UNSURE: None}[answer]
    assert as_json(found).get("cns") == words
