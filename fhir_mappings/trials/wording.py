"""What a criterion expects and what was found, in the words of ``trials.toml``."""

from __future__ import annotations

from dataclasses import dataclass

from fhir_mappings.clinical.quantities import plain
from fhir_mappings.trials.criteria import Match, is_outdated, matched_therapies
from fhir_mappings.trials.patient_profile import Given, History, Known, TrialProfile
from fhir_mappings.trials.ranking import StudyMatch
from fhir_mappings.trials.study import Age, AgeSpan, Criterion, Expected, OneOf, Span, TrialFact
from fhir_mappings.trials.vocabulary import FactKind, TrialVocabulary


@dataclass(frozen=True, slots=True)
class Found:
    """What the record says: text to show, date and resource (empty where there is none)."""

    text: str
    date: str = ""
    resource: str = ""


@dataclass(frozen=True, slots=True)
class CriterionRow:
    """One line of the table a clinician reads."""

    what: str
    expected: str
    found: Found
    verdict: Match


def criterion_rows(
    match: StudyMatch, profile: TrialProfile, vocabulary: TrialVocabulary
) -> tuple[CriterionRow, ...]:
    """Every criterion of the study with what was expected and what was found."""
    return tuple(
        CriterionRow(
            what=vocabulary.facts[criterion.fact].title,
            expected=expected_text(criterion, vocabulary),
            found=found(criterion, profile, vocabulary),
            verdict=verdict,
        )
        for criterion, verdict in zip(match.placed.study.criteria, match.verdicts, strict=True)
    )


def expected_text(criterion: Criterion, vocabulary: TrialVocabulary) -> str:
    """What the study asks for: ``B lineage``, ``1 years to 30 years``, ``never blinatumomab``."""
    words = vocabulary.facts[criterion.fact]
    text = _plain_expectation(criterion.expected, criterion.fact, vocabulary)
    if words.kind is FactKind.THERAPIES:
        return vocabulary.phrase("not_given" if criterion.exclude else "given", values=text)
    if not criterion.exclude:
        return text
    if words.kind is FactKind.CODED:
        return vocabulary.phrase("none_of", values=text)
    return vocabulary.phrase("outside", span=text)


def found(criterion: Criterion, profile: TrialProfile, vocabulary: TrialVocabulary) -> Found:
    """What is on record for the criterion, or the words for "not on record"."""
    known = profile.fact(criterion.fact)
    if not isinstance(known, Known):
        return Found(vocabulary.phrase("not_on_record"))
    if isinstance(known.datum, History):
        return _found_therapies(criterion, known.datum, vocabulary)
    text = known.text
    if is_outdated(known, profile.on, vocabulary.facts[criterion.fact].max_age_days):
        text = vocabulary.phrase("outdated", value=text)
    return Found(text, known.date, known.resource)


def _found_therapies(criterion: Criterion, history: History, vocabulary: TrialVocabulary) -> Found:
    therapies = matched_therapies(criterion.expected, history)
    if not therapies:
        return Found(vocabulary.phrase("none_on_record"))
    latest = max(therapies, key=lambda one: (one.date, one.resource))
    names = dict.fromkeys(one.text for one in sorted(therapies, key=_by_date))
    return Found(", ".join(names), latest.date, latest.resource)


def _by_date(given: Given) -> tuple[str, str]:
    return (given.date, given.text)


def _plain_expectation(expected: Expected, fact: TrialFact, vocabulary: TrialVocabulary) -> str:
    words = vocabulary.facts[fact]
    match expected:
        case OneOf():
            labels = [label for value, label in words.values.items() if value in expected.values]
            return vocabulary.phrases["or"].join(labels)
        case Span():
            unit = f" {words.unit}" if words.unit else ""
            return _span_text(expected, unit, vocabulary)
        case AgeSpan():
            return _ages_text(expected, vocabulary)


def _ages_text(span: AgeSpan, vocabulary: TrialVocabulary) -> str:
    low, high = _age_text(span.low, vocabulary), _age_text(span.high, vocabulary)
    if low and high:
        return vocabulary.phrase("between", low=low, high=high)
    if low:
        return vocabulary.phrase("at_least", low=low)
    return vocabulary.phrase("at_most", high=high) if high else vocabulary.phrase("any")


def _age_text(age: Age | None, vocabulary: TrialVocabulary) -> str:
    return vocabulary.age(age.count, age.unit) if age else ""


def _span_text(span: Span, unit: str, vocabulary: TrialVocabulary) -> str:
    low = plain(span.low) + unit if span.low is not None else ""
    high = plain(span.high) + unit if span.high is not None else ""
    if low and low == high:
        return vocabulary.phrase("exactly", low=low)
    parts = []
    if low and high and not (span.low_open or span.high_open):
        return vocabulary.phrase("between", low=low, high=high)
    if low:
        parts.append(vocabulary.phrase("more_than" if span.low_open else "at_least", low=low))
    if high:
        parts.append(vocabulary.phrase("less_than" if span.high_open else "at_most", high=high))
    return ", ".join(parts) or vocabulary.phrase("any")
