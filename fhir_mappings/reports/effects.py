"""What described results mean together: their effect, and which of them say the same."""

from __future__ import annotations

from decimal import Decimal

from fhir_mappings.clinical.written_reports import DescribedResult, Effect, Trust
from fhir_mappings.reports.lexicon import Lexicon

_FAMILIES = {
    "marrow-lymphoblasts": "marrow",
    "marrow-blasts": "marrow",
    "blood-lymphoblasts": "blood",
    "blood-blasts": "blood",
}


def effect_of(result: DescribedResult, lexicon: Lexicon) -> Effect:
    """What a described result would mean for a relapse if it is trusted."""
    if result.trust is Trust.NOT_THIS:
        return Effect.NOT_THIS
    side = lexicon.language.sides.get(result.concept)
    if result.is_numeric and result.high == 0:
        return Effect.NEGATIVE if result.unit == "%" else Effect.OPEN
    if result.is_numeric and side is not None:
        if result.reason == "gated":
            return Effect.OPEN
        # A residual disease that was measured is there, however little: only a bound below speaks of none.
        measured = result.concept == "mrd" and result.low is not None and result.low > 0
        if side.negative_below is not None and result.high is not None and not measured:
            if result.high < side.negative_below or (result.high == side.negative_below and result.high_open):
                return Effect.NEGATIVE
        if side.positive_from is not None and result.low is not None and result.low >= side.positive_from:
            return Effect.POSITIVE
        return Effect.OPEN
    if result.is_numeric or result.concept in ("bcr-abl1", "kmt2a", ""):
        return Effect.OPEN
    if result.presence == "absent":
        return Effect.NEGATIVE
    positive = ("csf-cytology", "testis-biopsy", "other-site", "marrow-blasts", "marrow-lymphoblasts")
    if result.presence == "present" and result.concept in positive:
        return Effect.POSITIVE
    return Effect.OPEN


def without_restated(results: list[DescribedResult]) -> list[DescribedResult]:
    """A fraction beside the percentage it makes ("412 of 1,020,000 (0.04 %)") is told once."""
    kept = []
    for one in results:
        restated = any(
            other is not one and other.concept == one.concept and other.trust is one.trust
            and "%" in other.quote and "%" not in one.quote and _agree(one, other)
            for other in results
        )  # fmt: skip
        if not restated:
            kept.append(one)
    return kept


def _agree(one: DescribedResult, other: DescribedResult) -> bool:
    if one.low is None or other.low is None:
        return False
    room = max(abs(other.low) / 20, Decimal("0.5") if other.low >= 1 else Decimal(0))
    return abs(one.low - other.low) <= room


def family_of(concept: str) -> str:
    """Concepts that speak of the same thing in one material."""
    return _FAMILIES.get(concept, concept)


def is_said_by_figure(one: DescribedResult, figures: list[DescribedResult]) -> bool:
    """Words beside a figure of the same thing add nothing, unless they say the opposite."""
    beside = [
        figure for figure in figures
        if family_of(figure.concept) == family_of(one.concept) and figure.trust is not Trust.NOT_THIS
    ]  # fmt: skip
    if not beside:
        return False
    if one.trust is Trust.NOT_THIS:
        return True
    if one.trust is Trust.DOUBTFUL or one.effect is Effect.OPEN:
        return True
    return not any({figure.effect, one.effect} == {Effect.POSITIVE, Effect.NEGATIVE} for figure in beside)


def without_doubles(results: list[DescribedResult]) -> list[DescribedResult]:
    """One result for one place; a bare mention beside a statement about the same thing goes."""
    kept: list[DescribedResult] = []
    for one in results:
        same = [
            other
            for other in results
            if other is not one and family_of(other.concept) == family_of(one.concept)
        ]
        inside = any(
            other.start <= one.start
            and one.end <= other.end
            and other.end - other.start > one.end - one.start
            for other in same
        )
        bare = one.reason == "no-amount" and bool(same)
        twin = any(
            (other.start, other.end, other.concept) == (one.start, one.end, one.concept) for other in kept
        )
        if not (inside or bare or twin):
            kept.append(one)
    return kept
