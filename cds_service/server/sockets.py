"""The socket on which calls arrive, opened before anything else is, so that a busy port is told at once."""

from __future__ import annotations

import errno
import socket

_HIGHEST_PORT = 65_535


class PortUnusable(Exception):
    """Another program listens there, or this one may not. The message says where, why and what to do."""


def listen_on(host: str, port: int, remedy: str = "choose another with --port or --host") -> socket.socket:
    """A listening socket; port 0 means any free one. Raises PortUnusable."""
    if not 0 <= port <= _HIGHEST_PORT:
        raise PortUnusable(f"--port: {port} is no port; choose one from 1 to {_HIGHEST_PORT}")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except (OSError, UnicodeError) as fault:
        if not isinstance(fault, OSError) or (fault.errno or 0) < 0 or fault.errno == errno.EADDRNOTAVAIL:
            # Numbers below zero are those of name resolution.
            raise PortUnusable(
                f"--host: {host} is no address of this machine; write one, such as 127.0.0.1"
            ) from None
        # create_server adds the address to the reason, which stands in the message already.
        reason = (fault.strerror or "not available").partition(" (while")[0].lower()
        raise PortUnusable(f"port {port} on {host} cannot be used: {reason}; {remedy}") from None
