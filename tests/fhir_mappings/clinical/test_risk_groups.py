"""The whole table of the risk groups (HR20): lineage, marrow, site and timing, and where nothing is said."""

from __future__ import annotations

import pytest

from fhir_mappings.clinical.answers import Answer
from fhir_mappings.clinical.facts import Lineage
from fhir_mappings.clinical.risk_groups import bfm_group, cog_group, uk_group

YES, NO, UNSURE = Answer.YES, Answer.NO, Answer.UNSURE
B, T, MIXED, UNKNOWN = Lineage.B, Lineage.T, Lineage.MIXED, Lineage.UNKNOWN

# lineage, marrow, a site outside it, combined, BFM timing, BFM group, UK group
TABLE = [
    (B, NO, True, False, "late", "S1", "standard"),
    (B, NO, True, False, "early", "S2", "intermediate"),
    (B, NO, True, False, "very-early", "S2", "high"),
    (T, NO, True, False, "late", "S1", "standard"),
    (T, NO, True, False, "very-early", "S2", "high"),
    (UNKNOWN, NO, True, False, "late", "S1", "standard"),
    (B, YES, False, False, "late", "S2", "intermediate"),
    (B, YES, False, False, "early", "S3/S4", "high"),
    (B, YES, False, False, "very-early", "S3/S4", "high"),
    (B, YES, True, True, "late", "S2", "intermediate"),
    (B, YES, True, True, "early", "S2", "intermediate"),
    (B, YES, True, True, "very-early", "S3/S4", "high"),
    (T, YES, False, False, "late", "S3/S4", "high"),
    (T, YES, True, True, "late", "S3/S4", "high"),
    (T, YES, True, True, "early", "S3/S4", "high"),
    (MIXED, YES, False, False, "late", "", ""),
    (UNKNOWN, YES, False, False, "late", "", ""),
    (UNKNOWN, YES, False, False, "very-early", "", ""),
    (B, UNSURE, True, False, "late", "", ""),
    (B, UNSURE, False, False, "early", "", ""),
    (B, NO, False, False, "late", "", ""),
    (B, YES, False, False, "indeterminate", "", ""),
    (B, NO, True, False, "indeterminate", "", ""),
]


@pytest.mark.parametrize(("lineage", "marrow", "site", "combined", "timing", "bfm", "uk"), TABLE)
def test_bfm_and_uk(
    lineage: Lineage, marrow: Answer, site: bool, combined: bool, timing: str, bfm: str, uk: str
) -> None:
    assert bfm_group(lineage, marrow, site, combined, timing) == bfm
    assert uk_group(lineage, marrow, site, combined, timing) == uk


@pytest.mark.parametrize(
    ("lineage", "marrow", "site", "timing", "mrd", "group"),
    [
        (T, YES, False, "late", NO, "high"),
        (T, UNSURE, False, "indeterminate", UNSURE, "high"),
        (B, YES, False, "early", NO, "high"),
        (B, NO, True, "early", NO, "high"),
        (B, YES, False, "late", NO, "low"),
        (B, YES, False, "late", YES, "intermediate"),
        (B, NO, True, "late", UNSURE, "low-or-intermediate"),
        (B, UNSURE, True, "late", NO, "low"),
        (B, UNSURE, False, "late", NO, ""),
        (B, YES, False, "indeterminate", NO, ""),
        (MIXED, YES, False, "early", NO, ""),
        (UNKNOWN, YES, False, "late", NO, ""),
    ],
)
def test_cog(lineage: Lineage, marrow: Answer, site: bool, timing: str, mrd: Answer, group: str) -> None:
    assert cog_group(lineage, marrow, site, timing, mrd) == group
