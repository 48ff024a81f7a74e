"""A patient's name inside the store: an HMAC, under a key of the tenant, of the id in the EHR."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from threading import Lock

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from cds_service.store.engines import Engines
from cds_service.store.faults import reported
from cds_service.store.tables import pseudonym_keys


class Pseudonyms:
    """Pseudonyms of patients. Two tenants' patients with the same id have unlike pseudonyms.

    With a configured secret the tenant's key derives from it, and the database alone tells nothing of
    the ids. Without one, each tenant's key is drawn once and kept in the database.
    """

    def __init__(self, engines: Engines, secret: bytes | None = None) -> None:
        self._engines = engines
        self._secret = secret
        self._keys: dict[str, bytes] = {}
        self._lock = Lock()

    def of(self, tenant: str, patient_id: str) -> str:
        """The pseudonym: 64 hexadecimal digits, the same on every worker and host.

        :raises StoreUnavailable: the tenant's key could not be read.
        """
        return hmac.new(self._key(tenant), patient_id.encode(), hashlib.sha256).hexdigest()

    def _key(self, tenant: str) -> bytes:
        known = self._keys.get(tenant)
        if known is None:
            with self._lock:
                known = self._keys.setdefault(tenant, self._derived_or_drawn(tenant))
        return known

    def _derived_or_drawn(self, tenant: str) -> bytes:
        if self._secret is None:
            return _drawn(self._engines, tenant)
        return hmac.new(self._secret, f"relapse-cds pseudonym {tenant}".encode(), hashlib.sha256).digest()


def _drawn(engines: Engines, tenant: str) -> bytes:
    query = select(pseudonym_keys.c.key).where(pseudonym_keys.c.tenant == tenant)
    with reported("reading a pseudonym key"):
        with engines.reading() as connection:
            known = connection.execute(query).scalar()
        if known is None:
            with engines.writing() as connection:
                dialect = sqlite if engines.is_sqlite else postgresql
                new = {"tenant": tenant, "key": secrets.token_bytes(32)}
                connection.execute(dialect.insert(pseudonym_keys).on_conflict_do_nothing(), new)
                known = connection.execute(query).scalar_one()
    return bytes(known)
