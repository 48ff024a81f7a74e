"""The thresholds that a picture draws as lines: those of the criteria sets and of the MRD readings."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from fhir_mappings.knowledge.model import Knowledge
from fhir_mappings.knowledge.relapsed_all.criteria import CRITERIA
from fhir_mappings.knowledge.thresholds import ThresholdName
from fhir_mappings.timeline.values import Level, LevelUse

_THRESHOLDS: tuple[tuple[str, ThresholdName, str], ...] = (
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
        for criterion in CRITERIA:
            parameters = criterion.of(one)
            if parameters is None:
                continue
            for line in parameters.lines():
                use = LevelUse(one.id, criterion.letter, line.comparator, parameters.cites)
                yield line.panel, line.value, use


def _of_thresholds(knowledge: Knowledge) -> Iterator[tuple[str, Decimal, LevelUse]]:
    for panel, key, comparator in _THRESHOLDS:
        threshold = knowledge.thresholds[key]
        yield panel, threshold.value, LevelUse("", key, comparator, threshold.cites)
