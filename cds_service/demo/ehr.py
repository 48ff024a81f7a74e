"""Acting as an EHR: discovery, prefetch from a FHIR server, the hook call, the cards.

Used by the demonstration and by ``relapse-cds call``. It follows CDS Hooks 2.0: prefetch templates
are filled from the FHIR server, a query that fails is sent as its OperationOutcome or left out, and
one that finds nothing is sent as the empty Bundle.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import requests

JsonObject = dict[str, Any]

CONNECT_SECONDS = 3.05
READ_SECONDS = 30.0
USER = "Practitioner/demo"
_TOKEN_LIFETIME_SECONDS = 300
_TEMPLATE_TOKEN = re.compile(r"\{\{\s*([A-Za-z0-9_.]+)\s*\}\}")
_SCOPE = "patient/*.read"


class EhrError(Exception):
    """A call that could not be made or answered. The message says where and what to check."""


@dataclass(frozen=True, slots=True)
class HookReply:
    """What a service answered to one hook call.

    ``prefetched`` and ``left_out`` name the prefetch keys that were and were not sent;
    ``milliseconds`` is the time of the hook call alone.
    """

    status: int
    body: JsonObject
    milliseconds: float
    prefetched: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def cards(self) -> tuple[JsonObject, ...]:
        """The cards, in the order of the service; none when the call was refused."""
        cards = self.body.get("cards")
        return tuple(cards) if self.status == 200 and isinstance(cards, list) else ()

    @property
    def assessment(self) -> JsonObject:
        """The explained assessment of the response's extension, empty when there is none."""
        extension = self.body.get("extension")
        found = extension.get("org.relapse-cds.assessment") if isinstance(extension, dict) else None
        return found if isinstance(found, dict) else {}


def call_hook(
    service_base: str,
    service_id: str,
    fhir_server: str,
    patient_id: str,
    *,
    token: str | None = None,
    prefetch: bool = True,
    session: requests.Session | None = None,
) -> HookReply:
    """Fire the hook of a service for one patient, as an EHR does, and return the answer.

    ``service_base`` is the address below which ``/cds-services`` lies, ``fhir_server`` the base of
    a FHIR R4 server; ``token`` opens it for us and is handed on in ``fhirAuthorization``. With
    ``prefetch`` false the service has to fetch for itself.

    Raises:
        EhrError: when discovery or the call does not answer, or not with JSON, or the id is unknown.
    """
    own = session or new_session()
    try:
        service = _discover(own, service_base, service_id)
        context = {"userId": USER, "patientId": patient_id}
        filled = _prefetch(own, service, fhir_server, context, token) if prefetch else {}
        body = _request(service, fhir_server, context, token, filled)
        left_out = tuple(key for key in service.get("prefetch", {}) if key not in filled)
        return _call(
            own, f"{service_base.rstrip('/')}/cds-services/{service_id}", body, tuple(filled), left_out
        )
    finally:
        if session is None:
            own.close()


def new_session() -> requests.Session:
    """A session that takes no proxies or credentials from the environment."""
    session = requests.Session()
    session.trust_env = False
    session.headers["Accept"] = "application/json"
    return session


def _discover(session: requests.Session, service_base: str, service_id: str) -> JsonObject:
    response = _send(session, "GET", f"{service_base.rstrip('/')}/cds-services")
    services = _json(response).get("services") if response.status_code == 200 else None
    if not isinstance(services, list):
        raise EhrError(
            f"Discovery answered {response.status_code} without services. Check the service's address."
        )
    for service in services:
        if isinstance(service, dict) and service.get("id") == service_id:
            return service
    known = ", ".join(str(service.get("id")) for service in services if isinstance(service, dict))
    raise EhrError(f"The service has no '{service_id}'. It offers: {known or 'nothing'}.")


def _prefetch(
    session: requests.Session,
    service: JsonObject,
    fhir_server: str,
    context: Mapping[str, str],
    token: str | None,
) -> JsonObject:
    """The templates filled from the FHIR server; a key that cannot be filled is left out."""
    filled: JsonObject = {}
    for key, template in service.get("prefetch", {}).items():
        query = _fill(template, context)
        found = _read(session, f"{fhir_server.rstrip('/')}/{query}", token) if query else None
        if found is not None:
            filled[key] = found
    return filled


def _fill(template: str, context: Mapping[str, str]) -> str | None:
    """The query of a template, or None when it has a token that this hook's context cannot fill."""
    values = {f"context.{name}": value for name, value in context.items()}
    user_type, _, user_id = context["userId"].partition("/")
    values[f"user{user_type}Id"] = user_id
    if any(name not in values for name in _TEMPLATE_TOKEN.findall(template)):
        return None
    return _TEMPLATE_TOKEN.sub(lambda found: quote(values[found[1]], safe="/"), template)


def _read(session: requests.Session, url: str, token: str | None) -> JsonObject | None:
    """The Bundle or resource at a FHIR address, the OperationOutcome of a refusal, or None."""
    headers = {"Accept": "application/fhir+json", "Cache-Control": "no-cache"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    try:
        response = _send(session, "GET", url, headers=headers)
        body = _json(response)
    except EhrError:
        return None
    kind = body.get("resourceType")
    return body if kind and (response.status_code == 200 or kind == "OperationOutcome") else None


def _request(
    service: JsonObject, fhir_server: str, context: Mapping[str, str], token: str | None, filled: JsonObject
) -> JsonObject:
    body: JsonObject = {
        "hook": service.get("hook", "patient-view"),
        "hookInstance": str(uuid4()),
        "context": dict(context),
        "fhirServer": fhir_server,
    }
    if token:
        body["fhirAuthorization"] = {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": _TOKEN_LIFETIME_SECONDS,
            "scope": _SCOPE,
            "subject": "relapse-cds-demo",
            "patient": context["patientId"],
        }
    return body | ({"prefetch": filled} if filled else {})


def _call(
    session: requests.Session,
    url: str,
    body: JsonObject,
    prefetched: tuple[str, ...],
    left_out: tuple[str, ...],
) -> HookReply:
    started = time.perf_counter()
    response = _send(session, "POST", url, json=body)
    milliseconds = (time.perf_counter() - started) * 1000
    return HookReply(response.status_code, _json(response), milliseconds, prefetched, left_out)


def _send(session: requests.Session, method: str, url: str, **more: Any) -> requests.Response:
    try:
        return session.request(
            method, url, timeout=(CONNECT_SECONDS, READ_SECONDS), allow_redirects=False, **more
        )
    except (requests.RequestException, ValueError, UnicodeError):
        # The text of the exception may hold the address with its query, so it is not passed on.
        raise EhrError(
            f"{_origin(url)} does not answer. Check the address and that the server runs."
        ) from None


def _json(response: requests.Response) -> JsonObject:
    try:
        body = response.json()
    except ValueError:
        raise EhrError(f"{_origin(response.url)} answered {response.status_code} without JSON.") from None
    if not isinstance(body, dict):
        raise EhrError(f"{_origin(response.url)} answered {response.status_code} with JSON of another shape.")
    return body


def _origin(url: str) -> str:
    return "/".join(url.split("/", 3)[:3])
