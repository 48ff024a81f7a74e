"""Lineage switch: the leukaemia at relapse is of another lineage than the one diagnosed (F-15)."""

from __future__ import annotations

from collections.abc import Iterable

from fhir_mappings.assessment import Statement
from fhir_mappings.clinical.facts import Diagnosis, DiagnosisKind, Lineage
from fhir_mappings.clinical.moments import Moment
from fhir_mappings.knowledge.model import Knowledge
from fhir_mappings.relapse.disease import B_MARKERS, T_MARKERS, Disease, is_positive
from fhir_mappings.relapse.usable_results import View, describe, measured

_FOREIGN_MARKERS = {Lineage.B: T_MARKERS, Lineage.T: B_MARKERS}


def lineage_switch(
    disease: Disease, view: View, since: Moment | None, knowledge: Knowledge
) -> Statement | None:
    """What in the chart says that the lineage differs from the diagnosis, or None.

    Read are, in this order: an acute myeloid or mixed-phenotype leukaemia coded after the ALL, another
    lineage of ALL coded after the first, and an antigen of the other lineage on blasts that are not older
    than ``since``. One statement is enough: each of them leaves no agent to be named as matching (R-14).
    """
    return (
        _another_leukaemia(disease)
        or _another_code(disease)
        or _another_antigen(disease, view, since, knowledge)
    )


def _another_leukaemia(disease: Disease) -> Statement | None:
    foreign = (DiagnosisKind.MYELOID_LEUKAEMIA, DiagnosisKind.MIXED_PHENOTYPE)
    for found in disease.others:
        day = _day(found)
        if found.kind not in foreign:
            continue
        if day is None or disease.diagnosed is None or day.last > disease.diagnosed.last:
            date = day.text if day is not None else "an unknown date"
            return Statement(f"workup.lineage-switch.{found.kind.value}", {"date": date})
    return None


def _another_code(disease: Disease) -> Statement | None:
    b, t = (
        _earliest(found for found in disease.all_diagnoses if found.lineage is lineage)
        for lineage in (Lineage.B, Lineage.T)
    )
    if b is None or t is None or b.first == t.first:
        return None
    (before, recorded), (after, now) = sorted(
        ((b, Lineage.B), (t, Lineage.T)), key=lambda pair: pair[0].first
    )
    return Statement(
        "workup.lineage-switch.coded",
        {"recorded": recorded.value, "first": before.text, "now": now.value, "date": after.text},
    )


def _another_antigen(
    disease: Disease, view: View, since: Moment | None, knowledge: Knowledge
) -> Statement | None:
    share = knowledge.number("antigen_positive_at_least")
    for result in reversed(view.results(*_FOREIGN_MARKERS.get(disease.recorded, ()))):
        if since is not None and result.collected is not None and result.collected.last < since.first:
            return None
        if is_positive(result, share):
            return Statement(
                "workup.lineage-switch.antigen",
                {
                    "recorded": disease.recorded.value,
                    "found": measured(describe(result, knowledge.titles)),
                },
            )
    return None


def _earliest(diagnoses: Iterable[Diagnosis]) -> Moment | None:
    days = [day for day in map(_day, diagnoses) if day is not None]
    return min(days, key=lambda day: day.sort_key, default=None)


def _day(found: Diagnosis) -> Moment | None:
    return found.onset or found.recorded
