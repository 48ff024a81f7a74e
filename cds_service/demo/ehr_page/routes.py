"""What the demo EHR's page needs of its server: the patients, tokens for the sandbox, its fault switch."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import orjson
from flask import Blueprint, Response, request

from cds_service.api.problems import JSON
from cds_service.app_state import parts_of
from cds_service.demo.demo_patients import DemoPatient
from cds_service.demo.sandbox.faults import Faults
from cds_service.demo.sandbox.server import Sandbox
from cds_service.http.problem import Problem, Refusal
from cds_service.pages.rendering import page
from cds_service.store import StoreUnavailable

TOKEN_SECONDS = 300
SLOW_SECONDS = 3.0
"""Longer than the service's deadline, so that a slow server is seen to cost data and not the user's time."""

SCOPE = "patient/*.read"
_MOST_BYTES = 4096


def ehr_page(patients: Sequence[DemoPatient], sandbox: Sandbox, service_id: str) -> Blueprint:
    """The blueprint to be mounted at ``/demo``."""
    routes = Blueprint(
        "demo_ehr", __name__, template_folder="templates", static_folder="static", static_url_path="/static"
    )
    desk = _Desk(patients, sandbox, service_id)
    routes.add_url_rule("/", "page", desk.page, methods=["GET"])
    routes.add_url_rule("/ehr/token", "token", desk.token, methods=["POST"])
    routes.add_url_rule("/ehr/fault", "fault", desk.fault, methods=["PUT"])
    routes.add_url_rule("/ehr/afresh", "afresh", desk.afresh, methods=["POST"])
    return routes


class _Desk:
    """The request handlers of one demo EHR."""

    def __init__(self, patients: Sequence[DemoPatient], sandbox: Sandbox, service_id: str) -> None:
        self._patients = {patient.id: patient for patient in patients}
        self._sandbox = sandbox
        self._service_id = service_id

    def page(self) -> Response:
        """The page itself."""
        return page(
            "demo/ehr.html",
            patients=tuple(self._patients.values()),
            fhir_server=self._sandbox.base,
            service_id=self._service_id,
            scope=SCOPE,
            fault=_name_of(self._sandbox.repository.faults.now),
        )

    def token(self) -> Response:
        """A token that opens one patient's record for a few minutes, as an EHR's own server would issue."""
        patient = self._patient(_body().get("patient"))
        answer = {
            "access_token": self._sandbox.tokens.issue(patient.id, TOKEN_SECONDS),
            "token_type": "Bearer",
            "expires_in": TOKEN_SECONDS,
            "scope": SCOPE,
            "patient": patient.id,
            "now": parts_of().clock().isoformat(),
        }
        return _json(answer)

    def fault(self) -> Response:
        """Sets what goes wrong in the sandbox while this patient's chart is opened."""
        body = _body()
        switch = self._sandbox.repository.faults
        switch.clear()
        match body.get("fault"):
            case "none":
                changes: dict[str, Any] = {}
            case "down":
                changes = {"down": True}
            case "slow":
                changes = {"slow_seconds": SLOW_SECONDS}
            case "wrong-patient":
                changes = {"wrong_patient": self._somebody_else(body.get("patient"))}
            case _:
                known = "none, down, slow or wrong-patient"
                raise Refusal(Problem.INVALID_REQUEST, f"fault: write {known}")
        return _json(_described(switch.set(**changes)))

    def afresh(self) -> Response:
        """Makes the charts as they were at the start; cards that were dealt with are shown again."""
        _body()
        repository, parts = self._sandbox.repository, parts_of()
        repository.faults.clear()
        repository.restart([one for patient in self._patients.values() for one in patient.resources])
        at = parts.clock()
        try:
            parts.store.quiet.purge(at, at + timedelta(days=1))
        except StoreUnavailable:
            raise Refusal(Problem.OUT_OF_SERVICE, headers={"Retry-After": "5"}) from None
        return _json({"patients": len(self._patients)})

    def _patient(self, name: Any) -> DemoPatient:
        found = self._patients.get(name) if isinstance(name, str) else None
        if found is None:
            raise Refusal(Problem.INVALID_REQUEST, "patient: not the id of a demo patient")
        return found

    def _somebody_else(self, name: Any) -> str:
        own = self._patient(name).id
        return next(patient for patient in self._patients if patient != own)


def _name_of(faults: Faults) -> str:
    """The fault by the name that the page has for it."""
    if faults.down:
        return "down"
    if faults.wrong_patient:
        return "wrong-patient"
    return "slow" if faults.slow_seconds else "none"


def _described(faults: Faults) -> dict[str, Any]:
    return {
        "down": faults.down,
        "slowSeconds": faults.slow_seconds,
        "wrongPatient": bool(faults.wrong_patient),
    }


def _body() -> dict[str, Any]:
    """The JSON object of a request of the page. JSON is asked for so that no foreign form can send it."""
    if request.mimetype != "application/json":
        raise Refusal(Problem.WRONG_MEDIA_TYPE)
    request.max_content_length = _MOST_BYTES
    try:
        body = orjson.loads(request.get_data())
    except orjson.JSONDecodeError:
        body = None
    if not isinstance(body, dict):
        raise Refusal(Problem.MALFORMED_BODY)
    return body


def _json(body: dict[str, Any]) -> Response:
    return Response(orjson.dumps(body), 200, content_type=JSON)
