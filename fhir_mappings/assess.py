"""The one door: FHIR resources of one patient in, one assessment out.

Everything above (HTTP, command line) takes what it needs of a chart from here. Three subjects have a door of
their own, the package that holds them: ``trials``, ``records`` and ``knowledge.review.content``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache

from fhir_mappings.assessing.engine import evaluate_facts
from fhir_mappings.assessing.reports import describe_text
from fhir_mappings.assessing.reviewed_knowledge import content_of, load_knowledge
from fhir_mappings.assessing.self_test import self_test
from fhir_mappings.assessment import (
    Assessment,
    Availability,
    CriterionResult,
    Indicator,
    NeedState,
    Section,
    Statement,
    Status,
    Timing,
    TimingClass,
)
from fhir_mappings.assessment_json import as_json, report_as_json
from fhir_mappings.clinical import cns, risk_groups, timing
from fhir_mappings.clinical.answers import Answer
from fhir_mappings.clinical.criteria_sets import CriteriaSet
from fhir_mappings.clinical.facts import Enrolment, Facts, WrittenReport
from fhir_mappings.clinical.moments import Moment, add_months, whole_years
from fhir_mappings.clinical.options import Marker, OptionRule
from fhir_mappings.clinical.quantities import Narrative, Unusable, plain
from fhir_mappings.clinical.verdict import Evidence, Met, NotMet, Unknown
from fhir_mappings.clinical.vocabulary import Vocabulary
from fhir_mappings.clinical.written_reports import About
from fhir_mappings.fhir.attachments import MAX_ATTACHMENT_BYTES
from fhir_mappings.fhir.attribution import Attribution, ForeignResource, Owner, Subject
from fhir_mappings.fhir.bundles import (
    DATA_EMPTY,
    DATA_PRESENT,
    NeedData,
    Question,
    is_result,
    judge_answer,
    next_url,
    older_version,
    total_of,
    unknown_need,
)
from fhir_mappings.fhir.chart import ChartReader, is_opened
from fhir_mappings.fhir.codings import codings_of
from fhir_mappings.fhir.decoding import (
    Decoded,
    Malformed,
    Unreadable,
    checked,
    decode,
    decode_lines,
    is_stated,
    named_codes,
)
from fhir_mappings.fhir.elements import Entry, Link, Resource
from fhir_mappings.fhir.given import Given, given_resources
from fhir_mappings.fhir.lazy_elements import UnreadableElement, concept_of, understood
from fhir_mappings.fhir.merging import merge_facts
from fhir_mappings.fhir.opening import Opening
from fhir_mappings.fhir.repeated_members import has_repeated_member
from fhir_mappings.fhir.unmapped import ResultCode, codes_of_results
from fhir_mappings.knowledge.errors import KnowledgeError
from fhir_mappings.knowledge.look_alikes import resembling
from fhir_mappings.knowledge.model import Knowledge, Need
from fhir_mappings.knowledge.relapsed_all.criteria import CRITERIA, CRITERION
from fhir_mappings.knowledge.site_choice import choose
from fhir_mappings.knowledge.words import Words
from fhir_mappings.relapse.results_seen import RESULT_NEEDS, results_seen, seen_since_diagnosis
from fhir_mappings.relapse.written_reports import READ, ReportPolicy
from fhir_mappings.reports.reading import read_report as report_reader
from fhir_mappings.statements.sentences import UnknownWords, filled, parts_of, sentence, words_of
from fhir_mappings.statements.told import Told, told
from fhir_mappings.timeline.building import timeline_of
from fhir_mappings.timeline.values import (
    Fired,
    Level,
    Timeline,
    TimelineMark,
    TimelinePoint,
    TimelineTreatment,
)

__all__ = [
    "CRITERIA",
    "CRITERION",
    "DATA_EMPTY",
    "DATA_PRESENT",
    "MAX_ATTACHMENT_BYTES",
    "READ",
    "RESULT_NEEDS",
    "About",
    "Answer",
    "Assessment",
    "Attribution",
    "Availability",
    "ChartReader",
    "CriteriaSet",
    "CriterionResult",
    "Decoded",
    "Enrolment",
    "Entry",
    "Evidence",
    "Facts",
    "Fired",
    "ForeignResource",
    "Given",
    "Indicator",
    "Knowledge",
    "KnowledgeError",
    "Level",
    "Link",
    "Malformed",
    "Marker",
    "Met",
    "Moment",
    "Narrative",
    "Need",
    "NeedData",
    "NeedState",
    "NoPatient",
    "NotMet",
    "Opening",
    "OptionRule",
    "Owner",
    "Question",
    "ReportPolicy",
    "Resource",
    "ResultCode",
    "Section",
    "Statement",
    "Status",
    "Subject",
    "Timeline",
    "TimelineMark",
    "TimelinePoint",
    "TimelineTreatment",
    "Timing",
    "TimingClass",
    "Told",
    "Unknown",
    "UnknownWords",
    "Unreadable",
    "UnreadableElement",
    "Unusable",
    "Words",
    "WrittenReport",
    "add_months",
    "as_json",
    "assess",
    "assess_facts",
    "checked",
    "choose",
    "cns",
    "codings_of",
    "concept_of",
    "content_of",
    "decode",
    "decode_lines",
    "describe_text",
    "filled",
    "has_all_diagnosis",
    "has_repeated_member",
    "is_result",
    "is_stated",
    "judge_answer",
    "load_knowledge",
    "merge_facts",
    "named_codes",
    "named_patient",
    "next_url",
    "older_version",
    "open_chart",
    "opening",
    "parts_of",
    "plain",
    "read_facts",
    "report_as_json",
    "report_reader",
    "resembling",
    "result_codes",
    "results_seen",
    "risk_groups",
    "seen_since_diagnosis",
    "self_test",
    "sentence",
    "timeline_of",
    "timing",
    "told",
    "total_of",
    "understood",
    "unknown_need",
    "whole_years",
    "words_of",
]

_PATIENT = "Patient/"
_SEEN = NeedState(Availability.PRESENT)
_NO_CODES: Mapping[str, Sequence[str]] = {}


class NoPatient(ValueError):
    """A set of resources names no patient, or several, so that nobody can be assessed."""


def open_chart(
    entries: Sequence[Entry],
    subject: Subject,
    knowledge: Knowledge,
    local_codes: Mapping[str, Sequence[str]] = _NO_CODES,
    unreadable: Iterable[Unreadable] = (),
) -> ChartReader:
    """The reader of some entries of one patient's chart, for a first look before the whole is read.

    ``local_codes`` maps concepts to a site's ``system|code``.
    """
    return ChartReader(_vocabulary(knowledge, local_codes), subject, entries, unreadable)


def read_facts(
    entries: Iterable[Entry],
    subject: Subject,
    knowledge: Knowledge,
    local_codes: Mapping[str, Sequence[str]] = _NO_CODES,
    unreadable: Iterable[Unreadable] = (),
) -> Facts:
    """The facts of some entries of one patient's chart; the arguments are those of ``open_chart``.

    Raises ForeignResource when any resource belongs to another patient (invariant 2).
    """
    return open_chart(list(entries), subject, knowledge, local_codes, unreadable).read()


def has_all_diagnosis(facts: Facts) -> bool:
    """Whether the Conditions read so far state ALL, or could not be understood: then the rest is needed."""
    return is_opened(facts)


def opening(knowledge: Knowledge, local_codes: Mapping[str, Sequence[str]] = _NO_CODES) -> Opening:
    """Says of single resources whether one of them opens its patient's chart (``has_all_diagnosis``)."""
    return Opening(_vocabulary(knowledge, local_codes))


def result_codes(
    resources: Iterable[Resource],
    knowledge: Knowledge,
    local_codes: Mapping[str, Sequence[str]] = _NO_CODES,
) -> list[ResultCode]:
    """The codes of the results among ``resources``, each with the concept that the rules take it for."""
    return codes_of_results(resources, _vocabulary(knowledge, local_codes))


def assess_facts(
    facts: Facts,
    needs: Mapping[str, NeedState],
    at: datetime,
    knowledge: Knowledge,
    subject: Subject,
    reports: ReportPolicy = READ,
) -> Assessment:
    """The assessment at ``at``, an aware instant of the site's zone; ``reports`` is the site's choice."""
    return evaluate_facts(facts, needs, at, knowledge, subject.patient_id, reports)


def assess(
    resources: Given | Iterable[Given],
    at: datetime,
    knowledge: Knowledge | None = None,
    *,
    subject: Subject | None = None,
    local_codes: Mapping[str, Sequence[str]] = _NO_CODES,
) -> Assessment:
    """The assessment of a complete set of resources (a file), every need taken as seen.

    ``resources`` is a Bundle or resources: dicts, JSON text or bytes, models of fhir.resources, or values of
    ``decode``. ``at`` is an instant with a time zone, whose day is the day of the evaluation. Unless given,
    ``knowledge`` is the packaged one, ``subject`` the patient whom the resources name. ``local_codes`` maps
    concepts to a site's ``system|code``. What cannot be understood is carried into the answer.

    Raises ValueError for ``at`` without a time zone, NoPatient when the resources name none or several,
    ForeignResource when a resource belongs to another patient, Malformed for text that is no JSON object,
    TypeError for what is no resource.
    """
    if at.tzinfo is None:
        raise ValueError("at: give a moment with a time zone, such as datetime.now(timezone.utc)")
    given = given_resources(resources)
    knowledge = load_knowledge() if knowledge is None else knowledge
    chosen = subject if subject is not None else named_patient(given.entries)
    facts = read_facts(given.entries, chosen, knowledge, local_codes, given.unreadable)
    return assess_facts(facts, {need.key: _SEEN for need in knowledge.needs}, at, knowledge, chosen)


def named_patient(entries: Iterable[Entry]) -> Subject:
    """The one patient a set of entries names, by its Patient resource, else by the subject references."""
    entries = list(entries)
    ids = {
        entry.resource.id
        for entry in entries
        if entry.resource is not None and entry.resource.resource_type == "Patient" and entry.resource.id
    }
    if not ids:
        ids = {found for entry in entries if (found := _subject_id(entry.resource))}
    if len(ids) != 1:
        raise NoPatient("the resources name no patient" if not ids else "the resources name several patients")
    return Subject(ids.pop())


def _subject_id(resource: Resource | None) -> str:
    if resource is None:
        return ""
    reference = resource.subject or resource.patient or resource.individual
    if reference is None or isinstance(reference, list) or not reference.reference:
        return ""
    text = reference.reference.split("/_history/", 1)[0]
    if text.startswith(_PATIENT) or f"/{_PATIENT}" in text:
        return text.rpartition("/")[2]
    return ""


def _vocabulary(knowledge: Knowledge, local_codes: Mapping[str, Sequence[str]]) -> Vocabulary:
    if not local_codes:
        return knowledge.vocabulary
    frozen = tuple(sorted((concept, tuple(codes)) for concept, codes in local_codes.items()))
    return _extended(_Keyed(knowledge.vocabulary, knowledge.digest), frozen)


class _Keyed:
    """A vocabulary that is compared by the digest of its knowledge."""

    def __init__(self, vocabulary: Vocabulary, digest: str) -> None:
        self.vocabulary = vocabulary
        self._digest = digest

    def __hash__(self) -> int:
        return hash(self._digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Keyed) and other._digest == self._digest


@lru_cache(maxsize=256)
def _extended(keyed: _Keyed, local_codes: tuple[tuple[str, tuple[str, ...]], ...]) -> Vocabulary:
    return keyed.vocabulary.with_local_codes(dict(local_codes))
