"""Read reports as values of the assessment: each finding in its surroundings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from fhir_mappings.assessment import AssessedReport, ReportFinding
from fhir_mappings.clinical.facts import WrittenReport
from fhir_mappings.clinical.written_reports import About, DescribedResult
from fhir_mappings.fhir.attachments import text_of
from fhir_mappings.knowledge.model import Knowledge
from fhir_mappings.relapse.written_reports import READ, ReadReport, ReportPolicy, read_source

AROUND = 300
"""Characters of the text before and after a finding that are kept, cut at a word."""


def described(reports: Iterable[ReadReport]) -> tuple[AssessedReport, ...]:
    """Every report with its findings."""
    return tuple(_described(report) for report in reports)


def describe_text(
    content: bytes, content_type: str, about: About, knowledge: Knowledge, policy: ReportPolicy = READ
) -> AssessedReport:
    """What is read in one text alone, outside of any chart."""
    found = text_of(content, content_type)
    source = WrittenReport("", "text", about.area, found.text, about.date, concept=about.concept)
    report = read_source(source, knowledge.report_language, policy.reader)
    reason = found.reason or report.why
    return replace(_described(report), why=reason)


def _described(report: ReadReport) -> AssessedReport:
    source = report.source
    return AssessedReport(
        resource=source.resource,
        element=source.element,
        kind=source.area or "other",
        state=report.reading.state.value,
        date=source.collected.text if source.collected is not None else "",
        why=report.why,
        label=source.label,
        findings=tuple(_finding(one, report.text) for one in report.reading.results),
    )


def _finding(one: DescribedResult, text: str) -> ReportFinding:
    return ReportFinding(
        quote=one.quote,
        concept=one.concept,
        certainty=one.trust.value,
        effect=one.effect.value,
        before=_tail(text[max(0, one.start - AROUND) : one.start], one.start > AROUND),
        after=_head(text[one.end : one.end + AROUND], one.end + AROUND < len(text)),
        cue=one.cue,
        reason=one.reason,
        low=one.low,
        high=one.high,
        low_open=one.low_open,
        high_open=one.high_open,
        unit=one.unit,
        presence=one.presence,
        negated=one.negated,
        date=one.date.text if one.date is not None else "",
    )


def _tail(text: str, is_cut: bool) -> str:
    place = text.find(" ")
    return text[place + 1 :] if is_cut and 0 <= place else text


def _head(text: str, is_cut: bool) -> str:
    place = text.rfind(" ")
    return text[:place] if is_cut and place > 0 else text
