"""Values kept in the browser's cookies so that nobody but this service can read or change them.

Sealed with Fernet (AES-128-CBC and HMAC-SHA-256) under a key that all workers share through the store.
"""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Protocol, TypeVar

import msgspec
from cryptography.fernet import Fernet, InvalidToken

_Value = TypeVar("_Value", bound="Sealed")

_OWNER = ":timeline"
"""A name that no tenant can have."""


class Secrets(Protocol):
    """What derives a secret of this installation from a name (the store)."""

    def pseudonym(self, tenant: str, patient_id: str) -> str: ...


class Sealed(msgspec.Struct, frozen=True, tag_field="use", kw_only=True):
    """A value with the moment at which it ends, in seconds since 1970."""

    ends: float

    def is_over(self, at: datetime) -> bool:
        """True when it may not be used any more."""
        return at.timestamp() >= self.ends


class Sealer:
    """Seals and opens values. Raises StoreUnavailable while the key cannot be read."""

    def __init__(self, secrets: Secrets) -> None:
        key = bytes.fromhex(secrets.pseudonym(_OWNER, "cookie key 1"))
        self._fernet = Fernet(base64.urlsafe_b64encode(key))

    def seal(self, value: Sealed) -> str:
        """The value as text for a cookie."""
        return self._fernet.encrypt(msgspec.json.encode(value)).decode()

    def open(self, text: str, kind: type[_Value]) -> _Value | None:
        """The value of a cookie; None where it is not ours, altered, or of another kind."""
        try:
            return msgspec.json.decode(self._fernet.decrypt(text.encode()), type=kind)
        except (InvalidToken, msgspec.DecodeError, UnicodeError):
            return None
