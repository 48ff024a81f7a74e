"""Risk groups of the cooperative groups for a first relapse (reference 2.2, source HR20, INTRE)."""

from __future__ import annotations

from fhir_mappings.clinical.answers import Answer
from fhir_mappings.clinical.facts import Lineage


def bfm_group(lineage: Lineage, marrow: Answer, isolated_site: bool, combined: bool, timing: str) -> str:
    """S1 to S4 of the BFM; empty when lineage, site or timing do not settle it.

    S1: late isolated extramedullary. S2: early or very early isolated extramedullary, late isolated B
    marrow, early or late combined B. S3/S4: early or very early isolated B marrow, very early combined B,
    any T marrow. ``timing`` is the BFM class.
    """
    if timing not in ("very-early", "early", "late"):
        return ""
    if isolated_site and marrow is Answer.NO:
        return "S1" if timing == "late" else "S2"
    if marrow is not Answer.YES:
        return ""
    if lineage is Lineage.T:
        return "S3/S4"
    if lineage is not Lineage.B:
        return ""
    if combined:
        return "S3/S4" if timing == "very-early" else "S2"
    return "S2" if timing == "late" else "S3/S4"


def cog_group(
    lineage: Lineage, marrow: Answer, isolated_site: bool, timing: str, mrd_at_or_above: Answer
) -> str:
    """Low, intermediate or high of the COG; ``low-or-intermediate`` until MRD at the end of block 1 is known.

    High: early B marrow, early isolated extramedullary, any T-lineage relapse. Low: late B marrow or late
    isolated extramedullary with end-of-block-1 MRD below the threshold; intermediate at or above it.
    ``timing`` is the class of seed 003.
    """
    if lineage is Lineage.T:
        return "high"
    if lineage is not Lineage.B or timing not in ("early", "late"):
        return ""
    if marrow is Answer.UNSURE and not isolated_site:
        return ""
    if timing == "early":
        return "high"
    return {Answer.NO: "low", Answer.YES: "intermediate", Answer.UNSURE: "low-or-intermediate"}[
        mrd_at_or_above
    ]


def uk_group(lineage: Lineage, marrow: Answer, isolated_site: bool, combined: bool, timing: str) -> str:
    """Standard, intermediate or high of the UK groups, by the BFM timing class."""
    if timing not in ("very-early", "early", "late"):
        return ""
    if isolated_site and marrow is Answer.NO:
        return {"late": "standard", "early": "intermediate", "very-early": "high"}[timing]
    if marrow is not Answer.YES or lineage in (Lineage.UNKNOWN, Lineage.MIXED):
        return ""
    if lineage is Lineage.T or timing == "very-early":
        return "high"
    if combined:
        return "intermediate"
    return "intermediate" if timing == "late" else "high"
