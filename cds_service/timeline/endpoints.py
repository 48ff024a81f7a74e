"""What an EHR's SMART configuration says, and whether its endpoints may be used.

(SMART App Launch 2.2, "Conformance": ``{iss}/.well-known/smart-configuration``.)
"""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass
from functools import cached_property
from threading import BoundedSemaphore, Lock
from urllib.parse import urlsplit

import msgspec

from cds_service.fhir_client import Deadline
from cds_service.fhir_client.connections import client_tls
from cds_service.fhir_client.transport import Failed, Reply, Request, Transport
from cds_service.http.fhir_base import FhirBase, MalformedUrl, parse_base
from cds_service.settings.model import Settings, Tenant
from cds_service.timeline.problem import LaunchRefused
from fhir_mappings.assess import has_repeated_member

_MOST_BYTES = 256 * 1024
_QUERY = re.compile(r"[A-Za-z0-9._~=&%+-]{1,1024}")


class _Configuration(msgspec.Struct):
    authorization_endpoint: str = ""
    token_endpoint: str = ""
    code_challenge_methods_supported: list[str] = []
    capabilities: list[str] = []


@dataclass(frozen=True, slots=True)
class SmartEndpoints:
    """Where a user signs in and where a code is exchanged. ``version_1``: only the older scope syntax."""

    authorization: str
    token: str
    version_1: bool


class SmartServers:
    """The FHIR servers' configurations and token endpoints, reached through the guarded transport only."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = Lock()
        # Anybody may begin a launch: those that wait for an EHR hold a quarter of the threads at most.
        self._launches = BoundedSemaphore(max(1, settings.threads // 4))
        self._transports: dict[tuple[str, str], Transport] = {}

    def discover(self, tenant: Tenant, server: FhirBase, deadline: Deadline) -> SmartEndpoints:
        """The endpoints of an allow-listed server. Raises LaunchRefused."""
        request = Request(f"{server.path}/.well-known/smart-configuration", about="smart-configuration")
        if not self._launches.acquire(blocking=False):
            raise LaunchRefused("too-many-launches")
        try:
            reply = self._transport(tenant, server).send(request, "", deadline)
        finally:
            self._launches.release()
        if isinstance(reply, Failed) or reply.status != 200:
            raise LaunchRefused("discovery-failed")
        if has_repeated_member(reply.body):
            raise LaunchRefused("discovery-unusable")
        try:
            found = msgspec.json.decode(reply.body, type=_Configuration)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise LaunchRefused("discovery-failed") from None
        if "S256" not in found.code_challenge_methods_supported:
            raise LaunchRefused("discovery-unusable")
        for endpoint in (found.authorization_endpoint, found.token_endpoint):
            self._check(endpoint, tenant, server)
        version_1 = "permission-v1" in found.capabilities and "permission-v2" not in found.capabilities
        return SmartEndpoints(found.authorization_endpoint, found.token_endpoint, version_1)

    def post(
        self,
        tenant: Tenant,
        server: FhirBase,
        endpoint: str,
        form: bytes,
        authorization: str,
        deadline: Deadline,
    ) -> Reply | Failed:
        """Post a form to a token endpoint that was discovered. Raises LaunchRefused (foreign-endpoint)."""
        base = self._check(endpoint, tenant, server)
        parts = urlsplit(endpoint)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        media_type = "application/x-www-form-urlencoded"
        request = Request(target, "POST", form, media_type, "token", accept="application/json", explains=True)
        return self._transport(tenant, base).send(request, authorization, deadline)

    def _check(self, endpoint: str, tenant: Tenant, server: FhirBase) -> FhirBase:
        """The endpoint's place, if it is the FHIR server's own origin or one of the tenant's list."""
        address, mark, query = endpoint.partition("?")
        try:
            base = parse_base(address)
        except MalformedUrl:
            raise LaunchRefused("discovery-unusable") from None
        if mark and not _QUERY.fullmatch(query):
            raise LaunchRefused("discovery-unusable")
        known = {server.authority, *(parse_base(origin).authority for origin in tenant.smart_origins)}
        plain = base.scheme == "http" and not self._settings.development
        if base.authority not in known or plain:
            raise LaunchRefused("foreign-endpoint")
        return base

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return client_tls(str(self._settings.ca_file or ""))

    def _transport(self, tenant: Tenant, base: FhirBase) -> Transport:
        key = (tenant.id, base.authority)
        with self._lock:
            if key not in self._transports:
                private = tenant.allow_private or self._settings.development
                tls = self._tls if base.scheme == "https" else None
                self._transports[key] = Transport(base, private, tls, _MOST_BYTES, connections=4)
            return self._transports[key]
