"""A result that decided nothing is shown as it stands on record: name, value, unit, original, date."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from fhir_mappings.clinical.facts import Result
from fhir_mappings.clinical.moments import Moment
from fhir_mappings.clinical.quantities import Measured, Presence, Unusable, Value
from fhir_mappings.clinical.verdict import Evidence
from fhir_mappings.relapse.usable_results import describe, measured

TITLES = {"marrow-blasts": "marrow blasts"}
DAY = Moment.on(date(2024, 6, 3))


@pytest.mark.parametrize(
    ("value", "shown", "in_words"),
    [
        (
            Measured(Decimal(70), Decimal(70), "%", "0.7 1"),
            Evidence("Observation/1", "marrow blasts", "70", "%", original="0.7 1", date="2024-06-03"),
            "marrow blasts 70 % (recorded as 0.7 1) on 2024-06-03",
        ),
        (
            Presence.PRESENT,
            Evidence("Observation/1", "marrow blasts", Presence.PRESENT.value, date="2024-06-03"),
            f"marrow blasts {Presence.PRESENT.value} on 2024-06-03",
        ),
        (
            Unusable("unit-unknown", "70 [fur_us]"),
            Evidence("Observation/1", "marrow blasts", original="70 [fur_us]", date="2024-06-03"),
            "marrow blasts (recorded as 70 [fur_us]) on 2024-06-03",
        ),
    ],
    ids=["number", "word", "unusable"],
)
def test_a_result_is_described_as_recorded(value: Value, shown: Evidence, in_words: str) -> None:
    found = describe(Result("Observation/1", "marrow-blasts", value, DAY), TITLES)
    assert found == shown
    assert measured(found) == in_words


def test_without_a_title_or_a_date_the_concept_stands_alone() -> None:
    found = describe(Result("Observation/1", "mrd", Presence.ABSENT, None), TITLES)
    assert found == Evidence("Observation/1", "mrd", Presence.ABSENT.value)
    assert measured(found) == f"mrd {Presence.ABSENT.value}"
