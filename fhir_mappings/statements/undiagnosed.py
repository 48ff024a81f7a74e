"""The one card of a chart without a leukaemia diagnosis: blasts that somebody must explain (D-02)."""

from __future__ import annotations

from collections.abc import Iterator

from fhir_mappings.assessment import Indicator, Section
from fhir_mappings.knowledge.model import Knowledge
from fhir_mappings.relapse.undiagnosed import undiagnosed_blasts
from fhir_mappings.relapse.usable_results import View, measured
from fhir_mappings.statements.statement import capital, say, spoken_day


def undiagnosed_section(view: View, knowledge: Knowledge) -> Iterator[Section]:
    """Information only: the status of the chart stays what it is."""
    sample = undiagnosed_blasts(view, knowledge)
    if sample is not None:
        found = sample.evidence()
        value = measured(found)
        short = f"{capital(found.what)} {found.value} {found.unit}, {spoken_day(found.date)}"
        lines = (say("data.undiagnosed", value=capital(value)), say("data.undiagnosed.remedy"))
        yield Section(
            "DATA", Indicator.INFO, lines, say("data.undiagnosed.summary", value=capital(value), short=short)
        )
