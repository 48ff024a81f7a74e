"""The moment by which a reading must be over."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deadline:
    """An instant of the monotonic clock, with the time that was given at the start.

    ``ends`` is in seconds of ``time.monotonic``; ``budget`` is the whole time given, in seconds.
    """

    ends: float
    budget: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """The deadline that lies ``seconds`` ahead."""
        return cls(time.monotonic() + seconds, seconds)

    def remaining(self) -> float:
        """Seconds left; 0 when the time is over."""
        return max(0.0, self.ends - time.monotonic())

    @property
    def expired(self) -> bool:
        """True when no time is left."""
        return self.remaining() <= 0.0

    def share_left(self) -> float:
        """The part of the budget that is left, from 0 to 1."""
        return self.remaining() / self.budget if self.budget > 0 else 0.0
