"""Whether a chart holds any result that could show the disease, and any since the diagnosis."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from fhir_mappings.clinical.facts import DiagnosisKind, Facts, Result
from fhir_mappings.knowledge.model import Knowledge

RESULT_NEEDS = ("marrow", "blood", "csf", "mrd")
"""The needs whose results show leukaemia, or that there is none."""


def results_seen(facts: Facts, knowledge: Knowledge) -> Iterable[Result]:
    """The results of marrow, blood, cerebrospinal fluid and MRD, usable or not."""
    concepts = knowledge.vocabulary.result_concepts
    return (result for result in facts.results if concepts[result.concept].need in RESULT_NEEDS)


def seen_since_diagnosis(facts: Facts, knowledge: Knowledge) -> bool:
    """Whether at least one such result may have been taken since the first diagnosis of ALL."""
    start = _first_diagnosis(facts)
    return any(
        start is None or result.collected is None or result.collected.last >= start
        for result in results_seen(facts, knowledge)
    )


def _first_diagnosis(facts: Facts) -> date | None:
    onsets = [
        diagnosis.onset.first
        for diagnosis in facts.diagnoses
        if diagnosis.kind is DiagnosisKind.ALL and diagnosis.onset is not None
    ]
    return min(onsets, default=None)
