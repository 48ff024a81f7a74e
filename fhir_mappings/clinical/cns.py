"""The CNS class of a lumbar puncture, and what a traumatic tap can still say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from fhir_mappings.clinical.answers import Answer
from fhir_mappings.clinical.moments import within_days
from fhir_mappings.clinical.samples import CsfDraw, Sample


@dataclass(frozen=True, slots=True)
class TraumaticTapRule:
    """When a tap is traumatic, the factor of the Steinherz-Bleyer test, and the count that divides CNS2 from
    CNS3 (sources SB, NCCN-CNS)."""

    erythrocytes_at_least: Decimal
    factor: Decimal
    blood_window_days: int
    many_at_least: Decimal


@dataclass(frozen=True, slots=True)
class TapReading:
    """A lumbar puncture read for CNS disease.

    ``traumatic`` and ``steinherz_bleyer`` (positive when blood cannot explain the leukocytes) are
    unsure where counts are missing. ``cns_class`` is CNS1, CNS2a-c, CNS3a-b or empty.
    """

    draw: CsfDraw
    traumatic: Answer
    steinherz_bleyer: Answer
    cns_class: str


def read_tap(
    draw: CsfDraw,
    blood_wbc: Sequence[Sample],
    blood_rbc: Sequence[Sample],
    rule: TraumaticTapRule,
) -> TapReading:
    """Class and trauma of one lumbar puncture, with blood counts of the same day where there are any."""
    traumatic = Answer.of(draw.bloody)
    if draw.rbc is not None:
        traumatic = draw.rbc.value.is_at_least(rule.erythrocytes_at_least)
    ratio = Answer.UNSURE
    if traumatic is not Answer.NO:
        ratio = steinherz_bleyer(draw, blood_wbc, blood_rbc, rule)
    return TapReading(draw, traumatic, ratio, _cns_class(draw, traumatic, ratio, rule.many_at_least))


def steinherz_bleyer(
    draw: CsfDraw, blood_wbc: Sequence[Sample], blood_rbc: Sequence[Sample], rule: TraumaticTapRule
) -> Answer:
    """CSF WBC/RBC >= factor x blood WBC/RBC; unsure without all four counts."""
    white = _nearest(blood_wbc, draw, rule)
    red = _nearest(blood_rbc, draw, rule)
    counts = [
        sample.value.exact if sample is not None else None for sample in (draw.wbc, draw.rbc, white, red)
    ]
    csf_white, csf_red, blood_white, blood_red = counts
    if csf_white is None or csf_red is None or blood_white is None or blood_red is None:
        return Answer.UNSURE
    if csf_red <= 0 or blood_red <= 0:
        return Answer.UNSURE
    return Answer.of(csf_white * blood_red >= rule.factor * blood_white * csf_red)


def _nearest(samples: Sequence[Sample], draw: CsfDraw, rule: TraumaticTapRule) -> Sample | None:
    near = [
        sample
        for sample in samples
        if within_days(sample.day, draw.day, rule.blood_window_days) is Answer.YES
        and sample.value.exact is not None
    ]
    return min(
        near,
        key=lambda sample: (abs((sample.day.first - draw.day.first).days), sample.result.resource),
        default=None,
    )


def _cns_class(draw: CsfDraw, traumatic: Answer, ratio: Answer, many_at_least: Decimal) -> str:
    if draw.blasts is Answer.NO:
        return "CNS1"
    if draw.blasts is Answer.UNSURE or draw.wbc is None or traumatic is Answer.UNSURE:
        return ""
    many = draw.wbc.value.is_at_least(many_at_least)
    if many is Answer.UNSURE:
        return ""
    if many is Answer.NO:
        return "CNS2b" if traumatic is Answer.YES else "CNS2a"
    if traumatic is Answer.NO:
        return "CNS3a"
    return {Answer.YES: "CNS3b", Answer.NO: "CNS2c", Answer.UNSURE: ""}[ratio]
