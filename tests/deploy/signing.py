"""Signs requests to the service as an EHR does: a fresh token for each, for the endpoint that is called."""

from __future__ import annotations

import time

from requests import PreparedRequest
from requests.auth import AuthBase

from tests.cds_service.auth.forge import Key, claims, compact, header


class Signed(AuthBase):
    """Adds a token to requests below ``base``; others are sent as they are. ``audience`` is the public
    address of the service, which need not be the one that is dialled."""

    def __init__(self, key: Key, iss: str, base: str, audience: str) -> None:
        self._key, self._iss, self._base, self._audience = key, iss, base, audience

    def token(self, path: str) -> str:
        """A token for one path of the service, once."""
        now = int(time.time())
        body = claims(iss=self._iss, aud=self._audience + path, iat=now - 5, exp=now + 295)
        return compact(header(self._key), body, self._key)

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        url = request.url or ""
        if url.startswith(self._base):
            path = url[len(self._base) :].partition("?")[0]
            request.headers["Authorization"] = f"Bearer {self.token(path)}"
        return request
