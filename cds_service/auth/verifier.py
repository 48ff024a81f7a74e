"""Decides who calls: a strict wrapper around PyJWT, which checks the signature and nothing else here."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Protocol

from jwt import PyJWS
from jwt.exceptions import PyJWTError
from prometheus_client import Counter

from cds_service.auth.callers import ANONYMOUS, Caller, CannotVerify, Reason, Refused, printable
from cds_service.auth.claims import (
    LEEWAY_SECONDS,
    check_audience,
    check_header,
    check_jku,
    check_subject,
    check_times,
    check_token_id,
)
from cds_service.auth.compact import Token, bearer, take_apart
from cds_service.auth.fetching import KeyAddress, KeyFile
from cds_service.auth.keys import FITS
from cds_service.auth.trust import USUAL, Freshness, TenantKeys
from cds_service.observability import log, metrics
from cds_service.settings.model import Settings, Tenant
from cds_service.store import StoreUnavailable

REJECTED = Counter("jwt_rejected", "Refused tokens.", ["reason", "tenant"], registry=metrics.REGISTRY)


class FirstUse(Protocol):
    """Remembers tokens; see :class:`cds_service.store.replay.Replay`."""

    def is_first_use(self, iss: str, jti: str, expires_at: datetime, at: datetime) -> bool: ...


class ReplayStore(Protocol):
    """What the verifier needs of the store."""

    @property
    def replay(self) -> FirstUse: ...


class Verifier:
    """Verifies the callers of one service. Thread-safe; its keys refresh themselves after :meth:`start`."""

    def __init__(self, settings: Settings, store: ReplayStore, freshness: Freshness = USUAL) -> None:
        self._settings = settings
        self._store = store
        self._algorithms = tuple(name for name in settings.jwt_algorithms if name in FITS)
        self.keys = trusted_keys(settings, freshness)
        self._tenants = {
            tenant.iss: tenant for tenant in settings.tenants if tenant.iss and tenant.id in self.keys
        }
        self._jws = PyJWS()

    def start(self) -> None:
        """Begins to read the tenants' keys in the background. The first call, or the first question about
        readiness, begins it too, and again after a fork."""
        for keys in self.keys.values():
            keys.start()

    def stop(self) -> None:
        """Ends the background work."""
        for keys in self.keys.values():
            keys.stop()

    def without_keys(self) -> tuple[str, ...]:
        """The tenants nobody of whom can be verified now, for readiness. Asking begins the reading."""
        self.start()
        return tuple(name for name, keys in self.keys.items() if not _has_keys(keys))

    def identify(
        self,
        authorization: str | Sequence[str] | None,
        audience: str,
        at: datetime,
        *,
        discovery: bool = False,
    ) -> Caller:
        """The caller under the settings ``auth`` and, for discovery, ``discovery_auth``.

        Off: nobody is asked. Optional: no header, no caller; but a bad token is refused all the same.

        :raises Refused: answer 401.
        :raises CannotVerify: answer 503.
        """
        if self._settings.auth == "off":
            return ANONYMOUS
        mode = self._settings.discovery_auth if discovery else self._settings.auth
        if mode == "optional" and not authorization:
            return ANONYMOUS
        return self.verify(authorization, audience, at)

    def verify(self, authorization: str | Sequence[str] | None, audience: str, at: datetime) -> Caller:
        """The caller that one token proves, and proves for the first time.

        ``authorization`` holds the value, or all values, of the Authorization header; ``audience`` is the
        configured URL of the endpoint that was called.

        :raises Refused: answer 401. Whatever goes wrong inside counts as refused.
        :raises CannotVerify: answer 503.
        """
        try:
            return self._verified(take_apart(bearer(authorization)), audience, at)
        except Refused as refused:
            _report(refused)
            raise
        except StoreUnavailable:
            log.event("replay-not-checked", logging.ERROR)
            raise CannotVerify("store") from None
        except CannotVerify as fault:
            log.event("no-keys", logging.ERROR, tenant=fault.tenant)
            raise
        except Exception as fault:
            log.crashed(fault)
            unexamined = Refused(Reason.FAULT, "the token could not be examined")
            _report(unexamined)
            raise unexamined from None

    def _verified(self, token: Token, audience: str, at: datetime) -> Caller:
        check_header(token.header, self._algorithms)
        tenant = self._tenant(token.claims)
        check_jku(token.header, tenant)
        self._check_signature(token, tenant)
        check_audience(token.claims, audience, tenant)
        expires = check_times(token.claims, at)
        check_subject(token.claims)
        jti = check_token_id(token.claims)
        forget_at = datetime.fromtimestamp(expires + LEEWAY_SECONDS + 1, UTC)
        if not self._store.replay.is_first_use(tenant.iss, jti, forget_at, at):
            raise Refused(Reason.REPLAYED, "this token was used before; sign one for each call", tenant.id)
        return Caller(tenant, tenant.iss, jti)

    def _tenant(self, claims: Mapping[str, object]) -> Tenant:
        iss = claims.get("iss")
        tenant = self._tenants.get(iss) if isinstance(iss, str) else None
        if tenant is None:
            raise Refused(Reason.ISSUER, f"iss is {printable(iss)}; no tenant has this iss")
        return tenant

    def _check_signature(self, token: Token, tenant: Tenant) -> None:
        trusted = self.keys[tenant.id]
        trusted.start()
        keys = trusted.current()
        kid, algorithm = token.header["kid"], token.header["alg"]
        key = keys.find(kid, algorithm)
        if key is None:
            if not keys.knows(kid):
                trusted.ask_for_refresh()
            explanation = f"no trusted key has kid {printable(kid)} and fits {algorithm}"
            raise Refused(Reason.UNKNOWN_KEY, explanation, tenant.id)
        try:
            self._jws.decode(token.text, key=key.bound[algorithm], algorithms=[algorithm])
        except (PyJWTError, ValueError):
            raise Refused(Reason.SIGNATURE, "the signature does not fit the key", tenant.id) from None


def trusted_keys(settings: Settings, freshness: Freshness = USUAL) -> dict[str, TenantKeys]:
    """The keys of every tenant that signs, by tenant id. A key file is read at once, an address is not."""
    found: dict[str, TenantKeys] = {}
    for tenant in settings.tenants:
        if tenant.jwks_file is not None:
            found[tenant.id] = TenantKeys(tenant.id, KeyFile(tenant.jwks_file), freshness)
            found[tenant.id].refresh()
        elif tenant.jku:
            private = tenant.allow_private or settings.development
            origin = KeyAddress(tenant.jku, http_admitted=settings.development, allow_private=private)
            found[tenant.id] = TenantKeys(tenant.id, origin, freshness)
    return found


def _has_keys(keys: TenantKeys) -> bool:
    try:
        return bool(keys.current().keys)
    except CannotVerify:
        return False


def _report(refused: Refused) -> None:
    REJECTED.labels(refused.reason.value, refused.tenant).inc()
    log.event("token-refused", logging.WARNING, reason=refused.reason.value, tenant=refused.tenant)
