"""How an agent or regimen fits a patient: hard filters, then label wording, then what is unknown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from fhir_mappings.clinical.answers import Answer
from fhir_mappings.clinical.facts import Lineage


class OptionState(Enum):
    """How an agent or regimen fits this patient."""

    MATCHES = "matches"
    CONFIRM = "confirm"
    OUTSIDE_LABEL = "outside-label"
    EXCLUDED = "excluded"


class Marker(Enum):
    """A biological marker's state."""

    POSITIVE = "positive"
    NEGATIVE = "negative"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class OptionRule:
    """One agent or regimen as the sources and labels describe it. Ages in months or completed years."""

    id: str
    title: str
    section: str
    kind: str
    lineages: tuple[str, ...]
    facts: str
    jurisdiction: str
    cites: tuple[str, ...]
    safety: str = ""
    antigen: str = ""
    requires: str = ""
    agent: str = ""
    population: str = ""
    age_months_at_least: int = 0
    age_years_at_least: int = 0
    age_years_at_most: int = 0
    age_confirmed: bool = True
    regimens_at_least: int = 0
    relapse_at_least: int = 0
    refractory_suffices: bool = False
    off_label: bool = False
    label_date: str = ""


@dataclass(frozen=True, slots=True)
class Recipient:
    """What an option is held against. Unknown ages and counts are None only here, and read as doubt.

    ``relapses`` counts relapses including the present one; ``regimens`` counts earlier chemotherapy
    regimens; ``adult`` is held against the adult threshold; ``refractory`` says that the disease did not
    respond.
    """

    lineage: Lineage
    markers: Mapping[str, Marker]
    age_months: int | None
    adult: Answer
    relapses: int | None
    regimens: int | None
    refractory: bool
    received: frozenset[str]


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason for a state: the key of its words and their blanks."""

    words: str
    values: Mapping[str, str]


def judge(rule: OptionRule, patient: Recipient) -> tuple[OptionState, tuple[Reason, ...]]:
    """The state of one option and the reasons for it.

    A hard fact against it excludes (R-03); a label condition that is not met puts it outside the
    label; anything unknown that could decide asks for confirmation; otherwise it matches.
    """
    excluded = tuple(_exclusions(rule, patient))
    if excluded:
        return OptionState.EXCLUDED, excluded
    outside = tuple(_outside_label(rule, patient))
    doubts = tuple(_doubts(rule, patient))
    if outside:
        return OptionState.OUTSIDE_LABEL, outside + doubts
    if doubts:
        return OptionState.CONFIRM, doubts
    return OptionState.MATCHES, tuple(_support(rule, patient))


def _exclusions(rule: OptionRule, patient: Recipient) -> Iterator[Reason]:
    if patient.lineage.value not in rule.lineages:
        yield Reason("reason.lineage", {"lineage": patient.lineage.value})
    if rule.antigen and patient.markers[rule.antigen] is Marker.NEGATIVE:
        yield Reason("reason.antigen-negative", {"antigen": rule.antigen.upper()})
    if rule.requires and patient.markers[rule.requires] is Marker.NEGATIVE:
        yield Reason("reason.finding-absent", {"finding": finding_name(rule.requires)})
    age = patient.age_months
    if age is None:
        return
    if rule.age_years_at_most and age // 12 > rule.age_years_at_most:
        yield Reason("reason.too-old", {"age": str(age // 12), "limit": str(rule.age_years_at_most)})
    if age < _youngest(rule):
        yield Reason("reason.too-young", {"limit": _age_text(_youngest(rule))})


def _outside_label(rule: OptionRule, patient: Recipient) -> Iterator[Reason]:
    if rule.off_label:
        yield Reason("reason.off-label", {"jurisdiction": rule.jurisdiction})
    if rule.regimens_at_least and patient.regimens is not None and patient.regimens < rule.regimens_at_least:
        yield Reason(
            "reason.regimens", {"limit": str(rule.regimens_at_least), "count": str(patient.regimens)}
        )
    if rule.relapse_at_least and patient.relapses is not None and patient.relapses < rule.relapse_at_least:
        if not (rule.refractory_suffices and patient.refractory):
            yield Reason("reason.relapse-number", {"count": str(patient.relapses)})


def _doubts(rule: OptionRule, patient: Recipient) -> Iterator[Reason]:
    if rule.antigen and patient.markers[rule.antigen] is Marker.UNKNOWN:
        yield Reason("reason.antigen-unknown", {"antigen": rule.antigen.upper()})
    if rule.requires and patient.markers[rule.requires] is Marker.UNKNOWN:
        yield Reason("reason.finding-unknown", {"finding": finding_name(rule.requires)})
    if patient.age_months is None and (rule.age_years_at_most or _youngest(rule)):
        yield Reason("reason.age-unknown", {})
    if rule.regimens_at_least and patient.regimens is None:
        yield Reason("reason.regimens-unknown", {"limit": str(rule.regimens_at_least)})
    if rule.relapse_at_least and patient.relapses is None and not patient.refractory:
        yield Reason("reason.relapse-number-unknown", {})
    against = Answer.NO if rule.population == "adult" else Answer.YES
    if rule.population and patient.adult is against:
        yield Reason(f"reason.evidence-{rule.population}", {})


def _support(rule: OptionRule, patient: Recipient) -> Iterator[Reason]:
    yield Reason("reason.lineage-matches", {"lineage": patient.lineage.value})
    if rule.antigen:
        yield Reason("reason.antigen-positive", {"antigen": rule.antigen.upper()})
    if rule.requires:
        yield Reason("reason.finding-present", {"finding": finding_name(rule.requires)})


def _youngest(rule: OptionRule) -> int:
    return max(rule.age_months_at_least, rule.age_years_at_least * 12)


def _age_text(months: int) -> str:
    return f"{months // 12} y" if months >= 12 else f"{months} mo"


def finding_name(finding: str) -> str:
    """A genetic finding as it is written: ``bcr-abl1`` as BCR::ABL1, ``kmt2a`` as KMT2A."""
    return {"bcr-abl1": "BCR::ABL1", "kmt2a": "KMT2A rearrangement"}.get(finding, finding)
