"""One patient as one flat row: what would have been said, on which evidence, and what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

import msgspec

from cds_service.cards import CardChoices, build_cards, evidence_key
from cds_service.cohort.heads import resource_key
from fhir_mappings.assess import (
    Assessment,
    CriterionResult,
    Facts,
    Met,
    Narrative,
    NotMet,
    Resource,
    Timing,
    Unknown,
    Unusable,
    result_codes,
)

if TYPE_CHECKING:
    from cds_service.cohort.rules import Rules


class _Recorded(Protocol):
    """A fact of any kind."""

    @property
    def resource(self) -> str: ...


REFUSED = "refused"
"""The status of a chart that a hook call would refuse."""


class Reason(msgspec.Struct, frozen=True):
    """Something that is missing, in words."""

    what: str
    why: str


class CriterionRow(msgspec.Struct, frozen=True):
    """One criterion of one chart: ``met``, ``not-met`` or ``unknown`` with what is missing."""

    set: str
    id: str
    verdict: str
    missing: tuple[Reason, ...] = ()


class NeedRow(msgspec.Struct, frozen=True):
    """What a chart holds for one need: results that can be used, and why the others cannot."""

    need: str
    usable: int
    reasons: tuple[str, ...] = ()


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One patient whose chart opened. ``COLUMNS`` are written; the rest is counted in the summary."""

    patient: str
    status: str
    phase: str = ""
    relapse_number: int | None = None
    event_date: str = ""
    site: str = ""
    class_diagnosis_clock: str = ""
    class_therapy_clock: str = ""
    lineage: str = ""
    criteria_met: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    missing_needs: tuple[str, ...] = ()
    unread_reports: int = 0
    evidence: tuple[str, ...] = ()
    knowledge_digest: str = ""
    at: str = ""
    refusal: str = ""
    criteria: tuple[CriterionRow, ...] = ()
    needs: tuple[NeedRow, ...] = ()
    unmapped: tuple[tuple[str, str], ...] = ()
    """``system|code`` and text of results that no rule knows, each once."""
    card_keys: tuple[str, ...] = ()
    """What must be unchanged for the card of each topic to stay quiet after an answer."""
    unread_drugs: int = 0
    """Orders and administrations that refer to a Medication that is not there."""


COLUMNS = (
    "patient",
    "status",
    "phase",
    "relapse_number",
    "event_date",
    "site",
    "class_diagnosis_clock",
    "class_therapy_clock",
    "lineage",
    "criteria_met",
    "topics",
    "missing_needs",
    "unread_reports",
    "evidence",
    "knowledge_digest",
    "at",
)
"""The columns of rows.csv, rows.ndjson and rows.parquet, in this order."""


def row_of(assessment: Assessment, facts: Facts, resources: Sequence[Resource], rules: Rules) -> Row:
    """The row of an assessed chart."""
    timing, topics = assessment.timing, _topics(assessment, rules)
    return Row(
        patient=assessment.patient,
        status=assessment.status.value,
        phase=assessment.phase,
        relapse_number=assessment.relapse_number,
        event_date=assessment.event.text if assessment.event is not None else "",
        site=assessment.site,
        class_diagnosis_clock=_class(timing, "seed_003"),
        class_therapy_clock=_class(timing, "seed_000"),
        lineage=assessment.lineage.value,
        criteria_met=tuple(
            f"{one.criteria_set}:{one.id}" for one in assessment.criteria if isinstance(one.verdict, Met)
        ),
        topics=topics,
        card_keys=tuple(evidence_key(topic, assessment) for topic in topics),
        missing_needs=assessment.missing_needs,
        unread_reports=_unread(assessment),
        evidence=_evidence(assessment),
        knowledge_digest=assessment.knowledge.digest,
        at=_text(assessment.at),
        criteria=tuple(_criterion(one) for one in assessment.criteria),
        needs=_needs(facts, rules),
        unmapped=_unmapped(resources, rules),
        unread_drugs=_unread_drugs(resources),
    )


def refused_row(patient: str, at: datetime, why: str, rules: Rules) -> Row:
    """The row of a chart that a hook call would refuse, and the problem it would name."""
    return Row(
        patient=patient,
        status=REFUSED,
        refusal=why,
        knowledge_digest=rules.knowledge.digest,
        at=_text(at.astimezone(rules.zone)),
    )


def _class(timing: Timing | None, name: str) -> str:
    return getattr(timing, name).value if timing is not None else ""


def _topics(assessment: Assessment, rules: Rules) -> tuple[str, ...]:
    cards = build_cards(
        assessment,
        rules.knowledge,
        CardChoices(profile=rules.source.profile, max_cards=rules.source.max_cards),
    )
    return tuple(card["source"]["topic"]["code"] for card in cards)


def _unread(assessment: Assessment) -> int:
    """Written reports that were not, or not wholly, understood."""
    return len({one.resource for one in assessment.reports if one.state != "read"})


def _evidence(assessment: Assessment) -> tuple[str, ...]:
    met = [
        item for one in assessment.criteria if isinstance(one.verdict, Met) for item in one.verdict.because
    ]
    named = (item.resource for item in (*met, *assessment.beside) if item.resource)
    return tuple(dict.fromkeys(named))


def _criterion(result: CriterionResult) -> CriterionRow:
    verdict = result.verdict
    if isinstance(verdict, Unknown):
        missing = tuple(Reason(item.what, item.why) for item in verdict.missing)
        return CriterionRow(result.criteria_set, result.id, "unknown", missing)
    return CriterionRow(result.criteria_set, result.id, "not-met" if isinstance(verdict, NotMet) else "met")


def _needs(facts: Facts, rules: Rules) -> tuple[NeedRow, ...]:
    """Results by the need of their concept, everything else by the need of its resource type."""
    usable: dict[str, int] = {}
    reasons: dict[str, dict[str, None]] = {}
    for result in facts.results:
        need = rules.need_of[result.concept]
        usable.setdefault(need, 0)
        why = _why(result.value, dated=result.collected is not None)
        if why:
            reasons.setdefault(need, {})[why] = None
        else:
            usable[need] += 1
    for fact in _others(facts):
        if found := rules.need_of_type.get(fact.resource.partition("/")[0]):
            usable[found] = usable.get(found, 0) + 1
    return tuple(
        NeedRow(need, number, tuple(reasons.get(need, ()))) for need, number in sorted(usable.items())
    )


def _others(facts: Facts) -> Iterator[_Recorded]:
    yield from facts.persons
    yield from facts.diagnoses
    yield from facts.specimens
    yield from facts.procedures
    yield from facts.medications
    yield from facts.courses
    yield from facts.enrolments
    yield from facts.referrals


def _why(value: object, *, dated: bool) -> str:
    """Why a result cannot be used; empty where it can."""
    if isinstance(value, Unusable):
        return value.why
    if isinstance(value, Narrative):
        return "text-unread"
    return "" if dated else "no-date"


def _unmapped(resources: Iterable[Resource], rules: Rules) -> tuple[tuple[str, str], ...]:
    codes = result_codes(resources, rules.knowledge, rules.local_codes)
    return tuple(dict.fromkeys((one.code, one.text) for one in codes if not one.concept))


def _unread_drugs(resources: Sequence[Resource]) -> int:
    known = {f"Medication/{one.id}" for one in resources if one.resource_type == "Medication"}
    return sum(
        one.medication_reference is not None
        and not one.contained
        and resource_key(one.medication_reference.reference, "Medication") not in known
        for one in resources
    )


def _text(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
