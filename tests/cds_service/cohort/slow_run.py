"""A run that takes its time, to be killed: ``python -m tests.cds_service.cohort.slow_run EXPORT OUT AT``."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from pkgutil import resolve_name
from typing import Any
from unittest.mock import patch

from cds_service.cli import main

_STEPS = ("local.look", "local.collect", "local.assess_bucket", "running.write_rows")


def _slowly(work: Any) -> Any:
    def wait(*arguments: Any, **named: Any) -> Any:
        time.sleep(0.15)
        return work(*arguments, **named)

    return wait


if __name__ == "__main__":
    export, out, at = sys.argv[1:]
    with ExitStack() as stack:
        for step in _STEPS:
            name = f"cds_service.cohort.{step}"
            stack.enter_context(patch(name, _slowly(resolve_name(name))))
        # Every shard is a part of the work that is done once.
        stack.enter_context(patch("cds_service.cohort.running.SHARD_BYTES", 4 * 1024 * 1024))
        raise SystemExit(main(["cohort", export, "--at", at, "--out", out, "--workers", "1", "--resume"]))
