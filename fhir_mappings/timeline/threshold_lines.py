"""The thresholds that a picture draws as lines: those of the criteria sets and of the MRD readings."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from fhir_mappings.knowledge.model import Knowledge
from fhir_mappings.timeline.values import Level, LevelUse

_THRESHOLDS = (
    ("marrow", "remission_marrow_below", "<"),
    ("mrd", "mrd_negative_below", "<"),
    ("mrd", "mrd_hsct_r3", "≥"),
    ("mrd", "mrd_hsct_bfm", "≥"),
    ("mrd", "mrd_hsct_cog", "≥"),
)


def levels_of(knowledge: Knowledge) -> tuple[Level, ...]:
    """All lines; uses of the same value in one panel share a line."""
    found: dict[tuple[str, Decimal], list[LevelUse]] = {}
    for panel, value, use in (*_of_sets(knowledge), *_of_thresholds(knowledge)):
        found.setdefault((panel, value), []).append(use)
    chosen = knowledge.default_set.id
    return tuple(
        Level(panel, value, "/uL" if panel == "csf" else "%", tuple(uses), _has(uses, chosen))
        for (panel, value), uses in sorted(found.items())
    )


def _has(uses: list[LevelUse], criteria_set: str) -> bool:
    return any(use.criteria_set == criteria_set for use in uses)


def _of_sets(knowledge: Knowledge) -> Iterator[tuple[str, Decimal, LevelUse]]:
    for one in knowledge.criteria_sets:
        if (bound := one.marrow_single) is not None:
            yield "marrow", bound.value, LevelUse(one.id, "A", _shown(bound.comparator), bound.cites)
        if (rise := one.repopulation) is not None:
            yield "marrow", rise.final_over, LevelUse(one.id, "B", ">", rise.cites)
        if (pair := one.marrow_with_blood) is not None:
            yield "marrow", pair.marrow_over, LevelUse(one.id, "C", ">", pair.cites)
            yield "blood", pair.blood_at_least, LevelUse(one.id, "C", "≥", pair.cites)
        if (fluid := one.csf) is not None:
            yield "csf", fluid.value, LevelUse(one.id, "E", _shown(fluid.comparator), fluid.cites)
        if (table := one.residual_table) is not None:
            for value in (table.relapse_at_least, table.middle_at_least, table.low_at_least):
                yield "mrd", value, LevelUse(one.id, "MRD", "≥", table.cites)


def _of_thresholds(knowledge: Knowledge) -> Iterator[tuple[str, Decimal, LevelUse]]:
    for panel, key, comparator in _THRESHOLDS:
        threshold = knowledge.thresholds[key]
        yield panel, threshold.value, LevelUse("", key, comparator, threshold.cites)


def _shown(comparator: str) -> str:
    return "≥" if comparator == ">=" else comparator
