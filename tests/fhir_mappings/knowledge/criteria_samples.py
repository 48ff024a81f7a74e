"""Samples, windows and the set that the tests of the criteria hold them against."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal

from fhir_mappings.clinical.answers import Answer
from fhir_mappings.clinical.cns import TapReading
from fhir_mappings.clinical.criteria_sets import CriteriaSet
from fhir_mappings.clinical.facts import Result
from fhir_mappings.clinical.moments import Moment
from fhir_mappings.clinical.quantities import Measured, Presence
from fhir_mappings.clinical.samples import CsfDraw, Sample
from fhir_mappings.clinical.verdict import Evidence, Missing, Unknown
from fhir_mappings.clinical.window import SiteFinding, Window
from fhir_mappings.knowledge.relapsed_all.criteria import (
    cerebrospinal_fluid,
    extramedullary,
    marrow_single,
    marrow_with_blood,
    repopulation,
    residual_marrow,
)

START = date(2024, 1, 1)
SET = CriteriaSet(
    id="seed",
    label="seed",
    source="seed-000",
    default=True,
    complete=True,
    parts={
        "marrow_single": marrow_single.Parameters(comparator=">", percent=Decimal(50), cites=("S-000-01",)),
        "repopulation": repopulation.Parameters(
            mode="rise",
            rise_over=Decimal(5),
            final_over=Decimal(25),
            minimum_gap_hours=168,
            maximum_gap_days=90,
            cites=("S-000-02",),
        ),
        "marrow_with_blood": marrow_with_blood.Parameters(
            marrow_over=Decimal(25), blood_at_least=Decimal(2), window_days=7, cites=("S-000-03",)
        ),
        "csf": cerebrospinal_fluid.Parameters(comparator=">", wbc_per_ul=Decimal(5), cites=("S-000-06",)),
        "extramedullary": extramedullary.Parameters(cites=("S-000-04",)),
        "residual_table": residual_marrow.Parameters(
            relapse_at_least=Decimal(25),
            middle_at_least=Decimal(5),
            low_at_least=Decimal(1),
            test_at_least=Decimal(1),
            cites=("PDL-T",),
        ),
    },
)
EMPTY = Window((), (), (), (), ())
BARE = CriteriaSet("bare", "bare", "seed-000", False, True)


def gap(key: str) -> Missing:
    return Missing(key, f"{key} what", f"{key} why")


def asks(key: str, *because: Evidence) -> Unknown:
    return Unknown((gap(key),), because)


def on(day: int) -> Moment:
    return Moment.on(START + timedelta(days=day))


def between(low: str | None, high: str | None) -> Measured:
    return Measured(Decimal(low) if low else None, Decimal(high) if high else None, "%", f"{low}-{high}")


def marrow(day: int, value: str | Measured, method: str = "", code: str = "") -> Sample:
    measured = (
        Measured(Decimal(value), Decimal(value), "%", f"{value} %") if isinstance(value, str) else value
    )
    name = f"Observation/{day}-{measured.original.split()[0]}{method}{code}"
    return Sample(Result(name, "marrow", measured, on(day), method=method, code=code), measured, on(day), "m")


def window(
    *samples: Sample,
    blood: Iterable[Sample] = (),
    mrd: Iterable[Sample] = (),
    taps: Iterable[TapReading] = (),
    findings: Iterable[SiteFinding] = (),
) -> Window:
    return Window(samples, tuple(blood), tuple(taps), tuple(mrd), tuple(findings))


def tap(
    day: int,
    count: str | Measured | None,
    blasts: Answer,
    traumatic: Answer = Answer.NO,
    ratio: Answer = Answer.UNSURE,
) -> TapReading:
    counted = marrow(day, count) if count is not None else None
    cytology = Result(f"Observation/cyto-{day}", "csf-blasts", Presence.PRESENT, on(day))
    return TapReading(CsfDraw(on(day), counted, None, blasts, cytology), traumatic, ratio, "")
