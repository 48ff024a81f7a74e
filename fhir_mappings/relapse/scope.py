"""Whether the chart is one of ALL: it is, it could be, or it is not (D-01, D-03, D-19)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fhir_mappings.clinical.answers import Answer
from fhir_mappings.clinical.facts import Certainty, Diagnosis, DiagnosisKind
from fhir_mappings.clinical.verdict import Met
from fhir_mappings.knowledge.model import Knowledge
from fhir_mappings.relapse.usable_results import View

OTHER_LEUKAEMIAS = (
    DiagnosisKind.OTHER_LEUKAEMIA,
    DiagnosisKind.MYELOID_LEUKAEMIA,
    DiagnosisKind.MIXED_PHENOTYPE,
)
LYMPHOBLASTS = ("marrow-lymphoblasts", "blood-lymphoblasts")
"""Results that name lymphoblasts. Blasts of unstated lineage prove nothing where ALL is only possible."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The Conditions that make the chart one of ALL.

    ``certain`` is false where they leave ALL possible; ``history`` is the history that is all there
    is (D-03). ``elsewhere`` says that only another leukaemia is on record (F-15).
    """

    diagnoses: tuple[Diagnosis, ...]
    others: tuple[Diagnosis, ...]
    certain: bool = True
    history: Diagnosis | None = None

    @property
    def elsewhere(self) -> bool:
        """Another leukaemia, and no ALL."""
        return not self.diagnoses and bool(self.others)


def scope_of(view: View, knowledge: Knowledge) -> Scope:
    """The scope by the confirmed Conditions (F-14..F-16); a named type outranks one that is not stated."""
    confirmed = [found for found in view.diagnoses if found.certainty is Certainty.CONFIRMED]
    others = tuple(found for found in confirmed if found.kind in OTHER_LEUKAEMIAS)
    ours = tuple(found for found in confirmed if found.kind is DiagnosisKind.ALL)
    if ours:
        return Scope(ours, others)
    lymphomas = tuple(found for found in confirmed if found.kind is DiagnosisKind.LYMPHOBLASTIC_LYMPHOMA)
    if lymphomas and _has_marrow(view, knowledge, lymphoblasts=True):
        return Scope(lymphomas, others)
    if lymphomas and _has_marrow(view, knowledge, lymphoblasts=False):
        return Scope(lymphomas, others, certain=False)
    possible = tuple(found for found in confirmed if found.kind is DiagnosisKind.POSSIBLE_ALL)
    if not possible or others:
        return Scope((), (*others, *lymphomas))
    history = possible[0] if all(found.history for found in possible) else None
    return Scope(possible, others, certain=False, history=history)


def _has_marrow(view: View, knowledge: Knowledge, *, lymphoblasts: bool) -> bool:
    """Whether a marrow holds enough lymphoblasts (or blasts) to count a lymphoma as ALL (D-19)."""
    least = knowledge.number("lymphoma_marrow_at_least")
    return any(
        sample.value.is_at_least(least) is Answer.YES
        and (sample.result.concept in LYMPHOBLASTS or not lymphoblasts)
        for sample in view.marrow
    )


def is_proven_by(verdicts: Sequence[Met], scope_certain: bool, history: Diagnosis | None, view: View) -> bool:
    """Whether criteria that are met prove ALL: always in ALL, else only where lymphoblasts were counted.

    After a mere history its code or words must say ALL too (D-03).
    """
    if scope_certain:
        return True
    if history is not None and not history.names_all:
        return False
    concepts = {sample.result.resource: sample.result.concept for sample in (*view.marrow, *view.blood)}
    return any(
        verdict.because and all(concepts.get(item.resource) in LYMPHOBLASTS for item in verdict.because)
        for verdict in verdicts
    )
