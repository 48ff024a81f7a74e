"""The written reports of a chart: which are opened, what they say, and why one could not be read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from fhir_mappings.clinical.facts import Facts, Ignored, Result, SpecimenTaken, WrittenReport
from fhir_mappings.clinical.quantities import Narrative, Unusable
from fhir_mappings.clinical.report_language import ReportLanguage
from fhir_mappings.clinical.written_reports import About, Reading, ReadState
from fhir_mappings.fhir.attachments import decode_base64, html_text, text_of
from fhir_mappings.knowledge.model import Knowledge
from fhir_mappings.reports.reading import read_report

Reader = Callable[[str, About, ReportLanguage], Reading]
Mode = Literal["off", "named", "read"]
MOST_REPORTS = 200
"""Texts that are read for one chart, the newest first; the others count as unread."""


@dataclass(frozen=True, slots=True)
class ReportPolicy:
    """How a site wants words used: ``off`` (as if there were none), ``named`` (told, not read), ``read``.

    ``reader`` may be a site's own, with the same input and output. A reader that raises has not read.
    """

    mode: Mode = "read"
    reader: Reader = read_report


READ = ReportPolicy()


@dataclass(frozen=True, slots=True)
class ReadReport:
    """One text and what was read in it. ``why`` says why it was not, or not wholly, read: a key of words."""

    source: WrittenReport
    text: str
    reading: Reading
    why: str = ""

    @property
    def is_read(self) -> bool:
        """Whether something of it was understood."""
        return self.reading.state is not ReadState.UNREAD


def read_reports(
    facts: Facts, at: datetime, knowledge: Knowledge, policy: ReportPolicy = READ
) -> tuple[ReadReport, ...]:
    """Every text that may speak of this patient at ``at``, read or named, newest first."""
    usable = _usable(facts, at)
    if policy.mode == "off":
        # A site that has its reports left unread still writes its problem list.
        usable = (source for source in usable if source.area == "diagnosis")
    sources = sorted(usable, key=_newest_first)
    found = []
    for place, source in enumerate(sources):
        named = policy.mode == "named" and source.area != "diagnosis"
        if named or place >= MOST_REPORTS:
            why = "named" if named else "too-many"
            found.append(ReadReport(source, "", Reading(ReadState.UNREAD), why))
        else:
            found.append(read_source(source, knowledge.report_language, policy.reader))
    return tuple(found)


def _newest_first(source: WrittenReport) -> tuple[int, str, str]:
    day = source.collected.last.toordinal() if source.collected is not None else 0
    return (-day, source.resource, source.element)


def _usable(facts: Facts, at: datetime) -> Iterator[WrittenReport]:
    """Not of a donor, not later than the moment; dated by the specimen where only the report is dated."""
    specimens = {taken.resource: taken for taken in facts.specimens}
    for source in facts.reports:
        taken = _specimen_of(source, specimens)
        if taken is not None and taken.donor:
            continue
        if taken is not None and taken.collected is not None and source.date_basis == "reported":
            source = replace(source, collected=taken.collected, date_basis="collected")
        if source.collected is None or not source.collected.is_after(at):
            yield source


def _specimen_of(source: WrittenReport, specimens: Mapping[str, SpecimenTaken]) -> SpecimenTaken | None:
    if not source.specimen_ref:
        return None
    return specimens.get("/".join(source.specimen_ref.split("/_history/", 1)[0].rsplit("/", 2)[-2:]))


def read_source(source: WrittenReport, language: ReportLanguage, reader: Reader) -> ReadReport:
    """One text as it was read, or why it was not."""
    text, why = _text_of(source)
    if not text.strip():
        return ReadReport(source, "", Reading(ReadState.UNREAD), why or "empty")
    about = About(source.area, source.concept, source.collected)
    try:
        reading = reader(text, about, language)
    except Exception:  # a site's own reader may raise anything, and must not take the call with it
        return ReadReport(source, text, Reading(ReadState.UNREAD), "reader-failed")
    if why == "cut" and reading.state is ReadState.READ:
        reading = replace(reading, state=ReadState.PARTLY)
    if reading.state is ReadState.UNREAD:
        why = why or "not-understood"
    return ReadReport(source, text, reading, why)


def _text_of(source: WrittenReport) -> tuple[str, str]:
    if source.url and not source.content:
        return "", "not-fetched"
    if not source.media:
        return source.content, ""
    if source.media == "text/html;inline":
        return html_text(source.content), ""
    content = decode_base64(source.content)
    if content is None:
        return "", "malformed"
    found = text_of(content, source.media)
    return found.text, found.reason


def without_texts_read(facts: Facts, reports: Iterable[ReadReport]) -> Facts:
    """The facts without the unreadable values whose text was understood: they are no longer open."""
    understood = {
        (report.source.resource, report.source.label)
        for report in reports
        if report.is_read and report.source.element in ("value", "note", "component")
    }
    if not understood:
        return facts
    resources = {resource for resource, _label in understood}
    kept = tuple(
        result for result in facts.results if result.resource not in resources or not _is_words(result)
    )
    return replace(facts, results=kept)


def _is_words(result: Result) -> bool:
    value = result.value
    return isinstance(value, Narrative) or (
        isinstance(value, Unusable) and value.why in ("no-value", "unit-missing", "unit-unknown")
    )


def not_used(facts: Facts, at: datetime) -> Iterator[Ignored]:
    """Texts that were left out, and why."""
    used = {(source.resource, source.element) for source in _usable(facts, at)}
    for source in facts.reports:
        if (source.resource, source.element) not in used:
            later = source.collected is not None and source.collected.is_after(at)
            yield Ignored(source.resource, "after-evaluation" if later else "donor-specimen", "report")
