"""The parts of the answer, one module per subject: what is said, in the words of the knowledge."""

from __future__ import annotations

from fhir_mappings.assessment import Section
from fhir_mappings.relapse.situation import Picture
from fhir_mappings.statements.consolidation import hsct_section, mrd_sections
from fhir_mappings.statements.context import (
    screening_section,
    timing_section,
    workup_section,
)
from fhir_mappings.statements.data_quality import data_section, preliminary_section
from fhir_mappings.statements.finding import finding_section
from fhir_mappings.statements.options import option_sections, trial_section
from fhir_mappings.statements.safety import safety_sections
from fhir_mappings.statements.site_therapy import site_therapy_sections

BUILDERS = (
    finding_section,
    preliminary_section,
    timing_section,
    workup_section,
    screening_section,
    trial_section,
    option_sections,
    hsct_section,
    mrd_sections,
    site_therapy_sections,
    safety_sections,
    data_section,
)


def sections_of(picture: Picture) -> tuple[Section, ...]:
    """Every section that applies, in reading order."""
    return tuple(section for builder in BUILDERS for section in builder(picture))
