"""Which IP addresses may be dialled.

The table is explicit, because the standard library's ``is_global`` calls several special-purpose
blocks global. Sources: IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890 and updates);
RFC 1918, 3056, 4193, 6052, 6598.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _networks(blocks: Iterable[str]) -> tuple[_Network, ...]:
    return tuple(ipaddress.ip_network(block) for block in blocks)


INSIDE = _networks(
    [
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "::1/128",
        "fc00::/7",
    ]
)
"""Blocks of a hospital's or a host's own network: dialled only where the tenant allows private addresses."""

NEVER = _networks(
    [
        "0.0.0.0/8",
        "169.254.0.0/16",  # link-local, and most metadata services
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::/128",
        "::/96",
        "::ffff:0:0/96",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "2620:4f:8000::/48",
        "3fff::/20",
        "5f00::/16",
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
    ]
)
"""Blocks that no FHIR server has, whatever the tenant says."""


METADATA = _networks(["100.100.100.200/32", "fd00:ec2::254/128"])
"""Metadata services of cloud providers that lie inside the private blocks."""


def may_dial(address: str, allow_private: bool) -> bool:
    """True when the numeric address may be dialled. A scoped or unreadable address may not."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if _within(parsed, METADATA):
        return False
    if _within(parsed, INSIDE):
        return allow_private
    return not _within(parsed, NEVER)


def _within(address: _Address, networks: tuple[_Network, ...]) -> bool:
    return any(address.version == network.version and address in network for network in networks)
