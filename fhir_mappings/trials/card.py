"""Matched studies -> the sentences, links and quiet key of the trial section.

A study is only ever a candidate: what was met, what is not on record and what was not checked are
said apart, and no sentence gives a verdict on the whole study.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from fhir_mappings.assessment import Statement
from fhir_mappings.clinical.facts import Enrolment
from fhir_mappings.clinical.moments import Moment
from fhir_mappings.trials.criteria import Match
from fhir_mappings.trials.patient_profile import Known, TrialProfile
from fhir_mappings.trials.ranking import Home, Matches, StudyMatch
from fhir_mappings.trials.study import StudyList, TrialFact
from fhir_mappings.trials.vocabulary import TrialVocabulary
from fhir_mappings.trials.wording import CriterionRow, criterion_rows

ENROLLED_STATES = frozenset(
    {"screening", "pending-on-study", "on-study", "on-study-intervention", "on-study-observation"}
)
"""ResearchSubject states that suppress a referral (reference 6.3)."""


@dataclass(frozen=True, slots=True)
class StudyLink:
    """A link of the card: the study's own id and its https address."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class ListState:
    """All lists together: what they are, the oldest day for which they hold, and whether all was read."""

    source: str
    as_of: Moment | None
    complete: bool
    faults: tuple[str, ...]


def current_enrolment(enrolments: Iterable[Enrolment]) -> Enrolment | None:
    """The study the patient is on, or is being screened for; the first by resource where several."""
    on_study = [one for one in enrolments if one.state in ENROLLED_STATES]
    return min(on_study, key=lambda one: one.resource, default=None)


def list_state(lists: Sequence[StudyList], vocabulary: TrialVocabulary) -> ListState:
    """The state of all lists that were searched."""
    if not lists:
        return ListState(vocabulary.phrase("list_none"), None, False, ())
    dated = [one.as_of for one in lists if one.as_of is not None]
    labels = [
        vocabulary.phrase("list_dated", label=one.label, date=one.as_of.text) if one.as_of else one.label
        for one in lists
    ]
    return ListState(
        source=vocabulary.phrases["several_lists"].join(labels),
        as_of=min(dated, key=lambda day: day.sort_key) if len(dated) == len(lists) else None,
        complete=all(one.complete for one in lists),
        faults=tuple(fault for one in lists for fault in one.faults),
    )


def trial_statements(
    matches: Matches,
    profile: TrialProfile,
    lists: Sequence[StudyList],
    vocabulary: TrialVocabulary,
    home: Home | None = None,
    enrolled: Enrolment | None = None,
) -> tuple[Statement, ...]:
    """The sentences of the TRIAL section, in reading order.

    A patient on a study gets that one sentence. The number of studies is that of ``matches``.
    """
    if enrolled is not None:
        study = enrolled.label or enrolled.study
        return (_say("trials.enrolled", study=study, status=enrolled.state),)
    if not lists:
        return (_say("trials.no-list"),)
    return (
        *_candidates(matches, profile, vocabulary, home, all(one.complete for one in lists)),
        *_missing_tests(matches, profile, vocabulary),
        *_not_listed(matches, profile, vocabulary),
        *_provenance(lists, profile.on, vocabulary),
    )


def trial_summary(matches: Matches, on: date) -> Statement:
    """The card's headline."""
    if matches.count:
        return _say("trials.summary", count=str(matches.count))
    return _say("trials.summary-none", date=on.isoformat())


def study_links(matches: Matches) -> tuple[StudyLink, ...]:
    """One link per shown study that has an address."""
    return tuple(
        StudyLink(match.placed.study.id, match.placed.study.link)
        for match in matches.candidates
        if match.placed.study.link
    )


def quiet_key(matches: Matches, profile: TrialProfile, evidence: str) -> str:
    """What an answer to this card answered: the patient's evidence and the open candidates.

    ``evidence`` is the digest of the assessment's own evidence. Compare keys with
    ``says_nothing_new``, not for equality: a study that closes changes the key but is no news.
    """
    digest = hashlib.sha256(f"{evidence}\n{profile.evidence}".encode()).hexdigest()
    return f"{digest}:{','.join(sorted(matches.open_ids))}"


def says_nothing_new(answered: str, now: str) -> bool:
    """True while the evidence is that of the answer and no candidate has opened since.

    Keys of other cards name no candidates: they are compared for equality.
    """
    evidence, _, ids = answered.partition(":")
    evidence_now, _, ids_now = now.partition(":")
    return evidence == evidence_now and set(filter(None, ids_now.split(","))) <= set(ids.split(","))


def why(match: StudyMatch, rows: Sequence[CriterionRow], vocabulary: TrialVocabulary) -> str:
    """One phrase that says why the study stands where it stands."""
    refusals = [row for row in rows if row.verdict is Match.NOT_MET]
    if refusals:
        return "; ".join(
            vocabulary.phrase("why_refused", what=row.what, expected=row.expected, found=row.found.text)
            for row in refusals
        )
    if not rows:
        return vocabulary.phrase("why_none")
    return vocabulary.phrase(
        "why_criteria",
        met=str(len(match.criteria(Match.MET))),
        total=str(len(rows)),
        unknown=str(len(match.criteria(Match.UNKNOWN))),
    )


def not_checked(match: StudyMatch, vocabulary: TrialVocabulary) -> tuple[str, ...]:
    """What people have to check: what the list names, and eligibility text that no rule reads."""
    study = match.placed.study
    text = (vocabulary.phrase("free_text"),) if study.free_text else ()
    return (*study.not_checked, *text)


def _candidates(
    matches: Matches, profile: TrialProfile, vocabulary: TrialVocabulary, home: Home | None, complete: bool
) -> Iterator[Statement]:
    if not matches.count:
        today = profile.on.isoformat()
        if not complete:
            yield _say("trials.none-in-part", date=today)
        elif home is not None and home.radius_km is not None:
            yield _say("trials.none", date=today, km=f"{home.radius_km:.0f}")
        else:
            yield _say("trials.none-anywhere", date=today)
        return
    yield _say("trials.candidates", count=str(matches.count), shown=str(len(matches.candidates)))
    for match in matches.candidates:
        yield from _study(match, profile, vocabulary)
    yield _say("trials.candidates-only")


def _study(match: StudyMatch, profile: TrialProfile, vocabulary: TrialVocabulary) -> Iterator[Statement]:
    """What and where the study is, then how far the record agrees with it."""
    study, unstated = match.placed.study, vocabulary.phrases["unstated"]
    site, distance, contact = _site(match, vocabulary)
    yield _say(
        "trials.study",
        id=study.id,
        title=study.title,
        phase=vocabulary.phase(study.phase) or unstated,
        interventions=", ".join(study.interventions) or unstated,
        status=vocabulary.status(study.status) or unstated,
        date=study.status_date.text if study.status_date else unstated,
        site=site,
        distance=distance,
        contact=contact,
    )
    rows = criterion_rows(match, profile, vocabulary)
    matched = [_fact_text(row) for row in rows if row.verdict is Match.MET]
    unknown = [f"{row.what}: {row.expected}" for row in rows if row.verdict is Match.UNKNOWN]
    nothing = vocabulary.phrases["nothing"]
    yield _say(
        "trials.study-fit",
        id=study.id,
        facts=_cut(matched, vocabulary) or nothing,
        unknown=_cut(unknown, vocabulary) or nothing,
        unchecked=_cut(not_checked(match, vocabulary), vocabulary) or vocabulary.phrases["rest"],
    )


def _cut(items: Sequence[str], vocabulary: TrialVocabulary) -> str:
    """The first items, and how many more there are."""
    limit = vocabulary.max_criteria_shown
    shown = list(items[:limit])
    if len(items) > limit:
        shown.append(vocabulary.phrase("and_more", count=str(len(items) - limit)))
    return "; ".join(shown)


def _site(match: StudyMatch, vocabulary: TrialVocabulary) -> tuple[str, str, str]:
    """The nearest site in words, how far it is, and whom to ask."""
    placed, unstated = match.placed, vocabulary.phrases["unstated"]
    site = placed.site
    place = ", ".join(part for part in (site.name, site.city, site.country) if part) if site else ""
    away = placed.distance_km
    if away is not None:
        near = away < 1
        distance = vocabulary.phrases["near"] if near else vocabulary.phrase("kilometres", km=f"{away:.0f}")
    else:
        distance = vocabulary.phrases["home_site" if placed.is_local else "distance_unknown"]
    contact = (site.contact if site else "") or placed.study.contact
    return place or unstated, distance, contact or unstated


def _fact_text(row: CriterionRow) -> str:
    dated = f" ({row.found.date})" if row.found.date else ""
    return f"{row.what}: {row.found.text}{dated}"


def _missing_tests(
    matches: Matches, profile: TrialProfile, vocabulary: TrialVocabulary
) -> Iterator[Statement]:
    """A test is asked for where its result is not on record and a shown study turns on it."""
    asking: dict[TrialFact, list[str]] = {}
    for match in matches.candidates:
        for criterion in match.criteria(Match.UNKNOWN):
            absent = not isinstance(profile.fact(criterion.fact), Known)
            ids = asking.setdefault(criterion.fact, [])
            if absent and match.placed.study.id not in ids:
                ids.append(match.placed.study.id)
    for fact, ids in asking.items():
        test = vocabulary.facts[fact].test
        if test and ids:
            yield _say("trials.missing-test", test=test, studies=", ".join(ids))


def _not_listed(matches: Matches, profile: TrialProfile, vocabulary: TrialVocabulary) -> Iterator[Statement]:
    if not matches.not_listed:
        return
    for match in matches.not_listed:
        reason = why(match, criterion_rows(match, profile, vocabulary), vocabulary)
        yield _say("trials.not-listed", id=match.placed.study.id, reason=reason)
    more = matches.not_listed_count - len(matches.not_listed)
    if more > 0:
        yield _say("trials.not-listed-more", count=str(more))


def _provenance(lists: Sequence[StudyList], on: date, vocabulary: TrialVocabulary) -> Iterator[Statement]:
    state = list_state(lists, vocabulary)
    yield _say("trials.list", source=state.source)
    for one in lists:
        if not one.complete:
            reason = "; ".join(one.faults) or one.label
            yield _say("trials.list-incomplete", source=one.label, reason=reason)
        age = (on - one.as_of.last).days if one.as_of is not None else None
        if age is not None and one.fresh_days is not None and age > one.fresh_days:
            yield _say("trials.list-old", source=one.label, days=str(age))


def _say(words: str, **values: str) -> Statement:
    return Statement(words, values)
