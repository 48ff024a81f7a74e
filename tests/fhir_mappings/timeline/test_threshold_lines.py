"""The lines of the picture are the numbers of the criteria sets and thresholds, whatever these are."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from fhir_mappings.clinical.criteria_sets import (
    Bound,
    CriteriaSet,
    MarrowWithBlood,
    Repopulation,
    ResidualTable,
)
from fhir_mappings.timeline.threshold_lines import levels_of
from fhir_mappings.timeline.values import Level, LevelUse
from tests.fhir_mappings.assessing.pictures import knowledge

FULL = CriteriaSet(
    "full", "Full", "src", True, True,
    marrow_single=Bound(">=", Decimal(61), ("c-single",)),
    repopulation=Repopulation("rise", Decimal(7), Decimal(31), 24, 30, ("c-rise",)),
    marrow_with_blood=MarrowWithBlood(Decimal(41), Decimal(3), 7, ("c-pair",)),
    csf=Bound(">", Decimal(6), ("c-csf",)),
    residual_table=ResidualTable(Decimal(21), Decimal(11), Decimal(9), Decimal(8), ("c-table",)),
)  # fmt: skip
EMPTY = CriteriaSet("empty", "Empty", "src", False, False)
ALIKE = CriteriaSet(
    "alike", "Alike", "src", False, True,
    marrow_single=Bound(">", Decimal(61), ("c-alike",)), csf=Bound("<", Decimal(5), ("c-low",)),
)  # fmt: skip


def lines(*sets: CriteriaSet) -> list[Level]:
    """The lines of some criteria sets, without those of the thresholds."""
    found = levels_of(replace(knowledge(), criteria_sets=sets))
    return [one for one in found if any(use.criteria_set for use in one.uses)]


def line(panel: str, value: int, *uses: LevelUse, unit: str = "%", default: bool = True) -> Level:
    return Level(panel, Decimal(value), unit, uses, default)


def test_every_number_a_set_holds_samples_against_is_a_line() -> None:
    assert lines(FULL) == [
        line("blood", 3, LevelUse("full", "C", "≥", ("c-pair",))),
        line("csf", 6, LevelUse("full", "E", ">", ("c-csf",)), unit="/uL"),
        line("marrow", 31, LevelUse("full", "B", ">", ("c-rise",))),
        line("marrow", 41, LevelUse("full", "C", ">", ("c-pair",))),
        line("marrow", 61, LevelUse("full", "A", "≥", ("c-single",))),
        line("mrd", 9, LevelUse("full", "MRD", "≥", ("c-table",))),
        line("mrd", 11, LevelUse("full", "MRD", "≥", ("c-table",))),
        line("mrd", 21, LevelUse("full", "MRD", "≥", ("c-table",))),
    ]


def test_a_set_without_numbers_draws_no_line() -> None:
    assert lines(EMPTY) == []


def test_sets_share_the_line_of_one_value_and_the_first_set_is_the_default() -> None:
    assert lines(EMPTY, ALIKE, replace(FULL, marrow_with_blood=None, residual_table=None)) == [
        line("csf", 5, LevelUse("alike", "E", "<", ("c-low",)), unit="/uL", default=False),
        line("csf", 6, LevelUse("full", "E", ">", ("c-csf",)), unit="/uL", default=False),
        line("marrow", 31, LevelUse("full", "B", ">", ("c-rise",)), default=False),
        line(
            "marrow", 61,
            LevelUse("alike", "A", ">", ("c-alike",)), LevelUse("full", "A", "≥", ("c-single",)),
            default=False,
        ),
    ]  # fmt: skip
    assert [(one.value, one.default) for one in lines(ALIKE, FULL) if one.panel == "marrow"] == [
        (Decimal(31), False),
        (Decimal(41), False),
        (Decimal(61), True),
    ]


def test_thresholds_of_remission_and_mrd_are_lines_of_no_set() -> None:
    thresholds = knowledge().thresholds
    values = {
        ("marrow", "remission_marrow_below", "<"): Decimal(4),
        ("mrd", "mrd_negative_below", "<"): Decimal("0.02"),
        ("mrd", "mrd_hsct_r3", "≥"): Decimal("0.03"),
        ("mrd", "mrd_hsct_bfm", "≥"): Decimal("0.04"),
        ("mrd", "mrd_hsct_cog", "≥"): Decimal("0.05"),
    }
    changed = {key: replace(thresholds[key], value=value) for (_, key, _), value in values.items()}
    found = levels_of(replace(knowledge(), criteria_sets=(EMPTY,), thresholds={**thresholds, **changed}))
    assert list(found) == [
        Level(panel, value, "%", (LevelUse("", key, comparator, thresholds[key].cites),), False)
        for (panel, key, comparator), value in values.items()
    ]
