"""The one door to clinical trials: load words, read studies, match them to an assessment, say the result."""

from __future__ import annotations

from fhir_mappings.knowledge.errors import Fault, KnowledgeError
from fhir_mappings.knowledge.toml_lines import KeyLines
from fhir_mappings.trials.card import (
    ENROLLED_STATES,
    ListState,
    StudyLink,
    current_enrolment,
    list_state,
    not_checked,
    quiet_key,
    says_nothing_new,
    study_links,
    trial_statements,
    trial_summary,
    why,
)
from fhir_mappings.trials.criteria import Match
from fhir_mappings.trials.knowledge import TrialKnowledge, load_trial_knowledge
from fhir_mappings.trials.patient import trial_profile
from fhir_mappings.trials.patient_profile import TrialProfile
from fhir_mappings.trials.ranking import (
    Home,
    Matches,
    Placed,
    StudyIndex,
    StudyMatch,
    match_studies,
    prepare,
)
from fhir_mappings.trials.reading import NCT_ID, ReadStudies, read_research
from fhir_mappings.trials.relevance import Relevance, read_relevance
from fhir_mappings.trials.study import (
    Accrual,
    Age,
    AgeSpan,
    AgeUnit,
    Criterion,
    Expected,
    OneOf,
    Origin,
    Site,
    Span,
    Study,
    StudyList,
    TrialFact,
)
from fhir_mappings.trials.vocabulary import FactKind, FactWords, TrialVocabulary
from fhir_mappings.trials.wording import CriterionRow, Found, criterion_rows, expected_text

__all__ = [
    "ENROLLED_STATES",
    "NCT_ID",
    "Accrual",
    "Age",
    "AgeSpan",
    "AgeUnit",
    "Criterion",
    "CriterionRow",
    "Expected",
    "FactKind",
    "FactWords",
    "Fault",
    "Found",
    "Home",
    "KeyLines",
    "KnowledgeError",
    "ListState",
    "Match",
    "Matches",
    "OneOf",
    "Origin",
    "Placed",
    "ReadStudies",
    "Relevance",
    "Site",
    "Span",
    "Study",
    "StudyIndex",
    "StudyLink",
    "StudyList",
    "StudyMatch",
    "TrialFact",
    "TrialKnowledge",
    "TrialProfile",
    "TrialVocabulary",
    "criterion_rows",
    "current_enrolment",
    "expected_text",
    "list_state",
    "load_trial_knowledge",
    "match_studies",
    "not_checked",
    "prepare",
    "quiet_key",
    "read_relevance",
    "read_research",
    "says_nothing_new",
    "study_links",
    "trial_profile",
    "trial_statements",
    "trial_summary",
    "why",
]
