"""An EHR's authorisation server and FHIR server in one, on a real socket.

It follows SMART App Launch 2.2 (EHR and standalone launch, public and confidential clients), RFC 6749 4.1 and
RFC 7636, and refuses whatever they tell a server to refuse. ``Behaviour`` makes it go wrong on purpose.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from flask import Flask, Response, jsonify, redirect, request
from werkzeug.serving import make_server

from cds_service.demo.sandbox.access import AccessTokens
from cds_service.demo.sandbox.repository import Repository
from cds_service.demo.sandbox.routes import sandbox_blueprint
from cds_service.demo.sandbox.server import Sandbox

FHIR_PATH = "/fhir"
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass
class Behaviour:
    """What the server does beside the specification. ``pkce`` are the methods it says it supports."""

    denies: bool = False
    answer_error: str = ""
    """The error it sends the user back with; empty: by the specification."""
    token_error: tuple[int, str] | None = None
    """Status and body of the token endpoint; None: by the specification."""
    pkce: tuple[str, ...] = ("S256",)
    capabilities: tuple[str, ...] = ("launch-ehr", "launch-standalone", "permission-v2", "client-public")
    grants: str | None = None
    """The scopes it grants; None: those asked for."""
    names_patient: bool = True
    patient_form: str = "{}"
    """How the token response writes the patient's id."""
    code_seconds: float = 60.0
    token_type: str = "Bearer"
    expires_in: Any = 300
    authorization_endpoint: str = ""
    token_endpoint: str = ""
    discovery_status: int = 200
    answer_state: str | None = None
    """The state it answers with; None: the one it was sent."""
    token_padding: int = 0
    """Characters added to the access token, which then opens nothing."""


@dataclass
class _Code:
    client: str
    redirect_uri: str
    challenge: str
    scope: str
    patient: str
    ends: float


@dataclass
class AuthorizationServer:
    """The server's memory: clients, launches, codes, and every request that came."""

    client_id: str = "timeline-client"
    client_secret: str = ""
    redirect_uris: frozenset[str] = frozenset()
    behaviour: Behaviour = field(default_factory=Behaviour)
    tokens: AccessTokens = field(default_factory=lambda: AccessTokens(secrets.token_bytes(32)))
    url: str = ""
    launches: dict[str, str] = field(default_factory=dict)
    chosen_patient: str = ""
    codes: dict[str, _Code] = field(default_factory=dict)
    issued: list[str] = field(default_factory=list)
    authorize_requests: list[dict[str, str]] = field(default_factory=list)
    token_requests: list[dict[str, str]] = field(default_factory=list)
    fhir_requests: list[str] = field(default_factory=list)

    @property
    def iss(self) -> str:
        """The FHIR server's base."""
        return f"{self.url}{FHIR_PATH}"

    def launch_for(self, patient: str) -> str:
        """The launch parameter with which the EHR opens the app for a patient."""
        handle = secrets.token_urlsafe(16)
        self.launches[handle] = patient
        return handle

    def configuration(self) -> Response:
        """``.well-known/smart-configuration``."""
        if self.behaviour.discovery_status != 200:
            return Response(status=self.behaviour.discovery_status)
        return jsonify(
            {
                "issuer": self.iss,
                "authorization_endpoint": self.behaviour.authorization_endpoint or f"{self.url}/authorize",
                "token_endpoint": self.behaviour.token_endpoint or f"{self.url}/token",
                "grant_types_supported": ["authorization_code"],
                "capabilities": list(self.behaviour.capabilities),
                "code_challenge_methods_supported": list(self.behaviour.pkce),
            }
        )

    def authorize(self) -> Response:
        """The authorisation endpoint; its user grants at once, or denies."""
        asked = request.args.to_dict()
        self.authorize_requests.append(asked)
        # Without a known client and its redirect URI nobody is sent anywhere (RFC 6749 4.1.2.1).
        if asked.get("client_id") != self.client_id or asked.get("redirect_uri") not in self.redirect_uris:
            return Response("unknown client or redirect_uri", 400)
        error = self.behaviour.answer_error or self._fault(asked)
        state = self.behaviour.answer_state if self.behaviour.answer_state is not None else asked.get("state")
        if error:
            text = "<b>ERROR-DESCRIPTION</b>"
            return self._back(asked, {"error": error, "error_description": text, "state": state or ""})
        code = secrets.token_urlsafe(32)
        patient = self.launches.pop(asked["launch"]) if "launch" in asked else self.chosen_patient
        self.codes[code] = _Code(
            asked["client_id"],
            asked["redirect_uri"],
            asked["code_challenge"],
            asked["scope"],
            patient,
            time.monotonic() + self.behaviour.code_seconds,
        )
        return self._back(asked, {"code": code, "state": state or ""})

    def token(self) -> Response:
        """The token endpoint."""
        form = request.form.to_dict()
        self.token_requests.append({**form, "authorization": request.headers.get("Authorization", "")})
        if self.behaviour.token_error is not None:
            status, body_text = self.behaviour.token_error
            return Response(body_text, status, content_type="application/json")
        if not self._is_client(form):
            return _oauth_error("invalid_client", 401)
        if form.get("grant_type") != "authorization_code":
            return _oauth_error("unsupported_grant_type")
        code = self.codes.pop(form.get("code", ""), None)
        if code is None or time.monotonic() >= code.ends or form.get("redirect_uri") != code.redirect_uri:
            return _oauth_error("invalid_grant")
        verifier = form.get("code_verifier", "")
        if not _VERIFIER.fullmatch(verifier) or s256(verifier) != code.challenge:
            return _oauth_error("invalid_grant")
        granted = code.scope if self.behaviour.grants is None else self.behaviour.grants
        token = self.tokens.issue(code.patient) + "A" * self.behaviour.token_padding
        self.issued.append(token)
        body: dict[str, Any] = {
            "access_token": token,
            "token_type": self.behaviour.token_type,
            "expires_in": self.behaviour.expires_in,
            "scope": granted,
        }
        if self.behaviour.names_patient:
            body["patient"] = self.behaviour.patient_form.format(code.patient)
        response = jsonify({key: value for key, value in body.items() if value is not None})
        response.headers["Cache-Control"] = "no-store"
        return response

    def _fault(self, asked: dict[str, str]) -> str:
        scopes = asked.get("scope", "").split()
        if asked.get("response_type") != "code":
            return "unsupported_response_type"
        if asked.get("aud", "").rstrip("/") != self.iss or len(asked.get("state", "")) < 22:
            return "invalid_request"
        challenge = asked.get("code_challenge", "")
        if asked.get("code_challenge_method") != "S256" or not _CHALLENGE.fullmatch(challenge):
            return "invalid_request"
        if not any(scope.startswith("patient/") for scope in scopes):
            return "invalid_scope"
        if any(re.search(r"\.(write|\*|[a-z]*[cud][a-z]*)$", s) for s in scopes if not s.endswith(".read")):
            return "invalid_scope"
        if "launch" in scopes and asked.get("launch") not in self.launches:
            return "invalid_request"
        if "launch" not in scopes and "launch/patient" not in scopes:
            return "invalid_scope"
        return "access_denied" if self.behaviour.denies else ""

    def _is_client(self, form: dict[str, str]) -> bool:
        if not self.client_secret:
            return form.get("client_id") == self.client_id
        expected = base64.b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()
        return request.headers.get("Authorization") == f"Basic {expected}"

    @staticmethod
    def _back(asked: dict[str, str], values: dict[str, str]) -> Response:
        answer = redirect(f"{asked['redirect_uri']}?{urlencode(values)}")
        assert isinstance(answer, Response)
        return answer


def s256(verifier: str) -> str:
    """The challenge of a verifier (RFC 7636 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _oauth_error(error: str, status: int = 400) -> Response:
    response = jsonify({"error": error})
    response.status_code = status
    return response


def authorization_app(server: AuthorizationServer, resources: Iterable[dict[str, Any]]) -> Flask:
    """The WSGI application: SMART endpoints, and a FHIR server that the issued tokens open."""
    app = Flask("ehr", static_folder=None)
    sandbox = Sandbox(Repository(resources), server.tokens, server.iss)
    app.register_blueprint(sandbox_blueprint(sandbox, "2024-06-04"), url_prefix=FHIR_PATH)
    app.add_url_rule(f"{FHIR_PATH}/.well-known/smart-configuration", view_func=server.configuration)
    app.add_url_rule("/authorize", view_func=server.authorize)
    app.add_url_rule("/token", view_func=server.token, methods=["POST"])

    @app.before_request
    def remember() -> None:
        if request.path.startswith(FHIR_PATH) and ".well-known" not in request.path:
            server.fhir_requests.append(request.path)

    return app


@contextmanager
def serving(app: Any, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """A WSGI application on a socket of its own, in a thread; yields its address."""
    server = make_server(host, port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def running_ehr(
    server: AuthorizationServer, resources: Iterable[dict[str, Any]]
) -> Iterator[AuthorizationServer]:
    """The EHR of ``server``, listening while the context lasts."""
    held = list(resources)
    made: list[Flask] = []

    def application(environ: Any, start: Any) -> Any:
        return made[0](environ, start)

    with serving(application) as url:
        server.url = url
        made.append(authorization_app(server, held))
        yield server
