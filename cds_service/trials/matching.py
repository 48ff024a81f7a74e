"""One patient against the lists of one tenant: what the card says, links to and stays quiet about."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from cds_service.trials.lists import TrialLists
from fhir_mappings.assess import Assessment, Enrolment, Facts, Section, Statement
from fhir_mappings.trials import (
    Matches,
    StudyLink,
    TrialProfile,
    TrialVocabulary,
    current_enrolment,
    match_studies,
    prepare,
    quiet_key,
    study_links,
    trial_profile,
    trial_statements,
    trial_summary,
)

SECTION = "TRIAL"
PREFERRED = "trial.preferred"
"""The one sentence of the section that stays when studies can be named."""

_NOTHING = prepare(())


@dataclass(frozen=True, slots=True)
class TrialAnswer:
    """What a hook call says about trials.

    ``quiet_key`` is what an answer to the card answered; see ``says_nothing_new``. ``enrolled``
    is set for a patient who is on a study: then nothing was searched.
    """

    profile: TrialProfile
    matches: Matches
    statements: tuple[Statement, ...]
    summary: Statement | None
    links: tuple[StudyLink, ...]
    quiet_key: str
    enrolled: Enrolment | None


def answer_for(
    assessment: Assessment,
    facts: Facts,
    view: TrialLists,
    vocabulary: TrialVocabulary,
    on: date,
    max_studies: int | None = None,
) -> TrialAnswer:
    """Match and say; a patient on a study is not matched.

    No file is read and nobody is asked; ``on`` is the day at the site.
    """
    profile = trial_profile(assessment, facts, vocabulary, on)
    enrolled = current_enrolment(facts.enrolments)
    limit = max_studies or vocabulary.max_studies
    index = view.index if enrolled is None else _NOTHING
    matches = match_studies(index, profile, vocabulary, limit, vocabulary.max_not_listed)
    statements = trial_statements(matches, profile, view.lists, vocabulary, view.home, enrolled)
    searched = bool(view.lists) and enrolled is None
    sure = bool(matches.count) or all(one.complete for one in view.lists)
    return TrialAnswer(
        profile=profile,
        matches=matches,
        statements=statements,
        summary=trial_summary(matches, on) if searched and sure else None,
        links=study_links(matches) if searched else (),
        quiet_key=quiet_key(matches, profile, assessment.evidence_digest),
        enrolled=enrolled,
    )


_IF_CONFIRMED = "trial.summary.if-confirmed"


def _summary(section: Section, answer: TrialAnswer) -> Statement | None:
    """What was found; before a relapse is confirmed the headline stays as it is (D-13)."""
    if section.summary is not None and section.summary.words == _IF_CONFIRMED:
        return section.summary
    return answer.summary or section.summary


def with_trials(assessment: Assessment, answer: TrialAnswer) -> Assessment:
    """The assessment with the TRIAL section filled: the studies stand in place of what to search for.

    One without that section stays as it is, and so does that of a patient on a study: the section
    then shows the enrolment already.
    """
    if answer.enrolled is not None:
        return assessment
    sections = tuple(
        replace(
            section,
            statements=(*(one for one in section.statements if one.words == PREFERRED), *answer.statements),
            summary=_summary(section, answer),
        )
        if section.name == SECTION
        else section
        for section in assessment.sections
    )
    return replace(assessment, sections=sections)
