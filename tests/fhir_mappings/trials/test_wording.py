"""What a criterion expects and what was found, in words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fhir_mappings.trials.wording import expected_text, found
from tests.fhir_mappings.trials.people import criterion, patient, vocabulary


@pytest.mark.parametrize(
    ("fact", "asked", "words"),
    [
        ("age", "1 years..30 years", "1 year to 30 years"),
        ("age", "6 months..", "6 months or more"),
        ("age", "..18 years", "18 years or less"),
        ("lineage", "B", "B lineage"),
        ("lineage", "B or mixed", "B lineage or mixed phenotype"),
        ("lineage", "not T", "not T lineage"),
        ("relapse-number", "1..1", "1"),
        ("relapse-number", "1..2", "1 to 2"),
        ("relapse-number", "not 1..1", "not 1"),
        ("mrd", "<0.01", "less than 0.01 %"),
        ("mrd", ">0.01", "more than 0.01 %"),
        ("mrd", "0.01..", "0.01 % or more"),
        ("prior-therapies", "not cd19-directed", "never CD19-directed treatment"),
        ("prior-therapies", "blinatumomab", "had Blinatumomab"),
    ],
)
def test_expected(fact: str, asked: str, words: str) -> None:
    assert expected_text(criterion(fact, asked), vocabulary()) == words


@pytest.mark.parametrize(
    ("fact", "asked", "record", "words", "date", "resource"),
    [
        ("lineage", "B", "-", "not on record", "", ""),
        ("lineage", "B", "T on 2026-10-02", "T", "2026-10-02", "Observation/lineage"),
        ("ecog", "..2", "1 on 2025-01-02", "1, too old to judge", "2025-01-02", "Observation/ecog"),
        ("prior-therapies", "not cd19-directed", "nelarabine", "none on record", "", ""),
        (
            "prior-therapies",
            "not cd19-directed",
            "blinatumomab; nelarabine",
            "blinatumomab",
            "2025-01-01",
            "MedicationRequest/blinatumomab",
        ),
    ],
)
def test_found(fact: str, asked: str, record: str, words: str, date: str, resource: str) -> None:
    shown = found(criterion(fact, asked), patient({fact: record}), vocabulary())
    assert (shown.text, shown.date, shown.resource) == (words, date, resource)


def test_what_is_excluded_is_worded_by_its_kind() -> None:
    words = vocabulary()
    phrases = {**words.phrases, "none_of": "none of {values}", "outside": "outside {span}"}
    told_apart = replace(words, phrases=phrases)
    assert expected_text(criterion("lineage", "not T"), told_apart) == "none of T lineage"
    assert expected_text(criterion("relapse-number", "not 1..2"), told_apart) == "outside 1 to 2"
    assert expected_text(criterion("age", "not 1 years..2 years"), told_apart) == "outside 1 year to 2 years"
