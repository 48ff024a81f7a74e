"""PRELIM and DATA: results that are not final, and what a person can mend in the record."""

from __future__ import annotations

from collections.abc import Iterator

from fhir_mappings.assessment import Indicator, Section, Statement
from fhir_mappings.clinical.quantities import Unusable
from fhir_mappings.relapse.situation import Picture
from fhir_mappings.relapse.usable_results import describe, measured
from fhir_mappings.relapse.weighing import kind_of
from fhir_mappings.statements.section_kind import SectionKind
from fhir_mappings.statements.sentences import dated
from fhir_mappings.statements.statement import capital, say


def preliminary_section(picture: Picture) -> Iterator[Section]:
    """Results that are not final: shown, never asserted (F-10)."""
    results = picture.standing.preliminary
    if results:
        lines = tuple(
            say("prelim.result", value=measured(describe(result, picture.knowledge.titles)))
            for result in results
        )
        yield Section("PRELIM", Indicator.INFO, (*lines, say("prelim.meaning")), say("prelim.summary"))


def data_section(picture: Picture) -> Iterator[Section]:
    """Problems of units, dates and quality that a person can mend (F-18, F-22)."""
    lines = list(_data_lines(picture))
    if lines:
        yield Section("DATA", Indicator.INFO, tuple(lines), say("data.summary"))


def _data_lines(picture: Picture) -> Iterator[Statement]:
    for result in picture.standing.unusable:
        if isinstance(result.value, Unusable):
            title = picture.knowledge.titles.get(result.concept, result.concept)
            date = dated(result.collected, picture.knowledge)
            named = {"what": title, "original": result.value.original, "date": date}
            if result.value.why == "code-unmapped":
                named |= {"code": result.code.removeprefix("?"), "concept": result.concept}
            yield say(f"data.{result.value.why}", **named)
    for report in picture.standing.unread:
        source = report.source
        yield say(
            "data.report-unread",
            kind=capital(kind_of(report)),
            date=dated(source.collected, picture.knowledge),
            why=picture.knowledge.words[f"report.{report.why or 'not-understood'}"].text,
            resource=f"{source.resource}, {source.element}",
        )
    for quoted, coded in picture.standing.disagreeing:
        value = measured(describe(coded, picture.knowledge.titles))
        yield say("data.report-disagrees", quote=quoted.quote, value=value)
    for item in picture.view.ignored:
        if item.why in ("codes-conflict", "modifier-extension"):
            yield say(f"data.{item.why}", resource=item.resource)
    if picture.timing is not None and picture.timing.seed_003.value == "indeterminate":
        diagnosed = picture.disease.diagnosed
        yield say(
            "data.diagnosis-date",
            date=dated(diagnosed, picture.knowledge, "no-date"),
        )
    episode = picture.episode
    if episode is not None:
        for one in episode.window.marrow:
            if one.day == episode.event and one.result.date_basis == "reported":
                yield say("data.report-date", date=one.day.text)


PRELIMINARY = SectionKind("PRELIM", preliminary_section, ("prelim.",))
DATA = SectionKind("DATA", data_section, ("data.", "incomplete.", "need.", "report.", "unapproved."))
