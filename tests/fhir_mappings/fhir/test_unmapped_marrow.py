"""A marrow result under a code that nobody mapped: said with the code to map, never used, never silent."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from fhir_mappings.assess import Subject, assess
from fhir_mappings.clinical.quantities import Unusable
from tests.fhir_mappings.fhir.charts import (
    PATIENT,
    concept,
    condition,
    entry,
    facts_of,
    knowledge,
    observation,
    quantity,
)

LOCAL = "urn:oid:1.2.840.114350.1.13.0.1.7.5.737384.2201"


def result(text: str, value: float = 62, code: str = "1558020", **elements: Any) -> dict[str, Any]:
    own = {"id": "x", "valueQuantity": quantity(value), **elements}
    return {**observation(**own), "code": concept(LOCAL, code, text)}


SPELLINGS = (
    "Blasts, bone marrow",
    "BLASTS BM",
    "Bone marrow blast percentage",
    "Lymphoblasts, BM",
    "Marrow: lymphoblasts",
    "Blasten, Knochenmark",
    "BMA blasts %",
    "Blasts in marrow aspirate",
)
OTHERS = (
    "Normoblasts, bone marrow",
    "Megakaryoblasts, marrow",
    "Myeloblasts, bone marrow",
    "Blasts, peripheral blood",
    "Bone marrow cellularity",
    "Osteoblasts",
    "BMI",
    "Donor marrow blasts",
    "Blood pressure, BM cuff",
)


@pytest.mark.parametrize("text", SPELLINGS)
def test_what_looks_like_marrow_blasts_is_said(text: str) -> None:
    (read,) = facts_of(result(text)).results
    assert read.concept == "marrow-blasts"
    assert read.value == Unusable("code-unmapped", "62 %")
    assert read.code == f"?{LOCAL}|1558020"


@pytest.mark.parametrize("text", OTHERS)
def test_what_only_shares_a_word_is_not(text: str) -> None:
    assert facts_of(result(text)).results == ()


@pytest.mark.parametrize(("value", "said"), [(0, False), (4.9, False), (5, True), (5.1, True)])
def test_few_blasts_are_no_suspicion(value: float, said: bool) -> None:
    found = facts_of(result(SPELLINGS[0], value))
    assert bool(found.results) is said
    assert ("code-unmapped" in {one.why for one in found.ignored}) is not said


def test_the_card_names_the_code_to_map() -> None:
    chart = [
        condition(),
        observation(id="rem", effectiveDateTime="2021-04-10", valueQuantity=quantity(1.2)),
        result(SPELLINGS[0], effectiveDateTime="2024-06-01"),
    ]
    found = assess(
        [entry(one) for one in chart], datetime(2024, 6, 4, tzinfo=UTC), knowledge(), subject=Subject(PATIENT)
    )
    assert found.status.value == "suspect"
    data = found.section("DATA")
    assert data is not None
    (line,) = [one for one in data.statements if one.words == "data.code-unmapped"]
    assert (line.values["code"], line.values["concept"]) == (f"{LOCAL}|1558020", "marrow-blasts")


def test_a_mapped_code_is_read() -> None:
    (read,) = facts_of(result(SPELLINGS[0]), codes={"marrow-blasts": [f"{LOCAL}|1558020"]}).results
    assert not isinstance(read.value, Unusable)


def test_a_component_alike() -> None:
    part = {"code": concept(LOCAL, "1558020", SPELLINGS[0]), "valueQuantity": quantity(62)}
    panel = {**observation(id="x", valueQuantity=None), "code": {"text": "Differential"}, "component": [part]}
    (read,) = facts_of(panel).results
    assert read.value == Unusable("code-unmapped", "62 %")
