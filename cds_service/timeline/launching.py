"""From a launch to an authorisation request, and from its answer to access to one chart.

(SMART App Launch 2.2, "App Launch: Launch and Authorization"; RFC 6749 4.1; RFC 7636.)
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from datetime import datetime
from typing import Annotated
from urllib.parse import quote_plus, urlencode

import msgspec
from msgspec import Meta

from cds_service.fhir_client import Deadline, RefusedServer
from cds_service.fhir_client.allowed_server import allowed_base
from cds_service.fhir_client.transport import Failed, Reply
from cds_service.hooks.context import PATIENT_ID
from cds_service.http.fhir_base import FhirBase, parse_base
from cds_service.settings.model import Settings, Tenant
from cds_service.timeline.endpoints import SmartServers
from cds_service.timeline.problem import LaunchRefused, oauth_error
from cds_service.timeline.scopes import covers, wanted_scopes
from cds_service.timeline.sealing import Sealed
from fhir_mappings.assess import Knowledge, has_repeated_member

LAUNCH_SECONDS = 600
"""How long a user may take to sign in."""
REMEMBERED_SECONDS = 12 * 3600
"""How long the browser keeps a launch, so that a late answer is called late and not unknown."""

_CONTACT_SECONDS = 10.0
_LONGEST_SESSION = 3600
_SHORT_SESSION = 300
_LONGEST_LAUNCH = 2048
_Token = Annotated[str, Meta(min_length=1, max_length=16_384, pattern=r"\A[!-~]+\Z")]


class PendingLaunch(Sealed, frozen=True, tag="launch", kw_only=True):
    """What must be remembered between the authorisation request and its answer."""

    state: str
    verifier: str
    tenant: str
    server: str
    token_endpoint: str


class ChartAccess(Sealed, frozen=True, tag="chart", kw_only=True):
    """Access to one patient's chart, bound to the page ``key`` that shows it."""

    key: str
    tenant: str
    server: str
    patient: str
    scope: str
    token: str

    def __repr__(self) -> str:
        return "ChartAccess(hidden)"


class _TokenResponse(msgspec.Struct):
    access_token: _Token
    token_type: str
    scope: str = ""
    patient: str = ""
    expires_in: int | str | None = None


class _TokenError(msgspec.Struct):
    error: str = ""


class Launcher:
    """Carries out launches for the tenants of one configuration."""

    def __init__(self, settings: Settings, knowledge: Knowledge, servers: SmartServers) -> None:
        self._settings = settings
        self._knowledge = knowledge
        self._servers = servers

    @property
    def redirect_uri(self) -> str:
        """Where the EHR sends the user back; registered with the client."""
        return f"{self._settings.public_url}/timeline/callback"

    def begin(self, iss: str, launch: str, at: datetime) -> tuple[PendingLaunch, str]:
        """What to remember, and the address at which the user signs in. Raises LaunchRefused.

        ``launch`` is empty for a standalone launch.
        """
        if not iss:
            raise LaunchRefused("no-server")
        tenant, server = self._server(iss)
        if not tenant.smart_client_id:
            raise LaunchRefused("no-client")
        if len(launch) > _LONGEST_LAUNCH:
            raise LaunchRefused("launch-too-long")
        endpoints = self._servers.discover(tenant, server, Deadline.after(_CONTACT_SECONDS))
        pending = PendingLaunch(
            ends=at.timestamp() + LAUNCH_SECONDS,
            state=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(64),
            tenant=tenant.id,
            server=server.url,
            token_endpoint=endpoints.token,
        )
        asked = {
            "response_type": "code",
            "client_id": tenant.smart_client_id,
            "redirect_uri": self.redirect_uri,
            "scope": wanted_scopes(self._types(tenant), version_1=endpoints.version_1, launched=bool(launch)),
            "state": pending.state,
            "aud": iss,
            "code_challenge": challenge(pending.verifier),
            "code_challenge_method": "S256",
        }
        if launch:
            asked["launch"] = launch
        joint = "&" if "?" in endpoints.authorization else "?"
        return pending, endpoints.authorization + joint + urlencode(asked)

    def complete(self, pending: PendingLaunch, state: str, code: str, at: datetime) -> ChartAccess:
        """Access to the chart for the answer of an authorisation request. Raises LaunchRefused."""
        if not hmac.compare_digest(pending.state.encode(), state.encode()):
            raise LaunchRefused("unknown-launch")
        if pending.is_over(at):
            raise LaunchRefused("launch-expired")
        tenant = self.tenant(pending.tenant)
        found = self._exchange(tenant, parse_base(pending.server), pending, code)
        if found.token_type.lower() != "bearer":
            raise LaunchRefused("token-unusable")
        if not covers(found.scope, self._knowledge.needs):
            raise LaunchRefused("missing-scope")
        patient = _plain_id(found.patient)
        return ChartAccess(
            ends=at.timestamp() + _lifetime(found.expires_in),
            key=secrets.token_urlsafe(16),
            tenant=tenant.id,
            server=pending.server,
            patient=patient,
            scope=found.scope[:1024],
            token=found.access_token,
        )

    def tenant(self, name: str) -> Tenant:
        """The tenant of a sealed value. Raises LaunchRefused when it is no longer configured."""
        found = next((one for one in self._settings.tenants if one.id == name), None)
        if found is None:
            raise LaunchRefused("session-over")
        return found

    def _types(self, tenant: Tenant) -> set[str]:
        return set(tenant.smart_resource_types) or {need.resource_type for need in self._knowledge.needs}

    def _server(self, iss: str) -> tuple[Tenant, FhirBase]:
        for tenant in self._settings.tenants:
            try:
                return tenant, allowed_base(iss, tenant.fhir_servers, self._settings.development)
            except RefusedServer:
                continue
        raise LaunchRefused("unknown-server")

    def _exchange(
        self, tenant: Tenant, server: FhirBase, pending: PendingLaunch, code: str
    ) -> _TokenResponse:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": pending.verifier,
        }
        authorization = _client_secret_basic(tenant)
        if not authorization:
            form["client_id"] = tenant.smart_client_id
        reply = self._servers.post(
            tenant,
            server,
            pending.token_endpoint,
            urlencode(form).encode(),
            authorization,
            Deadline.after(_CONTACT_SECONDS),
        )
        if isinstance(reply, Failed) or reply.status >= 500:
            raise LaunchRefused("token-failed")
        if reply.status != 200:
            raise _token_refusal(reply)
        if has_repeated_member(reply.body):
            raise LaunchRefused("token-unusable")
        try:
            return msgspec.json.decode(reply.body, type=_TokenResponse)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise LaunchRefused("token-unusable") from None


def _token_refusal(reply: Reply) -> LaunchRefused:
    """What a token endpoint's refusal means (RFC 6749 5.2); 401 is only ever said to a client."""
    try:
        named = msgspec.json.decode(reply.body, type=_TokenError).error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        named = ""
    if named == "invalid_grant":
        return LaunchRefused("code-refused")
    if named == "invalid_client" or (reply.status == 401 and oauth_error(named) == "other"):
        return LaunchRefused("client-refused", "invalid_client")
    return LaunchRefused("token-refused", oauth_error(named))


def challenge(verifier: str) -> str:
    """The S256 code challenge (RFC 7636 4.2)."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _client_secret_basic(tenant: Tenant) -> str:
    """The Authorization header of a confidential client (RFC 6749 2.3.1); empty for a public one."""
    if tenant.smart_client_secret is None:
        return ""
    name, secret = tenant.smart_client_id, tenant.smart_client_secret.get_secret_value()
    if not tenant.smart_secret_plain:
        name, secret = quote_plus(name), quote_plus(secret)
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()


def _plain_id(patient: str) -> str:
    """The id of the launch's patient; some servers write it as a reference. Raises LaunchRefused."""
    if not patient:
        raise LaunchRefused("no-patient")
    plain = patient.removeprefix("Patient/")
    if not PATIENT_ID.fullmatch(plain):
        raise LaunchRefused("patient-unusable")
    return plain


def _lifetime(expires_in: int | str | None) -> int:
    """Seconds the session may last; short where the EHR does not say."""
    if isinstance(expires_in, str):
        expires_in = int(expires_in) if expires_in.isascii() and expires_in.isdigit() else None
    if expires_in is None:
        return _SHORT_SESSION
    if expires_in <= 0:
        raise LaunchRefused("token-unusable")
    return min(expires_in, _LONGEST_SESSION)
