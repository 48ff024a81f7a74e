"""One cookie for each launch that a browser has begun, and never so many that a server refuses them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

INDEX = "relapse_launches"
"""The cookie that lists the launches of this browser, oldest first; it holds no secret."""

MOST_LAUNCHES = 6
"""Launches that may be open at a time. Six of usual length stay below 8 KB, the least that proxies take."""

_INDEX = re.compile(r"[0-9a-f]{16}(?:\.[0-9a-f]{16}){0,31}")


def launch_cookie(state: str) -> str:
    """The name of a launch's cookie: its own, so that two windows do not disturb each other."""
    return _name(_digest(state))


def begun(cookies: Mapping[str, str], state: str) -> tuple[str, list[str]]:
    """The new value of ``INDEX`` with a launch added, and the names of the oldest cookies, to be dropped."""
    index = cookies.get(INDEX, "")
    known = index.split(".") if _INDEX.fullmatch(index) else []
    launches = [*known, _digest(state)]
    return ".".join(launches[-MOST_LAUNCHES:]), [_name(one) for one in launches[:-MOST_LAUNCHES]]


def _digest(state: str) -> str:
    return hashlib.sha256(state.encode()).hexdigest()[:16]


def _name(digest: str) -> str:
    return f"relapse_launch_{digest}"
