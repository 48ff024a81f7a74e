"""Knowledge that does not recognise the golden cases is refused, with the name of every one of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from fhir_mappings.assessing import self_test as module
from fhir_mappings.assessing.engine import evaluate_facts as evaluate
from fhir_mappings.assessment import (
    Assessment,
    Availability,
    Indicator,
    NeedState,
    Option,
    OptionState,
    Section,
    Statement,
    Status,
)
from fhir_mappings.clinical.criteria_sets import CriteriaSet
from fhir_mappings.clinical.facts import (
    Certainty,
    Diagnosis,
    DiagnosisKind,
    Facts,
    Lineage,
    Phase,
    Result,
    Specimen,
)
from fhir_mappings.clinical.quantities import Measured, Presence
from fhir_mappings.knowledge.errors import Fault, KnowledgeError
from fhir_mappings.knowledge.model import Knowledge
from fhir_mappings.knowledge.relapsed_all.criteria.marrow_single import MARROW_SINGLE, Parameters
from fhir_mappings.knowledge.words import Words
from tests.fhir_mappings.assessing.pictures import day, knowledge

REMEDY = "undo the last change to the knowledge"


def faults(broken: Knowledge) -> list[Fault]:
    """What the self-test says of some knowledge."""
    with pytest.raises(KnowledgeError) as refusal:
        module.self_test(broken)
    return list(refusal.value.faults)


def with_single(name: str, percent: int, cleared: tuple[str, ...] = ()) -> Knowledge:
    """The knowledge, with another share for criterion A of one set, and without that of others."""

    def changed(one: CriteriaSet) -> CriteriaSet:
        if one.id == name:
            part = Parameters(comparator=">", percent=Decimal(percent), cites=("S-000-01",))
            return one.with_part(MARROW_SINGLE.key, part)
        return replace(one, parts={}) if one.id in cleared else one

    return replace(knowledge(), criteria_sets=tuple(changed(one) for one in knowledge().criteria_sets))


def test_a_default_set_that_misses_a_relapse_is_refused() -> None:
    assert faults(with_single("seed-000", 80)) == [
        Fault("self-test", 0, "relapse", "is probable, must be relapse", REMEDY)
    ]


def test_a_default_set_that_takes_too_little_for_a_relapse_is_refused() -> None:
    assert faults(with_single("seed-000", 29)) == [
        Fault("self-test", 0, "consensus only", "is relapse, must be probable", REMEDY)
    ]


def test_every_case_that_is_answered_wrongly_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def always_suspect(
        facts: Facts, needs: Mapping[str, NeedState], at: datetime, held: Knowledge, patient: str
    ) -> Assessment:
        return replace(evaluate(facts, needs, at, held, patient), status=Status.SUSPECT)

    monkeypatch.setattr(module, "evaluate_facts", always_suspect)
    assert [(one.file, one.line, one.key, one.problem, one.remedy) for one in faults(knowledge())] == [
        ("self-test", 0, name, f"is suspect, must be {expected}", REMEDY)
        for name, expected in (
            ("consensus only", "probable"),
            ("empty chart", "none"),
            ("empty chart, nothing seen", "not-evaluable"),
            ("relapse", "relapse"),
            ("remission", "none"),
            ("remission, marrow not seen", "not-evaluable"),
        )
    ]


def golden(percent: int | None) -> Facts:
    """B-ALL of 2021 in remission, and a marrow on the day before the moment of the self-test."""
    diagnosis = Diagnosis(
        "Condition/golden", DiagnosisKind.ALL, Certainty.CONFIRMED, Phase.UNSTATED, Phase.UNSTATED,
        day("2021-03-10"), None, lineage=Lineage.B,
    )  # fmt: skip
    remission = Result(
        "Observation/disease-status-2021-04-12", "disease-status", Presence.PRESENT, day("2021-04-12")
    )
    if percent is None:
        return Facts(diagnoses=(diagnosis,), results=(remission,))
    marrow = Result(
        "Observation/marrow-lymphoblasts-2024-06-03", "marrow-lymphoblasts",
        Measured(Decimal(percent), Decimal(percent), "%", f"{percent} %"), day("2024-06-03"),
        specimen=Specimen.MARROW,
    )  # fmt: skip
    return Facts(diagnoses=(diagnosis,), results=(remission, marrow))


def test_the_golden_cases_are_asked_with_what_was_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def noted(
        facts: Facts, needs: Mapping[str, NeedState], at: datetime, held: Knowledge, patient: str
    ) -> Assessment:
        asked.append((facts, needs, at, held is knowledge(), patient))
        return evaluate(facts, needs, at, held, patient)

    monkeypatch.setattr(module, "evaluate_facts", noted)
    module.self_test(knowledge())
    present = NeedState(Availability.PRESENT)
    seen = {need.key: present for need in knowledge().needs}
    at = datetime(2024, 6, 4, tzinfo=UTC)
    assert asked == [
        (facts, needs, at, True, "golden")
        for facts, needs in (
            (Facts(), seen),
            (Facts(), {}),
            (golden(78), seen),
            (golden(1), seen),
            (golden(None), {"conditions": present}),
            (golden(30), seen),
        )
    ]


@pytest.mark.parametrize("where", ["statement", "summary", "reason"])
@pytest.mark.parametrize(
    ("values", "blanks"), [({}, "none"), ({"site": "marrow", "date": "2024"}, "date, site")]
)
def test_a_blank_that_nothing_fills_is_found_wherever_it_is_spoken(
    where: str, values: dict[str, str], blanks: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = Statement("broken", values)
    fine = Statement("whole")
    section = Section(
        "relapse",
        Indicator.INFO,
        (fine, said) if where == "statement" else (fine,),
        said if where == "summary" else None,
    )
    option = Option("a", "A", OptionState.MATCHES, (said,) if where == "reason" else (), ())

    def speaking(
        facts: Facts, needs: Mapping[str, NeedState], at: datetime, held: Knowledge, patient: str
    ) -> Assessment:
        found = evaluate(facts, needs, at, knowledge(), patient)
        if facts.results:
            return replace(found, sections=(), options=())
        sections = (replace(section, summary=None, statements=(fine,)), section)
        return replace(found, sections=sections, options=(option,))

    monkeypatch.setattr(module, "evaluate_facts", speaking)
    words = {"broken": Words("At {place}.", ()), "whole": Words("Whole.", ())}
    found = faults(replace(knowledge(), words=words))
    problem, remedy = "nothing fills the blank place", f"use these blanks: {blanks}"
    expected = Fault("words.toml", 0, "broken", problem, remedy)
    assert found == [expected, expected]


def test_a_sentence_is_tried_with_all_the_values_it_is_spoken_with(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = (Statement("broken", {"site": "marrow"}), Statement("broken", {"place": "a", "site": "b"}))

    def speaking(
        facts: Facts, needs: Mapping[str, NeedState], at: datetime, held: Knowledge, patient: str
    ) -> Assessment:
        found = evaluate(facts, needs, at, knowledge(), patient)
        sections = () if facts.results else (Section("relapse", Indicator.INFO, lines),)
        return replace(found, sections=sections, options=())

    monkeypatch.setattr(module, "evaluate_facts", speaking)
    words = {"broken": Words("At {place}.", ())}
    expected = Fault("words.toml", 0, "broken", "nothing fills the blank place", "use these blanks: site")
    assert faults(replace(knowledge(), words=words)) == [expected, expected]
