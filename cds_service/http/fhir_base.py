"""Which FHIR server is meant: base URLs as compared values, never as prefixes of text.

Two spellings are the same server when scheme, host, port and base path are equal after letter case of
scheme and host, an explicit default port and one trailing slash have been levelled. Anything that
parsers are known to read differently is refused before it is parsed (RFC 3986; WHATWG URL).
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

DEFAULT_PORTS = {"http": 80, "https": 443}
_LONGEST = 2048
_URL = re.compile(
    r"(?P<scheme>[A-Za-z]{4,5})://"
    r"(?P<host>[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])"
    r"(?::(?P<port>[1-9][0-9]{0,4}))?"
    r"(?P<path>(?:/[A-Za-z0-9._~=+,:$-]*)*)"
)
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


class MalformedUrl(ValueError):
    """The text is not a URL that every parser reads alike."""


@dataclass(frozen=True, slots=True)
class FhirBase:
    """The base URL of a FHIR server in canonical form; ``path`` has no trailing slash."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """Scheme, host and port as a URL begins with them; the default port is left out."""
        port = "" if self.port == DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{self.host}{port}"

    @property
    def url(self) -> str:
        """The base URL without a trailing slash."""
        return self.authority + self.path

    def contains(self, path: str) -> bool:
        """True when an absolute path lies at or below the base path."""
        return path == self.path or path.startswith(self.path + "/")


def parse_base(text: str) -> FhirBase:
    """Read a base URL. Raises ``MalformedUrl`` for every odd character, segment, host or port."""
    found = _URL.fullmatch(text) if len(text) <= _LONGEST else None
    scheme = found["scheme"].lower() if found else ""
    if found is None or scheme not in DEFAULT_PORTS:
        raise MalformedUrl("not an absolute http(s) URL of plain characters")
    port = int(found["port"] or DEFAULT_PORTS[scheme])
    if port > 65535:
        raise MalformedUrl("the port is above 65535")
    return FhirBase(scheme, _host(found["host"].lower()), port, checked_path(found["path"]))


def checked_path(path: str) -> str:
    """The path without one trailing slash. Raises ``MalformedUrl`` for empty or dot segments."""
    trimmed = path.removesuffix("/")
    if trimmed and any(segment in ("", ".", "..") for segment in trimmed[1:].split("/")):
        raise MalformedUrl("the path has an empty or a dot segment")
    return trimmed


def _host(host: str) -> str:
    if host.startswith("["):
        return _ipv6(host[1:-1])
    labels = host.split(".")
    if re.fullmatch(r"[0-9]+|0x[0-9a-f]*", labels[-1]):
        return _ipv4(host)
    if not all(_LABEL.fullmatch(label) for label in labels):
        raise MalformedUrl("the host is not a plain DNS name")
    return host


def _ipv4(host: str) -> str:
    try:
        return str(ipaddress.IPv4Address(host))
    except ValueError:
        raise MalformedUrl("the host is a number that is no dotted IPv4 address") from None


def _ipv6(host: str) -> str:
    try:
        return f"[{ipaddress.IPv6Address(host)}]"
    except ValueError:
        raise MalformedUrl("the host is no IPv6 address") from None
