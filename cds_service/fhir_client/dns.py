"""Names to addresses, within a deadline.

The resolver of the system cannot be interrupted. It therefore works in a thread of its own, one per
host at a time: whoever needs the same host meanwhile waits for the same answer, and a resolver that
hangs for one hospital holds one thread and no other hospital.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
from typing import Any

from cds_service.fhir_client.deadline import Deadline

Target = tuple[int, tuple[Any, ...]]
"""Address family and socket address."""


class _Lookup:
    """One question to the resolver, under way or answered."""

    def __init__(self, host: str, port: int) -> None:
        self.place = (host, port)
        self.answered = threading.Event()
        self.targets: list[Target] = []

    def work(self) -> None:
        """Ask, and tell everybody who waits."""
        host, port = self.place
        try:
            found = socket.getaddrinfo(host, port, socket.AF_UNSPEC, socket.SOCK_STREAM)
            self.targets = [(family, tuple(address)) for family, _type, _proto, _name, address in found]
        except (OSError, UnicodeError):
            self.targets = []
        finally:
            with _lock:
                _under_way.pop(self.place, None)
            self.answered.set()


_lock = threading.Lock()
_under_way: dict[tuple[str, int], _Lookup] = {}


def resolve(host: str, port: int, deadline: Deadline) -> list[Target]:
    """The addresses of a host; none where the resolver knows none. Raises ``TimeoutError``."""
    bare = host.strip("[]")
    try:
        literal = ipaddress.ip_address(bare)
    except ValueError:
        return _looked_up(bare, port, deadline)
    if literal.version == 4:
        return [(socket.AF_INET, (bare, port))]
    return [(socket.AF_INET6, (bare, port, 0, 0))]


def _looked_up(host: str, port: int, deadline: Deadline) -> list[Target]:
    with _lock:
        lookup = _under_way.get((host, port))
        if lookup is None:
            lookup = _under_way[(host, port)] = _Lookup(host, port)
            threading.Thread(target=lookup.work, daemon=True, name="fhir-lookup").start()
    if not lookup.answered.wait(deadline.remaining()):
        raise TimeoutError("the resolver did not answer in time")
    return lookup.targets
