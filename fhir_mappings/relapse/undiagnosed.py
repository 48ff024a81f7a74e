"""Blasts in a chart whose problem list names no leukaemia that could be read (D-02)."""

from __future__ import annotations

from fhir_mappings.clinical.answers import Answer
from fhir_mappings.clinical.facts import EXPLAINS_BLASTS, Specimen
from fhir_mappings.clinical.moments import within_days
from fhir_mappings.clinical.samples import Sample
from fhir_mappings.knowledge.model import Knowledge
from fhir_mappings.relapse.usable_results import View


def undiagnosed_blasts(view: View, knowledge: Knowledge) -> Sample | None:
    """The newest final sample full of blasts, where no malignancy of the blood is understood.

    Marrow blasts or lymphoblasts, or lymphoblasts of the blood, not older than the alert window.
    """
    if any(found.kind in EXPLAINS_BLASTS for found in view.diagnoses):
        return None
    marrow = knowledge.number("blasts_marrow_at_least")
    blood = knowledge.number("blasts_blood_at_least")
    found = [sample for sample in view.marrow if sample.value.is_at_least(marrow) is Answer.YES]
    found.extend(
        sample
        for sample in view.blood
        if sample.result.concept == "blood-lymphoblasts" and sample.value.is_at_least(blood) is Answer.YES
    )
    days = knowledge.whole("alert_window_days")
    recent = [
        sample
        for sample in found
        if within_days(sample.day, view.today, days) is Answer.YES
        and sample.result.specimen is not Specimen.OTHER
    ]
    return max(recent, key=lambda sample: (sample.day.sort_key, sample.result.resource), default=None)
