"""Criterion D: disease outside the marrow."""

from __future__ import annotations

from fhir_mappings.clinical.answers import Answer
from fhir_mappings.clinical.criteria_sets import CriteriaSet
from fhir_mappings.clinical.verdict import Met, NotMet, Unknown, Verdict
from fhir_mappings.clinical.window import Gap, Window
from fhir_mappings.knowledge.criterion import Criterion, CriterionParameters, Site
from fhir_mappings.knowledge.relapsed_all.criteria.cerebrospinal_fluid import (
    CEREBROSPINAL_FLUID,
    cerebrospinal_fluid,
)

KEY = "extramedullary"


class Parameters(CriterionParameters):
    """``extramedullary``: proof is no number."""


def extramedullary(window: Window, criteria: CriteriaSet, gap: Gap) -> Verdict:
    """D: extramedullary leukaemic infiltration of organs such as CNS and testes [S-000-04].

    Proof is a biopsy, unequivocal imaging, a confirmed coded diagnosis, or for the CNS cytology together
    with the count of criterion E of the same set [0.45, R-05].
    """
    if criteria.part(KEY, Parameters) is None:
        return Unknown((gap("site"),))
    for finding in window.findings:
        if finding.proven is Answer.YES:
            return Met(finding.evidence, finding.day)
    fluid = cerebrospinal_fluid(window, criteria, gap)
    if isinstance(fluid, Met):
        return fluid
    if window.findings:
        return Unknown((gap("proof"),), window.findings[-1].evidence)
    if isinstance(fluid, NotMet):
        return fluid
    return Unknown(fluid.missing, fluid.because)


EXTRAMEDULLARY = Criterion(
    letter="D",
    key=KEY,
    site=Site.ORGAN,
    samples="findings",
    parameters=Parameters,
    evaluate=extramedullary,
    words=("criterion.D", "gap.proof", "gap.site"),
    includes=(CEREBROSPINAL_FLUID,),
)
