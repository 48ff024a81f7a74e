"""Timing classes of a first relapse, each system by its own clock, with the arithmetic in words."""

from __future__ import annotations

from dataclasses import dataclass, field

from fhir_mappings.clinical.answers import Answer
from fhir_mappings.clinical.moments import Moment, exceeds_months, months_between, reaches_months


@dataclass(frozen=True, slots=True)
class TimingClass:
    """A timing class with its arithmetic, and ``short`` in few words. ``months`` is for display only."""

    value: str
    months: float | None = None
    arithmetic: str = ""
    short: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class TimingLimits:
    """Calendar months of the timing systems (thresholds.toml)."""

    early_marrow: int
    early_extramedullary: int
    end_of_therapy: int
    very_early: int


def seed_003(diagnosis: Moment | None, event: Moment, marrow: Answer, limits: TimingLimits) -> TimingClass:
    """Early or late from diagnosis: marrow 36, isolated extramedullary 18 months; the boundary day is late.

    Source: S-003-08..12. With an unknown share of the marrow both clocks must agree.
    """
    if diagnosis is None:
        return TimingClass("indeterminate", arithmetic="the date of diagnosis is not recorded")
    late_by_marrow = reaches_months(diagnosis, event, limits.early_marrow)
    late_by_site = reaches_months(diagnosis, event, limits.early_extramedullary)
    if marrow is Answer.UNSURE:
        late = late_by_marrow if late_by_marrow is late_by_site else Answer.UNSURE
        threshold = f"{limits.early_extramedullary} or {limits.early_marrow}"
    else:
        late = late_by_marrow if marrow is Answer.YES else late_by_site
        threshold = str(limits.early_marrow if marrow is Answer.YES else limits.early_extramedullary)
    value = {Answer.YES: "late", Answer.NO: "early", Answer.UNSURE: "indeterminate"}[late]
    return TimingClass(value, *_span(diagnosis, event, "diagnosis", threshold))


def seed_000(end: Moment | None, on_therapy: Answer, event: Moment, limits: TimingLimits) -> TimingClass:
    """Very poor on therapy or up to 6 months after its end (inclusive), much better later (S-000-10..12)."""
    if on_therapy is Answer.YES:
        return TimingClass("very-poor", arithmetic="relapse on therapy")
    if end is None:
        return TimingClass("indeterminate", arithmetic="the end of frontline therapy is not recorded")
    over = exceeds_months(end, event, limits.end_of_therapy)
    value = {Answer.YES: "much-better", Answer.NO: "very-poor", Answer.UNSURE: "indeterminate"}[over]
    return TimingClass(value, *_span(end, event, "end of therapy", str(limits.end_of_therapy)))


def bfm(
    diagnosis: Moment | None, end: Moment | None, on_therapy: Answer, event: Moment, limits: TimingLimits
) -> TimingClass:
    """Very early < 18 months from diagnosis; early < 6 months after therapy; late from then on (INTRE)."""
    if diagnosis is not None:
        settled = reaches_months(diagnosis, event, limits.very_early)
        if settled is Answer.NO:
            return TimingClass("very-early", *_span(diagnosis, event, "diagnosis", str(limits.very_early)))
    if on_therapy is Answer.YES and diagnosis is not None and settled is Answer.YES:
        return TimingClass("early", arithmetic="relapse on therapy")
    if end is None:
        return TimingClass("indeterminate", arithmetic="the end of frontline therapy is not recorded")
    late = reaches_months(end, event, limits.end_of_therapy)
    if late is Answer.YES:
        return TimingClass("late", *_span(end, event, "end of therapy", str(limits.end_of_therapy)))
    if late is Answer.NO and diagnosis is not None and settled is Answer.YES:
        return TimingClass("early", *_span(end, event, "end of therapy", str(limits.end_of_therapy)))
    return TimingClass("indeterminate", arithmetic="the dates are not exact enough")


def cog(diagnosis: Moment | None, event: Moment, limits: TimingLimits) -> TimingClass:
    """Three tiers from diagnosis: < 18, 18 to < 36, >= 36 months (HR20)."""
    if diagnosis is None:
        return TimingClass("indeterminate", arithmetic="the date of diagnosis is not recorded")
    beyond = (
        reaches_months(diagnosis, event, limits.very_early),
        reaches_months(diagnosis, event, limits.early_marrow),
    )
    value = {
        (Answer.NO, Answer.NO): "very-early",
        (Answer.YES, Answer.NO): "intermediate",
        (Answer.YES, Answer.YES): "late",
    }.get(beyond, "indeterminate")
    return TimingClass(
        value, *_span(diagnosis, event, "diagnosis", f"{limits.very_early} and {limits.early_marrow}")
    )


def _span(anchor: Moment, event: Moment, name: str, threshold: str) -> tuple[float, str, str]:
    months = months_between(anchor.first, event.first)
    span = str(months)
    if not (anchor.is_exact_day and event.is_exact_day):
        shortest = months_between(anchor.last, event.first)
        longest = months_between(anchor.first, event.last)
        span = f"{shortest} to {longest}"
    words = f"{span} months from {name} {anchor.text} to {event.text}"
    short = f"{span} months from {name} (limit {threshold})"
    return months, f"{words}; threshold {threshold} months", short
