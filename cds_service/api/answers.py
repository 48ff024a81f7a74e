"""The answer to a hook call: the cards of an evaluation, and what is kept of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from flask import Response, g

from cds_service.api.problems import JSON
from cds_service.app_state import Parts
from cds_service.auth import Caller
from cds_service.cards import CardChoices, build_cards
from cds_service.evaluation.audit_trail import Answered
from cds_service.evaluation.evaluator import Evaluation, check_complete
from cds_service.evaluation.incomplete import told_in_a_card
from cds_service.evaluation.withheld import is_withheld, told_unapproved
from cds_service.hooks import HookService
from cds_service.http.problem import Problem, Refusal
from cds_service.observability import metrics, tracing
from cds_service.settings.model import Tenant
from cds_service.store import StoreUnavailable
from cds_service.trials.referral import Referral
from cds_service.wire.request import HookRequest
from fhir_mappings.assess import Assessment, as_json, told

EXTENSION = "org.relapse-cds.assessment"
Evaluated = tuple[Evaluation, Referral]


@dataclass(frozen=True, slots=True)
class Call:
    """One hook call: what was asked of which service, by whom, and whose patient it is."""

    hook: HookRequest
    service: HookService
    caller: Caller
    tenant: Tenant


def answer(parts: Parts, call: Call, evaluation: Evaluation, referral: Referral) -> dict[str, Any]:
    """The response body of an evaluation and its trials, after what is to be kept of it was kept.

    Raises Refusal: missing-data where silence would mislead, not-approved where a draft would be shown to a
    site that wants approved content only, out-of-service where cards cannot be kept.
    """
    name = call.tenant.id
    with tracing.span("cards", relapse_cds__service=call.service.id) as mark:
        assessment, cards = _decided(parts, call, evaluation, referral)
        mark(relapse_cds__cards=len(cards))
    if not cards and evaluation.is_incomplete:
        metrics.evaluated("incomplete", name, assessment.missing_needs)
        _note(parts, call, assessment, evaluation, cards)
        check_complete(evaluation)
    try:
        with tracing.span("store"):
            parts.recorder.shown(cards, assessment, name, call.service.id, referral.keys)
    except StoreUnavailable:
        raise Refusal(Problem.OUT_OF_SERVICE, headers={"Retry-After": "5"}) from None
    metrics.evaluated("cards" if cards else "none", name, assessment.missing_needs)
    _note(parts, call, assessment, evaluation, cards)
    if not parts.settings.explain:
        return {"cards": cards}
    return {
        "cards": cards,
        "extension": {EXTENSION: filled(as_json(assessment, told(assessment, parts.knowledge)))},
    }


def silent_answer(parts: Parts, call: Call, evaluate: Callable[[], Evaluated]) -> dict[str, Any]:
    """The response body for a silent tenant: no card, whatever was found or kept from being found.

    What would have been shown is counted and stands on the trail. A defect of ours is still an error (500):
    nobody would see it here.
    """
    name = call.tenant.id
    try:
        evaluation, referral = evaluate()
        assessment, cards = _decided(parts, call, evaluation, referral)
    except Refusal as refusal:
        metrics.evaluated("refused", name)
        metrics.refused(refusal.problem.value, 200)
        return {"cards": []}
    outcome = "cards" if cards else "incomplete" if evaluation.is_incomplete else "none"
    metrics.evaluated(f"silent-{outcome}", name, assessment.missing_needs)
    topics = tuple(card["source"]["topic"]["code"] for card in cards)
    _note(parts, call, assessment, evaluation, (), topics)
    return {"cards": []}


def _decided(
    parts: Parts, call: Call, evaluation: Evaluation, referral: Referral
) -> tuple[Assessment, list[dict[str, Any]]]:
    """What is said, and its cards. Raises Refusal (not-approved)."""
    assessment = referral.assessment
    if any(state.reason == "timed-out" for state in evaluation.states.values()):
        metrics.DEADLINES.labels(call.tenant.id).inc()
    shows = not evaluation.is_incomplete
    if is_withheld(assessment, parts.settings, parts.knowledge):
        assessment, shows = told_unapproved(assessment, parts.settings), True
    elif evaluation.is_incomplete and parts.settings.on_incomplete == "info-card":
        assessment = told_in_a_card(assessment, evaluation.states, parts.knowledge)
        shows = True
    return assessment, cards_of(parts, assessment, call.tenant, referral) if shows else []


def _note(
    parts: Parts,
    call: Call,
    assessment: Assessment,
    evaluation: Evaluation,
    cards: Sequence[Mapping[str, Any]],
    unshown: tuple[str, ...] = (),
) -> None:
    """Counts an evaluation and puts it on the trail, also one that is told as incomplete with 412."""
    parts.recorder.answered(
        Answered(
            at=assessment.at,
            tenant=call.tenant.id,
            service=call.service.id,
            instance=call.hook.instance,
            issuer=call.caller.issuer,
            jti=call.caller.jti,
            status=assessment.status.value,
            incomplete=bool(assessment.missing_needs),
            rule_version=assessment.knowledge.version,
            digest=assessment.knowledge.digest,
            cards=tuple(card["uuid"] for card in cards),
            from_server=sum(source == "server" for source in evaluation.sources.values()),
            milliseconds=(time.monotonic() - g.started) * 1000,
            unshown=unshown,
            silent=call.tenant.mode == "silent",
        )
    )


def cards_of(
    parts: Parts, assessment: Assessment, tenant: Tenant, referral: Referral
) -> list[dict[str, Any]]:
    """The cards of an assessment for one client."""
    settings = parts.settings
    if not assessment.sections:
        return []
    return build_cards(
        assessment,
        parts.knowledge,
        CardChoices(
            profile=tenant.profile,
            base_url=settings.public_url,
            max_cards=settings.max_cards,
            quiet=parts.recorder.quiet(tenant.id, assessment.patient, assessment.at),
            explain=settings.explain,
            scope=tenant.id,
            added=referral.links,
            keys=referral.keys,
            full=tenant.card_detail == "full",
            evidence=tenant.evidence_place,
            plain_text=tenant.detail_format == "text",
            omit=frozenset(tenant.omit),
        ),
    )


def filled(value: Any) -> Any:
    """A JSON value without members that are null or empty (CDS Hooks, "Use of JSON")."""
    if isinstance(value, dict):
        kept = {key: filled(item) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item not in (None, "", [], {})}
    if isinstance(value, list | tuple):
        return [item for item in map(filled, value) if item not in (None, "", [], {})]
    return value


def json_response(body: dict[str, Any]) -> Response:
    """A body as the answer; msgspec, because orjson hands over a buffer of several times the length."""
    return Response(msgspec.json.encode(body), 200, content_type=JSON)
