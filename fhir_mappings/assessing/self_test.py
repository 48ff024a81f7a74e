"""Golden cases at start-up: knowledge that does not recognise them must not go live (hazard HZ-4)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

from fhir_mappings.assessing.engine import evaluate_facts
from fhir_mappings.assessment import Assessment, Availability, NeedState, Status
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
from fhir_mappings.clinical.moments import Moment
from fhir_mappings.clinical.quantities import Measured, Presence
from fhir_mappings.knowledge.errors import Fault, KnowledgeError
from fhir_mappings.knowledge.model import Knowledge
from fhir_mappings.knowledge.words import blanks_of

_AT = datetime(2024, 6, 4, tzinfo=UTC)


def self_test(knowledge: Knowledge) -> None:
    """Evaluate the golden cases. Raises KnowledgeError naming every case that is answered wrongly."""
    seen = {need.key: NeedState(Availability.PRESENT) for need in knowledge.needs}
    faults: list[Fault] = []
    for name, facts, needs, expected in (
        ("empty chart", Facts(), seen, Status.NONE),
        ("empty chart, nothing seen", Facts(), {}, Status.NOT_EVALUABLE),
        ("relapse", _chart(Decimal(78)), seen, Status.RELAPSE),
        ("remission", _chart(Decimal(1)), seen, Status.NONE),
        (
            "remission, marrow not seen",
            _chart(None),
            {"conditions": seen["conditions"]},
            Status.NOT_EVALUABLE,
        ),
        ("consensus only", _chart(Decimal(30)), seen, Status.PROBABLE),
    ):
        found = evaluate_facts(facts, needs, _AT, knowledge, "golden")
        faults.extend(_unspeakable(found, knowledge))
        status = found.status
        if status is not expected:
            problem = f"is {status.value}, must be {expected.value}"
            faults.append(Fault("self-test", 0, name, problem, "undo the last change to the knowledge"))
    if faults:
        raise KnowledgeError(faults)


def _unspeakable(assessment: Assessment, knowledge: Knowledge) -> Iterator[Fault]:
    """Sentences with a blank that nothing fills: they would fail in front of a patient."""
    spoken = [line for section in assessment.sections for line in section.statements]
    spoken += [section.summary for section in assessment.sections if section.summary is not None]
    spoken += [reason for option in assessment.options for reason in option.because]
    for key, blanks in {(line.words, tuple(sorted(line.values))) for line in spoken}:
        for blank in sorted(blanks_of(knowledge.words[key].text) - set(blanks)):
            remedy = f"use these blanks: {', '.join(blanks) or 'none'}"
            yield Fault("words.toml", 0, key, f"nothing fills the blank {blank}", remedy)


def _day(text: str) -> Moment:
    return Moment.on(datetime.fromisoformat(text).date())


def _result(concept: str, value: Measured | Presence, day: str, specimen: Specimen) -> Result:
    return Result(f"Observation/{concept}-{day}", concept, value, _day(day), specimen=specimen)


def _chart(percent: Decimal | None) -> Facts:
    """B-ALL of 2021, first remission, and a marrow of ``percent`` in 2024."""
    diagnosis = Diagnosis(
        "Condition/golden",
        DiagnosisKind.ALL,
        Certainty.CONFIRMED,
        Phase.UNSTATED,
        Phase.UNSTATED,
        _day("2021-03-10"),
        None,
        lineage=Lineage.B,
    )
    remission = _result("disease-status", Presence.PRESENT, "2021-04-12", Specimen.UNSTATED)
    results = [remission]
    if percent is not None:
        value = Measured(percent, percent, "%", f"{percent} %")
        results.append(_result("marrow-lymphoblasts", value, "2024-06-03", Specimen.MARROW))
    return Facts(diagnoses=(diagnosis,), results=tuple(results))
