"""HSCT, MRD-DUE and MRD-RES: response and consolidation, both readings where groups differ (A-09, A-10)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from fhir_mappings.assessment import Indicator, Section, Statement, Status
from fhir_mappings.clinical.answers import Answer
from fhir_mappings.clinical.facts import Lineage
from fhir_mappings.clinical.moments import Moment, within_days
from fhir_mappings.clinical.options import Marker
from fhir_mappings.clinical.quantities import NOT_DETECTED, plain
from fhir_mappings.clinical.samples import Sample
from fhir_mappings.knowledge.thresholds import ThresholdName
from fhir_mappings.relapse.molecular import MolecularFinding
from fhir_mappings.relapse.situation import Picture
from fhir_mappings.statements.section_kind import SectionKind
from fhir_mappings.statements.sentences import dated, phrase
from fhir_mappings.statements.statement import (
    is_active_disease,
    is_in_remission,
    is_referred_for_transplant,
    say,
    spoken_day,
)

_TRANSPLANT_READINGS: tuple[tuple[ThresholdName, str], ...] = (
    ("mrd_hsct_r3", "r3"),
    ("mrd_hsct_bfm", "bfm"),
    ("mrd_hsct_cog", "cog"),
)
"""The MRD from which on each group transplants, and the name of its sentences."""


def mrd_result_section(picture: Picture) -> Iterator[Section]:
    """MRD after reinduction, held against every group's threshold (S-003-30, -31, -45)."""
    found = picture.standing.molecular
    lines = list(_trend(picture, found)) if found is not None else []
    sample = response_mrd(picture)
    summary = _result_summary(sample) if found is None else _trend_summary(found)
    if sample is not None and _response_counts(picture):
        lines += _result(picture, sample)
    if lines:
        yield Section("MRD-RES", Indicator.INFO, tuple(lines), summary)


def _result_summary(sample: Sample | None) -> Statement:
    if sample is None:
        return say("mrd-res.summary")
    return say("mrd-res.summary", value=_mrd_text(sample), day=spoken_day(sample.day.text))


def _trend_summary(found: MolecularFinding) -> Statement:
    return say(
        f"mrd-res.{found.trend.value}.summary",
        value=_mrd_text(found.latest),
        date=found.latest.day.text,
        day=spoken_day(found.latest.day.text),
    )


def _trend(picture: Picture, found: MolecularFinding) -> Iterator[Statement]:
    """MRD that comes back, rises or persists, and what a label says from here on (D-07)."""
    latest = found.latest
    values = {
        "value": _mrd_text(latest),
        "date": latest.day.text,
        "method": latest.result.method or phrase(picture.knowledge, "method-not-stated"),
    }
    if found.beside is not None:
        values |= {"earlier": _mrd_text(found.beside), "before": found.beside.day.text}
    yield say(f"mrd-res.{found.trend.value}", **values)
    b_lineage = picture.disease.lineage is Lineage.B and picture.markers.cd19 is not Marker.NEGATIVE
    high = latest.value.is_at_least(picture.knowledge.number("mrd_recurrence_at_least")) is Answer.YES
    if high and b_lineage and picture.disease.certain:
        yield say("mrd-res.label")


def _mrd_text(sample: Sample) -> str:
    return f"{sample.value.text} {sample.value.unit}".strip()


def mrd_due_section(picture: Picture) -> Iterator[Section]:
    """MRD after reinduction that is not on record (S-003-30)."""
    if response_mrd(picture) is None and _response_counts(picture) and _is_due(picture):
        yield Section("MRD-DUE", Indicator.WARNING, tuple(_due(picture)), say("mrd-due.summary"))


def _response_counts(picture: Picture) -> bool:
    return picture.standing.phase != "" and _reminders_open(picture)


def response_mrd(picture: Picture) -> Sample | None:
    """The latest MRD that measures the response: near or after the end of reinduction."""
    episode, therapy = picture.episode, picture.therapy
    if episode is None or therapy is None:
        return None
    earliest = episode.event.last + timedelta(days=1)
    if therapy.reinduction_end is not None:
        earliest = therapy.reinduction_end.first - timedelta(
            days=picture.knowledge.whole("mrd_due_before_days")
        )
    elif episode.after is None:
        return None
    found = [sample for sample in picture.view.mrd if sample.day.first >= earliest]
    return found[-1] if found else None


def _reminders_open(picture: Picture) -> bool:
    episode = picture.episode
    limit = picture.knowledge.whole("reminder_limit_days")
    return episode is not None and within_days(episode.event, picture.view.today, limit) is not Answer.NO


def _is_due(picture: Picture) -> bool:
    """Reinduction ended, or second remission was reached, and no MRD is on record."""
    therapy = picture.therapy
    return is_in_remission(picture) or (therapy is not None and therapy.reinduction_end is not None)


def _due(picture: Picture) -> Iterator[Statement]:
    therapy = picture.therapy
    if therapy is not None and therapy.reinduction_end is not None:
        yield say("mrd-due.since-reinduction", date=therapy.reinduction_end.text)
    else:
        yield say("mrd-due.since-remission")
    yield say("mrd-due.decides")


def _result(picture: Picture, sample: Sample) -> Iterator[Statement]:
    knowledge = picture.knowledge
    text = f"{sample.value.text} %"
    if sample.value.exact is None:
        text = phrase(knowledge, "recorded-as", value=text, original=sample.value.original)
    if sample.value.original == NOT_DETECTED:
        text = phrase(knowledge, "not-detected", sensitivity=plain(sample.value.high or Decimal(0)))
    method = sample.result.method or phrase(knowledge, "method-not-stated")
    yield say("mrd-res.value", value=text + _power(sample), date=sample.day.text, method=method)
    for key, name in _TRANSPLANT_READINGS:
        answer = sample.value.is_at_least(knowledge.number(key))
        yield say(f"mrd-res.{name}.{answer.value}", threshold=plain(knowledge.number(key)))
    answers = {
        sample.value.is_at_least(knowledge.number("mrd_hsct_r3")),
        sample.value.is_at_least(knowledge.number("mrd_hsct_bfm")),
    }
    if answers == {Answer.YES, Answer.NO}:
        yield say("mrd-res.groups-differ")
    if is_referred_for_transplant(picture):
        old = within_days(sample.day, picture.view.today, knowledge.whole("mrd_before_transplant_days"))
        positive = sample.value.is_at_least(knowledge.number("mrd_negative_below"))
        if old is Answer.NO or positive is not Answer.NO:
            yield say("mrd-res.before-transplant", value=text, date=sample.day.text)


def _power(sample: Sample) -> str:
    """The value as a power of ten, the way protocols write it: ``2 × 10^-4``."""
    number = sample.value.exact
    if number is None or number <= 0:
        return ""
    fraction = number / 100
    exponent = fraction.adjusted()
    mantissa = fraction.scaleb(-exponent)
    return f" ({plain(mantissa.normalize())} x 10^{exponent})"


_EVALUATE_ANYWAY = {
    "early": "hsct.cr2.early",
    "indeterminate": "hsct.cr2.indeterminate",
    "not-classified": "hsct.later-relapse",
}
"""Timing whose transplant evaluation does not wait for MRD; undecided timing counts as early (S-003-32)."""


def hsct_section(picture: Picture) -> Iterator[Section]:
    """Allogeneic transplant: evaluate early; then by timing, lineage and MRD (S-003-07, 4.4)."""
    episode = picture.episode
    if episode is None or _transplanted_since(picture, episode.event):
        return
    if is_active_disease(picture):
        yield Section("HSCT", Indicator.INFO, tuple(_active(picture)), _summary("active", picture))
    elif is_in_remission(picture) and _reminders_open(picture):
        yield from _second_remission(picture)


def _summary(kind: str, picture: Picture) -> Statement:
    """The headline of the section; on a card it tells whether an evaluation is on record."""
    lines = _delay_lines(picture) if is_in_remission(picture) else _referral_line(picture)
    words = picture.knowledge.words
    state = " ".join((words[one.words].brief or words[one.words].text).format(**one.values) for one in lines)
    return say(f"hsct.summary.{kind}", state=state)


def _active(picture: Picture) -> Iterator[Statement]:
    yield say("hsct.plan-early")
    timing = picture.timing.seed_003.value if picture.timing is not None else ""
    if timing == "early":
        yield say("hsct.early")
        yield say("outcome.r3.hsct")
    elif (
        timing == "late"
        and picture.disease.lineage is not Lineage.T
        and picture.standing.status is not Status.PERSISTENT
    ):
        yield say("hsct.late")
    elif timing == "not-classified":
        yield say("hsct.later-relapse")
    if picture.disease.lineage is Lineage.T:
        yield say("hsct.t-lineage")
    if picture.transplants:
        day = picture.transplants[-1][0]
        yield say("hsct.previous", date=dated(day, picture.knowledge))
    yield from _referral_line(picture)


def _second_remission(picture: Picture) -> Iterator[Section]:
    timing = picture.timing.seed_003.value if picture.timing is not None else ""
    sample = response_mrd(picture)
    words = _EVALUATE_ANYWAY.get(timing)
    if words is not None:
        lines = [say(words), *_delay_lines(picture)]
        yield Section("HSCT", Indicator.WARNING, tuple(lines), _summary("early", picture))
    elif _t_isolated_cns(picture):
        lines = [say("hsct.cr2.t-cns.seed"), say("hsct.cr2.t-cns.cog"), *_delay_lines(picture)]
        yield Section("HSCT", Indicator.INFO, tuple(lines), _summary("t-cns", picture))
    elif picture.disease.lineage is not Lineage.B:
        yield _not_by_mrd(picture)
    elif sample is not None:
        yield _by_mrd(picture, sample)


def _not_by_mrd(picture: Picture) -> Section:
    """Late relapse, B lineage not on record: the choice by MRD is not described for it (S-003-33, A-10)."""
    words = "hsct.cr2.t-lineage" if picture.disease.lineage is Lineage.T else "hsct.cr2.lineage-unknown"
    indicator = Indicator.WARNING if _is_delayed(picture) else Indicator.INFO
    return Section("HSCT", indicator, (say(words), *_delay_lines(picture)), _summary("not-by-mrd", picture))


def _by_mrd(picture: Picture, sample: Sample) -> Section:
    """Late relapse: the MRD decides, by each group's threshold (S-003-33)."""
    knowledge = picture.knowledge
    lowest = sample.value.is_at_least(knowledge.number("mrd_hsct_r3"))
    highest = sample.value.is_at_least(knowledge.number("mrd_hsct_bfm"))
    if lowest is Answer.NO:
        return Section("HSCT", Indicator.INFO, (say("hsct.cr2.late.negative"),), _summary("late", picture))
    words = "hsct.cr2.late.positive" if highest is Answer.YES else "hsct.cr2.late.between"
    if Answer.UNSURE in (lowest, highest) and lowest is not Answer.YES:
        words = "hsct.cr2.late.unsure"
    indicator = Indicator.WARNING if lowest is Answer.YES and _is_delayed(picture) else Indicator.INFO
    return Section("HSCT", indicator, (say(words), *_delay_lines(picture)), _summary("late", picture))


def _is_delayed(picture: Picture) -> bool:
    days = picture.knowledge.whole("hsct_referral_days")
    return _days_in_remission(picture) > days and not is_referred_for_transplant(picture)


def _delay_lines(picture: Picture) -> Iterator[Statement]:
    if is_referred_for_transplant(picture):
        yield say("hsct.referred")
    else:
        yield say("hsct.no-referral", days=str(_days_in_remission(picture)))


def _referral_line(picture: Picture) -> Iterator[Statement]:
    yield say("hsct.referred" if is_referred_for_transplant(picture) else "hsct.not-referred")


def _days_in_remission(picture: Picture) -> int:
    episode = picture.episode
    if episode is None or episode.after is None:
        return 0
    return (picture.view.today.first - episode.after.day.first).days


def _t_isolated_cns(picture: Picture) -> bool:
    site = picture.site
    return picture.disease.lineage is Lineage.T and site is not None and site.name == "isolated-cns"


def _transplanted_since(picture: Picture, event: Moment) -> bool:
    return any(day is not None and day.first > event.last for day, _resource in picture.transplants)


HSCT = SectionKind("HSCT", hsct_section, ("hsct.", "outcome.r3.hsct"))
MRD_DUE = SectionKind("MRD-DUE", mrd_due_section, ("mrd-due.",))
MRD_RESULT = SectionKind("MRD-RES", mrd_result_section, ("mrd-res.",))
