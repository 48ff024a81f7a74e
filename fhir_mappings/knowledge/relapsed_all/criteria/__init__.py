"""The relapse criteria, one module each: guideline words, numbers, sentences and the function that decides.

Every criterion looks only at evidence since the last remission and answers Met, NotMet or Unknown. To add
one: its module here, its line in ``CRITERIA``, its words and numbers in ``criteria_sets.toml``, its cases.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from fhir_mappings.clinical.criteria_sets import CriteriaSet
from fhir_mappings.clinical.verdict import Verdict
from fhir_mappings.clinical.window import Gap, Window
from fhir_mappings.knowledge.criterion import Criterion
from fhir_mappings.knowledge.relapsed_all.criteria.cerebrospinal_fluid import CEREBROSPINAL_FLUID
from fhir_mappings.knowledge.relapsed_all.criteria.extramedullary import EXTRAMEDULLARY
from fhir_mappings.knowledge.relapsed_all.criteria.marrow_single import MARROW_SINGLE
from fhir_mappings.knowledge.relapsed_all.criteria.marrow_with_blood import MARROW_WITH_BLOOD
from fhir_mappings.knowledge.relapsed_all.criteria.repopulation import REPOPULATION
from fhir_mappings.knowledge.relapsed_all.criteria.residual_marrow import RESIDUAL_MARROW

CRITERIA: tuple[Criterion, ...] = (
    MARROW_SINGLE,
    REPOPULATION,
    MARROW_WITH_BLOOD,
    EXTRAMEDULLARY,
    CEREBROSPINAL_FLUID,
    RESIDUAL_MARROW,
)
"""Every criterion, in the order of the guideline."""

CRITERION: Mapping[str, Criterion] = {one.letter: one for one in CRITERIA}
"""Every criterion by its letter, as results name it."""


def evaluate(
    window: Window, criteria: CriteriaSet, gap: Gap
) -> Iterator[tuple[str, Verdict, tuple[str, ...]]]:
    """Every criterion of the set, with verdict and citations; the bullets are alternatives [S-000-07]."""
    for criterion in CRITERIA:
        rule = criteria.parts.get(criterion.key)
        if rule is not None:
            yield criterion.letter, criterion.evaluate(window, criteria, gap), rule.cites
