"""Another cancer beside the ALL, from which blasts of unstated lineage may come (D-04)."""

from __future__ import annotations

from collections.abc import Iterable

from fhir_mappings.clinical.facts import Certainty, Diagnosis, DiagnosisKind, Phase
from fhir_mappings.clinical.moments import Moment
from fhir_mappings.clinical.verdict import Met
from fhir_mappings.knowledge.model import Knowledge
from fhir_mappings.relapse.disease import B_MARKERS, T_MARKERS, Disease, is_positive
from fhir_mappings.relapse.scope import LYMPHOBLASTS
from fhir_mappings.relapse.usable_results import View

_RIVALS = frozenset(
    {
        DiagnosisKind.MYELOID_LEUKAEMIA,
        DiagnosisKind.MIXED_PHENOTYPE,
        DiagnosisKind.OTHER_LEUKAEMIA,
        DiagnosisKind.OTHER_BLOOD_CANCER,
        DiagnosisKind.MARROW_TUMOUR,
    }
)
_OVER = (Phase.REMISSION, Phase.INACTIVE)


def rival_cancer(verdicts: Iterable[Met], event: Moment, view: View, disease: Disease) -> Diagnosis | None:
    """The other cancer that puts the lineage of the blasts of an event in doubt, None where it does not.

    It is active at the event and was recorded after the ALL, or is undated. Lymphoblasts named in a result
    that decides are no matter of doubt.
    """
    if any(_names_lymphoblasts(verdict, view) for verdict in verdicts):
        return None
    rivals = [found for found in view.diagnoses if _is_rival(found, event, disease)]
    return min(rivals, key=lambda found: found.resource, default=None)


def has_lymphoid_markers(since: Moment, view: View, knowledge: Knowledge) -> bool:
    """Whether flow cytometry of these blasts shows an antigen of B or T lineage."""
    share = knowledge.number("antigen_positive_at_least")
    return any(
        result.collected is not None and result.collected.last >= since.first and is_positive(result, share)
        for result in view.results(*B_MARKERS, *T_MARKERS)
    )


def _names_lymphoblasts(verdict: Met, view: View) -> bool:
    concepts = {sample.result.resource: sample.result.concept for sample in (*view.marrow, *view.blood)}
    return bool(verdict.because) and all(
        concepts.get(item.resource) in LYMPHOBLASTS for item in verdict.because
    )


def _is_rival(found: Diagnosis, event: Moment, disease: Disease) -> bool:
    if found.kind not in _RIVALS or found.certainty is not Certainty.CONFIRMED or found.phase in _OVER:
        return False
    if found.abated is not None and found.abated.last < event.first:
        return False
    day = found.onset or found.recorded
    return day is None or disease.diagnosed is None or day.last > disease.diagnosed.last
