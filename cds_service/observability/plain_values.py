"""What may leave in a log line or a span: numbers and short plain words."""

from __future__ import annotations

import re

_WORD = re.compile(r"[A-Za-z0-9._:/<>+-]{0,128}")


def plain(value: object) -> bool | int | float | str | None:
    """The value, or of anything that is no number and no short plain word only its type, as ``<str>``."""
    if isinstance(value, bool | int) or value is None:
        return value
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, str) and _WORD.fullmatch(value):
        return value
    return f"<{type(value).__name__}>"
