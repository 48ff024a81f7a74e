"""Where the next page may be: at the same server, below the same base, not seen before.

A link of a Bundle is data. It never decides which host is dialled: only its path and query are taken,
after its origin was found equal to the base. Relative forms as found in the field are accepted
(FHIR R4, "Paging"; RFC 3986 section 5).
"""

from __future__ import annotations

import re

from cds_service.http.fhir_base import FhirBase, MalformedUrl, checked_path, parse_base

MOST_PAGES = 20
LONGEST_LINK = 16 * 1024
_PLAIN = re.compile(r"[!-~]+")
_UNSAFE = re.compile(r"[\\#\"<>^`]")
_PATH = re.compile(r"/[A-Za-z0-9._~=+,:$/-]*|")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


class PagingBlocked(Exception):
    """The next link leads elsewhere or cannot be read; the search is incomplete."""


def confined_target(url: str, base: FhirBase, current: str) -> str:
    """Path and query of the next page on ``base``. ``current`` is the target that named the link.

    Raises ``PagingBlocked`` for another origin, a path outside the base, and any odd spelling.
    """
    if not 0 < len(url) <= LONGEST_LINK or not _PLAIN.fullmatch(url) or _UNSAFE.search(url):
        raise PagingBlocked
    address, mark, query = url.partition("?")
    try:
        path = _path(address, base, current.partition("?")[0])
        checked_path(path)
    except MalformedUrl:
        raise PagingBlocked from None
    if not _PATH.fullmatch(path) or not base.contains(path):
        raise PagingBlocked
    return f"{path}{mark}{query}"


def _path(address: str, base: FhirBase, current_path: str) -> str:
    if address.startswith("//"):
        raise PagingBlocked
    if _SCHEME.match(address):
        return _absolute(address, base)
    if not address:
        return current_path
    if address.startswith("/"):
        return address if base.contains(address) else base.path + address
    return f"{base.path}/{address}"


def _absolute(address: str, base: FhirBase) -> str:
    target = parse_base(address)
    if (target.scheme, target.host, target.port) != (base.scheme, base.host, base.port):
        raise PagingBlocked
    return target.path


class Trail:
    """The pages of one search so far: refuses to come back to one, and to go on for ever."""

    def __init__(self, first: str) -> None:
        self._seen = {first}

    def admits(self, target: str) -> bool:
        """Whether ``target`` is new and within the number of pages; remembers it."""
        if target in self._seen or len(self._seen) >= MOST_PAGES:
            return False
        self._seen.add(target)
        return True
