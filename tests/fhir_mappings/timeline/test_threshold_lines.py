"""The lines of the picture are the numbers of the criteria sets and thresholds, whatever these are."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from fhir_mappings.clinical.criteria_sets import CriteriaSet
from fhir_mappings.knowledge.relapsed_all.criteria import (
    cerebrospinal_fluid,
    marrow_single,
    marrow_with_blood,
    repopulation,
    residual_marrow,
)
from fhir_mappings.knowledge.thresholds import ThresholdName
from fhir_mappings.timeline.threshold_lines import levels_of
from fhir_mappings.timeline.values import Level, LevelUse
from tests.fhir_mappings.assessing.pictures import knowledge

SINGLE = marrow_single.Parameters(comparator=">=", percent=Decimal(61), cites=("c-single",))
RISE = repopulation.Parameters(
    mode="rise", rise_over=Decimal(7), final_over=Decimal(31), minimum_gap_hours=24, maximum_gap_days=30,
    cites=("c-rise",),
)  # fmt: skip
PAIR = marrow_with_blood.Parameters(
    marrow_over=Decimal(41), blood_at_least=Decimal(3), window_days=7, cites=("c-pair",)
)
FLUID = cerebrospinal_fluid.Parameters(comparator=">", wbc_per_ul=Decimal(6), cites=("c-csf",))
TABLE = residual_marrow.Parameters(
    relapse_at_least=Decimal(21), middle_at_least=Decimal(11), low_at_least=Decimal(9),
    test_at_least=Decimal(8), cites=("c-table",),
)  # fmt: skip
FULL = CriteriaSet(
    "full", "Full", "src", True, True,
    parts={
        "marrow_single": SINGLE, "repopulation": RISE, "marrow_with_blood": PAIR, "csf": FLUID,
        "residual_table": TABLE,
    },
)  # fmt: skip
EMPTY = CriteriaSet("empty", "Empty", "src", False, False)
ALIKE = CriteriaSet(
    "alike", "Alike", "src", False, True,
    parts={
        "marrow_single": SINGLE.model_copy(update={"comparator": ">", "cites": ("c-alike",)}),
        "csf": FLUID.model_copy(update={"comparator": "<", "wbc_per_ul": Decimal(5), "cites": ("c-low",)}),
    },
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
    fewer = replace(FULL, parts={"marrow_single": SINGLE, "repopulation": RISE, "csf": FLUID})
    assert lines(EMPTY, ALIKE, fewer) == [
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
    values: dict[tuple[str, ThresholdName, str], Decimal] = {
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
