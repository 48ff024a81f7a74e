"""What ends a command early, and its exit code."""

from __future__ import annotations

FAILED = 1
"""The answer was an error, or a check failed."""

UNUSABLE = 2
"""The input, the configuration or the command line cannot be used."""


class Unusable(Exception):
    """The input cannot be used. The message is one line: what, where, what to do."""
