"""The trial part of a hook call: the lists a process holds, and what they add to one answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Self

from cds_service.settings.model import Settings, Tenant
from cds_service.trials.cache import TrialCache
from cds_service.trials.lists import TrialLists, TrialSources
from cds_service.trials.matching import SECTION, answer_for, with_trials
from fhir_mappings.assess import Assessment, Facts
from fhir_mappings.trials import (
    StudyLink,
    StudyList,
    TrialKnowledge,
    TrialVocabulary,
    current_enrolment,
    prepare,
)

TOPIC = "allTrialReferral"

ServerStudies = Callable[[TrialVocabulary, date], StudyList]
"""Reads the studies of the hospital's FHIR server within the call."""


@dataclass(frozen=True, slots=True)
class Referral:
    """What the lists add to an answer: the assessment with its studies, links by topic, and evidence keys.

    A key of ``keys`` stands in for the evidence key of its topic's card.
    """

    assessment: Assessment
    links: Mapping[str, Sequence[StudyLink]] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)


class TrialReferrals:
    """The configured lists of one process. Safe to use from several threads."""

    def __init__(self, sources: TrialSources, vocabulary: TrialVocabulary, max_studies: int) -> None:
        self._sources = sources
        self._vocabulary = vocabulary
        self._max_studies = max_studies

    @classmethod
    def started(
        cls, settings: Settings, knowledge: TrialKnowledge, clock: Callable[[], datetime], cache: TrialCache
    ) -> Self:
        """Reads what lies on this machine; the background starts where there is a list to keep fresh."""
        sources = TrialSources(settings, knowledge.vocabulary, cache=cache, clock=clock)
        trials = settings.trials
        sources.load()
        if trials.catalogue or trials.clinicaltrials_gov or trials.fhir_servers or sources.view().lists:
            sources.start()
        return cls(sources, knowledge.vocabulary, trials.max_studies)

    def refresh(self) -> None:
        """Reads again whatever is due, without waiting for the background."""
        self._sources.refresh()

    def stop(self) -> None:
        """Ends the background refresh."""
        self._sources.stop()

    def refer(
        self,
        assessment: Assessment,
        facts: Facts,
        tenant: Tenant,
        server_studies: ServerStudies | None = None,
    ) -> Referral:
        """The answer with its studies named; as it is without a list or without a trial section."""
        if assessment.section(SECTION) is None:
            return Referral(assessment)
        day = assessment.at.date()
        enrolled = current_enrolment(facts.enrolments)
        lists = self._lists(tenant, None if enrolled else server_studies, day)
        if not lists.lists:
            return Referral(assessment)
        answer = answer_for(assessment, facts, lists, self._vocabulary, day, self._max_studies)
        if answer.enrolled is not None:
            return Referral(assessment)
        return Referral(with_trials(assessment, answer), {TOPIC: answer.links}, {TOPIC: answer.quiet_key})

    def _lists(self, tenant: Tenant, server_studies: ServerStudies | None, day: date) -> TrialLists:
        held = self._sources.view(tenant.id)
        if server_studies is None:
            return held
        lists = (*held.lists, server_studies(self._vocabulary, day))
        return replace(held, lists=lists, index=prepare(lists, held.home))
