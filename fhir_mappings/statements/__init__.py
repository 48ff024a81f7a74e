"""What is said, in the words of the knowledge: every section once, one module per subject.

To add a section: a ``SectionKind`` beside the function that builds it, its line in ``SECTIONS``, its
sentences in ``words.toml``, its title and topic in ``cards.toml``.
"""

from __future__ import annotations

from fhir_mappings.assessment import Section
from fhir_mappings.relapse.situation import Picture
from fhir_mappings.statements.consolidation import HSCT, MRD_DUE, MRD_RESULT
from fhir_mappings.statements.context import SCREENING, TIMING, WORKUP
from fhir_mappings.statements.data_quality import DATA, PRELIMINARY
from fhir_mappings.statements.finding import PERSISTENT, PROBABLE, REFRACTORY, RELAPSE, SUSPECT
from fhir_mappings.statements.options import B_LINEAGE, PHILADELPHIA, T_LINEAGE, TRIAL
from fhir_mappings.statements.placing import placed
from fhir_mappings.statements.safety import CD19, INTRATHECAL_ALONE, NEUROTOXICITY, VENO_OCCLUSIVE
from fhir_mappings.statements.section_kind import SectionKind
from fhir_mappings.statements.site_therapy import CNS, TESTIS

SECTIONS: tuple[SectionKind, ...] = (
    SUSPECT,
    RELAPSE,
    PROBABLE,
    REFRACTORY,
    PERSISTENT,
    PRELIMINARY,
    TIMING,
    WORKUP,
    SCREENING,
    TRIAL,
    PHILADELPHIA,
    B_LINEAGE,
    T_LINEAGE,
    HSCT,
    MRD_DUE,
    MRD_RESULT,
    CNS,
    TESTIS,
    CD19,
    VENO_OCCLUSIVE,
    NEUROTOXICITY,
    INTRATHECAL_ALONE,
    DATA,
)
"""Every section, in reading order: a suspicion stands before the history of a relapse in remission."""


def sections_of(picture: Picture) -> tuple[Section, ...]:
    """Every section that applies, in reading order."""
    return tuple(placed(section, picture) for kind in SECTIONS for section in kind.build(picture))
