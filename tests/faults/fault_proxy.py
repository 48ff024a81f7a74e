"""A server that stands before a true one and spoils some of its answers."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable

from tests.faults.fault_modes import MODES, Scene
from tests.faults.wire import Asked, LoopbackServer, Respond


class FaultProxy(LoopbackServer):
    """``mode`` is applied to the requests that ``strikes`` picks by their number; others pass."""

    def __init__(
        self,
        respond: Respond,
        mode: str,
        strikes: Callable[[int], bool] = lambda _: True,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._mode = MODES[mode]
        self._strikes = strikes
        super().__init__(respond, tls)

    def converse(self, connection: socket.socket, asked: Asked) -> bool:
        true = self.respond(asked)
        if not self._strikes(len(self.asked) - 1):
            connection.sendall(true.bytes())
            return True
        return self._mode(Scene(connection, asked, true, self.stopped))
