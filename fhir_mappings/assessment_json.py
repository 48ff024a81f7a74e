"""The assessment as JSON values: stable names, absent facts left out (design section 4)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fhir_mappings.assessment import (
    AssessedReport,
    Assessment,
    CriterionResult,
    Option,
    ReportFinding,
    Timing,
    TimingClass,
)
from fhir_mappings.clinical.answers import Answer
from fhir_mappings.clinical.quantities import plain
from fhir_mappings.clinical.verdict import Evidence, Met, NotMet, Unknown
from fhir_mappings.statements.told import Told

_CNS = {Answer.YES: "involved", Answer.NO: "not-involved", Answer.UNSURE: None}
_VERDICTS = {Met: "met", NotMet: "not-met", Unknown: "unknown"}


def as_json(assessment: Assessment, statements: Iterable[Told] = ()) -> dict[str, Any]:
    """The assessment as a dictionary ready for a JSON writer, with its statements in words (``told``)."""
    stamp = assessment.knowledge
    return _present(
        {
            "patient": assessment.patient,
            "at": assessment.at.isoformat().replace("+00:00", "Z"),
            "knowledge": {
                "disease": stamp.disease,
                "version": stamp.version,
                "digest": stamp.digest,
                "review": stamp.review,
            },
            "status": assessment.status.value,
            "phase": assessment.phase,
            "relapseNumber": assessment.relapse_number,
            "eventDate": assessment.event.text if assessment.event is not None else None,
            "source": assessment.event_source,
            "site": assessment.site,
            "cns": _CNS[assessment.cns],
            "criteria": [_criterion(result) for result in assessment.criteria],
            "timing": _timing(assessment.timing),
            "lineage": assessment.lineage.value,
            "bcrAbl1": assessment.bcr_abl1.value,
            "cd19": assessment.cd19.value,
            "cd22": assessment.cd22.value,
            "kmt2a": assessment.kmt2a.value,
            "options": [_option(option) for option in assessment.options],
            "sections": [section.name for section in assessment.sections],
            "statements": [_statement(one) for one in statements],
            "notEvaluated": [{"what": item.what, "why": item.why} for item in assessment.not_evaluated],
            "ignored": [
                _present({"resource": one.resource, "why": one.why, "what": one.concept})
                for one in assessment.ignored
            ],
            "missing": list(assessment.missing_needs),
            "reports": [report_as_json(report) for report in assessment.reports],
        }
    )


def _statement(one: Told) -> dict[str, Any]:
    return {
        "section": one.section,
        "topic": one.topic,
        "words": one.words,
        "text": one.text,
        "cites": list(one.cites),
        "onCard": one.on_card,
    }


def report_as_json(report: AssessedReport) -> dict[str, Any]:
    """One read text as a dictionary ready for a JSON writer."""
    return _present(
        {
            "resource": report.resource,
            "element": report.element,
            "date": report.date,
            "kind": report.kind,
            "label": report.label,
            "state": report.state,
            "why": report.why,
            "findings": [_report_finding(finding) for finding in report.findings],
        }
    )


def _report_finding(finding: ReportFinding) -> dict[str, Any]:
    return _present(
        {
            "quote": finding.quote,
            "concept": finding.concept,
            "low": plain(finding.low) if finding.low is not None else None,
            "high": plain(finding.high) if finding.high is not None else None,
            "open": "low" if finding.low_open else "high" if finding.high_open else "",
            "unit": finding.unit,
            "presence": finding.presence,
            "negated": True if finding.negated else None,
            "date": finding.date,
            "certainty": finding.certainty,
            "effect": finding.effect,
            "cue": finding.cue,
            "reason": finding.reason,
            "before": finding.before,
            "after": finding.after,
        }
    )


def _criterion(result: CriterionResult) -> dict[str, Any]:
    verdict = result.verdict
    found: dict[str, Any] = {
        "set": result.criteria_set,
        "id": result.id,
        "verdict": _VERDICTS[type(verdict)],
        "because": [_evidence(item) for item in verdict.because],
        "cites": list(result.cites),
    }
    if isinstance(verdict, Met):
        found["date"] = verdict.on.text
    if isinstance(verdict, Unknown):
        found["missing"] = [{"key": item.key, "what": item.what, "why": item.why} for item in verdict.missing]
    return _present(found)


def _evidence(item: Evidence) -> dict[str, Any]:
    return _present(
        {
            "resource": item.resource,
            "what": item.what,
            "value": item.value,
            "unit": item.unit,
            "original": item.original,
            "date": item.date,
            "comparator": item.comparator,
            "threshold": item.threshold,
        }
    )


def _timing(timing: Timing | None) -> dict[str, Any] | None:
    if timing is None:
        return None
    over = timing.cr1_over_18_months
    found: dict[str, Any] = {
        "seed-003": _timing_class(timing.seed_003),
        "seed-000": _timing_class(timing.seed_000),
        "bfm": _timing_class(timing.bfm),
        "cog": _timing_class(timing.cog),
        "cr1Months": timing.cr1_months,
        "monthsSinceTransplant": timing.months_since_transplant,
    }
    if over is not None:
        found["cr1Over18Months"] = {Answer.YES: True, Answer.NO: False, Answer.UNSURE: "unknown"}[over]
    return _present(found)


def _timing_class(part: TimingClass) -> dict[str, Any]:
    return _present({"class": part.value, "months": part.months, "arithmetic": part.arithmetic})


def _option(option: Option) -> dict[str, Any]:
    return _present(
        {
            "agent": option.agent,
            "title": option.title,
            "state": option.state.value,
            "because": [
                _present({"reason": reason.words, **{key: value for key, value in reason.values.items()}})
                for reason in option.because
            ],
            "cites": list(option.cites),
        }
    )


def _present(found: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in found.items() if value is not None and value != "" and value != []}
