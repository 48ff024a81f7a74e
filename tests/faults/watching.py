"""Sees every name that is looked up and every address that is dialled by this process."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_watchers: list[list[str]] = []


def _notice(event: str, arguments: tuple[Any, ...]) -> None:
    if not _watchers:
        return
    if event in ("socket.getaddrinfo", "socket.gethostbyname"):
        line = f"lookup {arguments[0]}"
    elif event == "socket.connect":
        line = f"connect {arguments[1]}"
    else:
        return
    for watcher in _watchers:
        watcher.append(line)


sys.addaudithook(_notice)


@contextmanager
def watched_network() -> Iterator[list[str]]:
    """The lookups and connections that happen inside the block, as lines (PEP 578 audit events)."""
    seen: list[str] = []
    _watchers.append(seen)
    try:
        yield seen
    finally:
        _watchers.remove(seen)
