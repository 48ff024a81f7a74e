"""Faults that the sandbox can show on purpose, so that a viewer sees how the service answers them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from threading import Lock
from typing import Any


@dataclass(frozen=True, slots=True)
class Faults:
    """What goes wrong at the moment; the default is nothing.

    ``down``: every request gets 503. ``slow_seconds``: every answer waits that long first.
    ``drip_seconds``: bodies arrive in pieces with that pause between them. ``wrong_patient``:
    searches answer with the resources of this other patient, as some real servers do when they
    drop a search parameter.
    """

    down: bool = False
    slow_seconds: float = 0.0
    drip_seconds: float = 0.0
    wrong_patient: str = ""


class FaultSwitch:
    """The switch for the faults of one repository. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._faults = Faults()

    @property
    def now(self) -> Faults:
        """The faults in force."""
        return self._faults

    def set(self, **changes: Any) -> Faults:
        """Change the named faults and keep the others. Unknown names raise TypeError."""
        with self._lock:
            self._faults = replace(self._faults, **changes)
            return self._faults

    def clear(self) -> None:
        """Switch every fault off."""
        with self._lock:
            self._faults = Faults()
