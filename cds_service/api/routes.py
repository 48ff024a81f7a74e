"""The URLs of the service: discovery, the hooks, and what an operator asks for. Thin on purpose."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

import msgspec
from flask import Blueprint, Response, g, request
from prometheus_client import CONTENT_TYPE_LATEST

from cds_service.api.problems import JSON
from cds_service.app_state import Parts, parts_of, software_version
from cds_service.auth import Caller, CannotVerify, Refused
from cds_service.cards import build_cards
from cds_service.evaluation.audit_trail import Answered
from cds_service.evaluation.evaluator import RESERVE_SECONDS, Evaluation, check_complete, tenant_of
from cds_service.evaluation.incomplete import told_in_a_card
from cds_service.evaluation.withheld import is_withheld, told_unapproved
from cds_service.fhir_client import Deadline
from cds_service.hooks import HookService
from cds_service.http.body import read_bytes
from cds_service.http.problem import Problem, Refusal
from cds_service.observability import audit
from cds_service.settings.model import Tenant
from cds_service.store import StoreUnavailable
from cds_service.trials.referral import Referral
from cds_service.trials.within_call import studies_within_call
from cds_service.wire.discovery import SPECIFICATION
from cds_service.wire.request import HookRequest, read_request
from fhir_mappings.assess import Assessment, as_json

hooks = Blueprint("hooks", __name__)
operations = Blueprint("operations", __name__)

EXTENSION = "org.relapse-cds.assessment"
NO_TENANT = "none"


@hooks.get("/cds-services")
def discovery() -> Response:
    """The services that are offered."""
    parts = parts_of()
    identify(parts, "/cds-services", discovery=True)
    return _json(parts.discovery)


@hooks.post("/cds-services/<service_id>")
@hooks.post("/cds-services//<service_id>", endpoint="call_after_two_slashes")
def call(service_id: str) -> Response:
    """One call of a service. Some EHRs join a base URL that ends in a slash, hence the second rule."""
    parts = parts_of()
    service = parts.services.get(service_id)
    if service is None:
        raise Refusal(Problem.UNKNOWN_PATH)
    at = parts.clock()
    caller = identify(parts, f"/cds-services/{service_id}")
    body = read_bytes(request, parts.settings.max_body_bytes)
    hook = read_request(body, service, parts.settings.max_resources)
    if hook.patient_id_was_reference:
        audit.log("patient-id-was-reference", tenant=g.tenant)
    tenant = tenant_of(hook, caller.tenant, parts.settings)
    g.tenant = tenant.id if tenant else NO_TENANT
    if wait := parts.rate.wait(g.tenant):
        raise Refusal(Problem.TOO_MANY_CALLS, headers={"Retry-After": str(ceil(wait))})
    deadline = _deadline(parts)
    evaluation = parts.evaluator.evaluate(hook, tenant, at, deadline)
    studies = studies_within_call(parts.reader, parts.settings, hook, tenant, deadline)
    referral = parts.trials.refer(evaluation.assessment, evaluation.facts, tenant, studies)
    return _json(answer(parts, hook, service, caller, tenant, evaluation, referral))


def identify(parts: Parts, path: str, *, discovery: bool = False) -> Caller:
    """The caller, by the token in the Authorization header.

    Raises Refusal: unauthorised (one body for every cause), or out-of-service where nobody can be
    verified now.
    """
    header = request.headers.getlist("Authorization")
    audience = parts.settings.public_url + path
    try:
        caller = parts.verifier.identify(header, audience, parts.clock(), discovery=discovery)
    except Refused:
        raise Refusal(Problem.UNAUTHORISED) from None
    except CannotVerify:
        raise Refusal(Problem.OUT_OF_SERVICE, headers={"Retry-After": "5"}) from None
    g.tenant = caller.tenant.id if caller.tenant else NO_TENANT
    return caller


def answer(
    parts: Parts,
    hook: HookRequest,
    service: HookService,
    caller: Caller,
    tenant: Tenant | None,
    evaluation: Evaluation,
    referral: Referral,
) -> dict[str, Any]:
    """The response body of an evaluation and its trials, after what is to be kept of it was kept.

    Raises Refusal: missing-data where silence would mislead, not-approved where a draft would be shown to a
    site that wants approved content only, out-of-service where cards cannot be kept.
    """
    name, assessment = (tenant.id if tenant else NO_TENANT), referral.assessment
    if any(state.reason == "timed-out" for state in evaluation.states.values()):
        audit.DEADLINES.labels(name).inc()
    shows = not evaluation.is_incomplete
    if is_withheld(assessment, parts.settings, parts.knowledge):
        assessment, shows = told_unapproved(assessment, parts.settings), True
    elif evaluation.is_incomplete and parts.settings.on_incomplete == "info-card":
        assessment = told_in_a_card(assessment, evaluation.states, parts.knowledge)
        shows = True
    cards = cards_of(parts, assessment, tenant, referral) if shows else []
    if not cards and evaluation.is_incomplete:
        audit.evaluated("incomplete", name, assessment.missing_needs)
        _note(parts, hook, service, caller, assessment, evaluation, name, cards)
        check_complete(evaluation)
    try:
        parts.recorder.shown(cards, assessment, name, service.id, referral.keys)
    except StoreUnavailable:
        raise Refusal(Problem.OUT_OF_SERVICE, headers={"Retry-After": "5"}) from None
    audit.evaluated("cards" if cards else "none", name, assessment.missing_needs)
    _note(parts, hook, service, caller, assessment, evaluation, name, cards)
    if not parts.settings.explain:
        return {"cards": cards}
    return {"cards": cards, "extension": {EXTENSION: filled(as_json(assessment))}}


def _note(
    parts: Parts,
    hook: HookRequest,
    service: HookService,
    caller: Caller,
    assessment: Assessment,
    evaluation: Evaluation,
    tenant: str,
    cards: Sequence[Mapping[str, Any]],
) -> None:
    """Counts an evaluation and puts it on the trail, also one that is told as incomplete with 412."""
    parts.recorder.answered(
        Answered(
            at=assessment.at,
            tenant=tenant,
            service=service.id,
            instance=hook.instance,
            issuer=caller.issuer,
            jti=caller.jti,
            status=assessment.status.value,
            incomplete=bool(assessment.missing_needs),
            rule_version=assessment.knowledge.version,
            digest=assessment.knowledge.digest,
            cards=tuple(card["uuid"] for card in cards),
            from_server=sum(source == "server" for source in evaluation.sources.values()),
            milliseconds=(time.monotonic() - g.started) * 1000,
        )
    )


def cards_of(
    parts: Parts, assessment: Assessment, tenant: Tenant | None, referral: Referral
) -> list[dict[str, Any]]:
    """The cards of an assessment for one client."""
    settings = parts.settings
    if not assessment.sections:
        return []
    name = tenant.id if tenant else NO_TENANT
    return build_cards(
        assessment,
        parts.knowledge,
        profile=tenant.profile if tenant else "strict",
        base_url=settings.public_url,
        max_cards=settings.max_cards,
        quiet=parts.recorder.quiet(name, assessment.patient, assessment.at),
        explain=settings.explain,
        scope=name,
        added=referral.links,
        keys=referral.keys,
    )


def filled(value: Any) -> Any:
    """A JSON value without members that are null or empty (CDS Hooks, "Use of JSON")."""
    if isinstance(value, dict):
        kept = {key: filled(item) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item not in (None, "", [], {})}
    if isinstance(value, list | tuple):
        return [item for item in map(filled, value) if item not in (None, "", [], {})]
    return value


@operations.get("/livez")
def livez() -> Response:
    """The process answers."""
    return _json({"status": "alive"})


@operations.get("/readyz")
def readyz() -> Response:
    """The process can serve: its store can be written and every tenant can be verified.

    No hospital's FHIR server is asked: one that is down must not take the service from the others.
    """
    parts = parts_of()
    faults = [f"keys of {tenant}" for tenant in parts.verifier.without_keys()]
    try:
        parts.store.check_writable()
    except StoreUnavailable:
        faults.append("store")
    if parts.settings.require_approved_content and parts.knowledge.review != "approved":
        faults.append("knowledge is not approved")
    if faults:
        raise Refusal(Problem.OUT_OF_SERVICE, f"not ready: {', '.join(faults)}", {"Retry-After": "5"})
    return _json({"status": "ready"})


@operations.get("/version")
def version_route() -> Response:
    """Which software and which knowledge decide."""
    knowledge = parts_of().knowledge
    stamp = {
        "disease": knowledge.disease,
        "version": knowledge.version,
        "digest": knowledge.digest,
        "review": knowledge.review,
    }
    body = {"name": "relapse-cds", "version": software_version(), "cdsHooks": SPECIFICATION, "fhir": "4.0.1"}
    return _json({**body, "knowledge": stamp})


def metrics() -> Response:
    """The metrics in Prometheus text format; not registered where they have a port of their own."""
    return Response(audit.exposition(parts_of().metrics_dir), content_type=CONTENT_TYPE_LATEST)


def _deadline(parts: Parts) -> Deadline:
    whole = parts.settings.deadline_seconds
    spent = time.monotonic() - g.started
    return Deadline.after(max(0.0, whole - min(RESERVE_SECONDS, whole / 4) - spent))


def _json(body: dict[str, Any]) -> Response:
    # msgspec, because orjson hands over a buffer of several times the length.
    return Response(msgspec.json.encode(body), 200, content_type=JSON)
