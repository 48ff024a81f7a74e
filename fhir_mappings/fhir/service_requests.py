"""ServiceRequest: referrals and pending examinations the rules watch (F-11, S-003-47)."""

from __future__ import annotations

from fhir_mappings.clinical.facts import Referral
from fhir_mappings.clinical.vocabulary import Vocabulary
from fhir_mappings.fhir.codings import meanings, texts_of
from fhir_mappings.fhir.collected import Collected
from fhir_mappings.fhir.dates import read_moment
from fhir_mappings.fhir.elements import Resource
from fhir_mappings.fhir.lazy_elements import concept_of
from fhir_mappings.fhir.lazy_rare_elements import version_of

_VOID = frozenset({"entered-in-error", "revoked", "draft", "unknown"})


def read_referral(resource: Resource, ref: str, vocabulary: Vocabulary, into: Collected) -> None:
    """Add one request of a watched kind that is or was in force."""
    status = (resource.status or "").strip().lower()
    if status in _VOID or resource.do_not_perform or resource.intent in ("proposal", "option"):
        return
    code = concept_of(resource.code)
    kind = next((found for _coding, found in meanings(code, vocabulary.referral_codes)), "")
    if not kind:
        text = texts_of(code)
        kind = next((rule.meaning for rule in vocabulary.referral_texts if text and rule.matches(text)), "")
    if kind:
        into.referrals.append(
            Referral(ref, kind, status, read_moment(resource.authored_on), version_of(resource))
        )
