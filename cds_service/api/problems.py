"""Faults and what the caller is told: one table from fault to status, issue code and safe words.

Every answer outside 2xx is an OperationOutcome whose id is the request id, except the 401, which is one
fixed body for every cause (CDS Hooks, "Trusting CDS Clients").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from flask import Flask, Response, g
from werkzeug.exceptions import HTTPException

from cds_service.http.problem import Problem, Refusal
from cds_service.observability import log, metrics


@dataclass(frozen=True, slots=True)
class Row:
    """What the caller is told. ``code`` is of the FHIR R4 value set issue-type."""

    status: int
    code: str
    words: str


TABLE: Mapping[Problem, Row] = {
    Problem.MALFORMED_BODY: Row(400, "structure", "The body is not one JSON object as RFC 8259 defines it."),
    Problem.INVALID_REQUEST: Row(400, "invalid", "The request is not a CDS Hooks request of this service."),
    Problem.UNAUTHORISED: Row(401, "login", "The request is not authorised."),
    Problem.FOREIGN_SERVER: Row(403, "forbidden", "The fhirServer does not belong to the caller."),
    Problem.FORBIDDEN: Row(403, "forbidden", "The caller may not do this."),
    Problem.UNKNOWN_PATH: Row(404, "not-found", "There is nothing at this path. See GET /cds-services."),
    Problem.WRONG_METHOD: Row(405, "not-supported", "This path does not take this method. See Allow."),
    Problem.FOREIGN_RESOURCE: Row(
        412,
        "conflict",
        "Data of another patient, or of no attributable patient, came with the request. "
        "Nothing was evaluated.",
    ),
    Problem.MERGED_PATIENT: Row(
        412,
        "conflict",
        "The patient's record was replaced by another one. Nothing was evaluated. "
        "Open the chart of the record that replaces it.",
    ),
    Problem.MISSING_DATA: Row(
        412,
        "incomplete",
        "Data that are needed to look for relapsed leukaemia could not be seen. "
        "This is not a negative result.",
    ),
    Problem.REFUSED_DATA: Row(
        412,
        "security",
        "The FHIR server did not admit reading data that are needed to look for relapsed leukaemia. "
        "This is not a negative result.",
    ),
    Problem.WRONG_VERSION: Row(
        412,
        "not-supported",
        "The data are not FHIR R4. Nothing was evaluated. Send FHIR R4 (4.0.1) data.",
    ),
    Problem.NOT_APPROVED: Row(
        412,
        "business-rule",
        "The clinical content is a draft, and this service shows approved content only. "
        "This is not a negative result.",
    ),
    Problem.TOO_LARGE: Row(413, "too-long", "The body is larger than this service reads."),
    Problem.TOO_MANY_RESOURCES: Row(
        413, "too-costly", "The prefetch holds more resources than this service reads."
    ),
    Problem.WRONG_MEDIA_TYPE: Row(
        415, "not-supported", "Send the body as application/json or application/fhir+json, in UTF-8."
    ),
    Problem.CODED_BODY: Row(415, "not-supported", "Send the body without Content-Encoding."),
    Problem.TOO_MANY_CALLS: Row(429, "throttled", "Too many calls. Try again after Retry-After seconds."),
    Problem.OUT_OF_SERVICE: Row(503, "transient", "The service cannot answer now. Try again."),
    Problem.INTERNAL: Row(500, "exception", "The service failed. Nothing was evaluated."),
}

OF_STATUS: Mapping[int, Problem] = {
    400: Problem.MALFORMED_BODY,
    401: Problem.UNAUTHORISED,
    403: Problem.FORBIDDEN,
    404: Problem.UNKNOWN_PATH,
    405: Problem.WRONG_METHOD,
    408: Problem.MALFORMED_BODY,
    411: Problem.MALFORMED_BODY,
    413: Problem.TOO_LARGE,
    415: Problem.WRONG_MEDIA_TYPE,
    429: Problem.TOO_MANY_CALLS,
    503: Problem.OUT_OF_SERVICE,
}
"""How an HTTP error of Flask itself is told."""


def outcome(problem: Problem, diagnostics: str = "", request_id: str = "") -> dict[str, Any]:
    """The OperationOutcome of a problem."""
    row = TABLE[problem]
    issue: dict[str, Any] = {"severity": "error", "code": row.code, "details": {"text": row.words}}
    if diagnostics:
        issue["diagnostics"] = diagnostics
    head = {"resourceType": "OperationOutcome"}
    return {**head, "id": request_id, "issue": [issue]} if request_id else {**head, "issue": [issue]}


_UNAUTHORISED = orjson.dumps(outcome(Problem.UNAUTHORISED))


def answer(refusal: Refusal) -> Response:
    """The HTTP answer to a refused call."""
    row = TABLE[refusal.problem]
    metrics.refused(refusal.problem.value, row.status)
    if refusal.problem is Problem.UNAUTHORISED:
        response = Response(_UNAUTHORISED, 401, content_type=JSON)
        response.headers["WWW-Authenticate"] = "Bearer"
        return response
    body = outcome(refusal.problem, refusal.diagnostics, str(g.get("request_id", "")))
    response = Response(orjson.dumps(body), row.status, content_type=JSON)
    response.headers.update(refusal.headers)
    return response


JSON = "application/json; charset=utf-8"


def of_http(error: HTTPException) -> Response:
    """An HTTP error raised by Flask or Werkzeug; its own page and words are dropped."""
    status = error.code or 500
    problem = OF_STATUS.get(status, Problem.INVALID_REQUEST if 400 <= status < 500 else Problem.INTERNAL)
    if status < 400:
        return Response(status=status, headers=_kept(error))
    return answer(Refusal(problem, headers=_kept(error)))


def _kept(error: HTTPException) -> dict[str, str]:
    return {
        name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After", "Location")
    }


def of_anything(error: Exception) -> Response:
    """An exception without a row: a bare 500. The log gets its type and place, never its text."""
    log.crashed(error)
    return answer(Refusal(Problem.INTERNAL))


def register(app: Flask) -> None:
    """Every error of the application is answered from the table."""
    app.register_error_handler(Refusal, answer)
    app.register_error_handler(HTTPException, of_http)
    app.register_error_handler(Exception, of_anything)
