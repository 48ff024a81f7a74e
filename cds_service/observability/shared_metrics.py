"""One place for the metrics of all worker processes.

prometheus-client decides when it is imported whether its numbers are shared, by an environment variable. So
``shared_metrics`` stands before everything else that a server imports, whatever the configuration turns out
to be, and ``require_shared`` refuses to serve numbers that nobody would see.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_PREFIX = "relapse-cds-metrics-"
_LIBRARY = "prometheus_client"


class MetricsUnusable(Exception):
    """The directory of the metrics cannot be used. The message says what to do."""


@contextmanager
def shared_metrics() -> Iterator[None]:
    """While it lasts, metrics are written to a directory: the one named from outside, or one of its own.

    Raises:
        MetricsUnusable: when the directory named from outside cannot be written.
    """
    named = os.environ.get(VARIABLE, "")
    if named:
        if not (Path(named).is_dir() and os.access(named, os.W_OK)):
            raise MetricsUnusable(f"{VARIABLE}: name a directory that exists and can be written, or unset it")
        yield
        return
    made = tempfile.mkdtemp(prefix=_PREFIX)
    owner = os.getpid()
    os.environ[VARIABLE] = made
    try:
        yield
    finally:
        # A worker that ends comes by here as well, and its fellows still write.
        if os.getpid() == owner:
            del os.environ[VARIABLE]
            shutil.rmtree(made, ignore_errors=True)


def directory() -> str:
    """Where the workers write their metrics; empty where one process keeps its own."""
    return os.environ.get(VARIABLE, "")


def require_shared() -> None:
    """Raises RuntimeError where prometheus-client was imported too early to share what it counts."""
    if not directory():
        raise RuntimeError("shared_metrics() must be entered before a server is started")
    if _LIBRARY in sys.modules:
        from prometheus_client import values

        if values.ValueClass.__name__ != "MmapedValue":
            raise RuntimeError("prometheus_client was imported before shared_metrics() was entered")
