"""The hooks: discovery, and one call from its bytes to its answer."""

from __future__ import annotations

import time
from math import ceil

from flask import Blueprint, Response, g, request

from cds_service.api.answers import Call, Evaluated, answer, json_response, silent_answer
from cds_service.app_state import Parts, parts_of
from cds_service.auth import Caller, CannotVerify, Refused
from cds_service.evaluation.chart_request import ChartRequest
from cds_service.evaluation.evaluator import RESERVE_SECONDS, tenant_of
from cds_service.fhir_client import Deadline
from cds_service.http.body import read_bytes
from cds_service.http.problem import Problem, Refusal
from cds_service.observability import log
from cds_service.trials.within_call import studies_within_call
from cds_service.wire.request import read_request

hooks = Blueprint("hooks", __name__)


@hooks.get("/cds-services")
def discovery() -> Response:
    """The services that are offered."""
    parts = parts_of()
    identify(parts, "/cds-services", discovery=True)
    return json_response(parts.discovery)


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
        log.event("patient-id-was-reference", tenant=g.tenant)
    chart = ChartRequest.of_hook(hook)
    tenant = tenant_of(chart, caller.tenant, parts.settings)
    g.tenant = tenant.id
    count_call(parts, g.tenant)
    deadline = _deadline(parts)
    asked = Call(hook, service, caller, tenant)

    def evaluated() -> Evaluated:
        evaluation = parts.evaluator.evaluate(chart, tenant, at, deadline)
        studies = studies_within_call(parts.reader, parts.settings, hook, tenant, deadline)
        return evaluation, parts.trials.refer(evaluation.assessment, evaluation.facts, tenant, studies)

    if tenant.mode == "silent":
        return json_response(silent_answer(parts, asked, evaluated))
    return json_response(answer(parts, asked, *evaluated()))


def count_call(parts: Parts, tenant: str) -> None:
    """Counts a call or a feedback against the rate of a tenant. Raises Refusal: too-many-calls."""
    if wait := parts.rate.wait(tenant):
        raise Refusal(Problem.TOO_MANY_CALLS, headers={"Retry-After": str(ceil(wait))})


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
    g.tenant = caller.tenant.id
    return caller


def _deadline(parts: Parts) -> Deadline:
    whole = parts.settings.deadline_seconds
    spent = time.monotonic() - g.started
    return Deadline.after(max(0.0, whole - min(RESERVE_SECONDS, whole / 4) - spent))
