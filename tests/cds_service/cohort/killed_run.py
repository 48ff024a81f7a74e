"""A run that kills itself at a step: ``python -m tests.cds_service.cohort.killed_run EXPORT OUT AT STEP``.

A step is a part of the work, or the moment before a file that is written takes its name.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import ExitStack
from pathlib import Path
from pkgutil import resolve_name
from typing import Any
from unittest.mock import patch

from cds_service.cli import main

_STEPS = ("local.look", "local.collect", "local.assess_bucket", "running.write_rows", "running.write_json")


class _Killing:
    """Ends the process at its ``last`` step, as a power cut would."""

    def __init__(self, last: int) -> None:
        self._left = last

    def step(self, work: Any) -> Any:
        def watched(*arguments: Any, **named: Any) -> Any:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return work(*arguments, **named)

        return watched


if __name__ == "__main__":
    export, out, at, last = sys.argv[1:]
    killing = _Killing(int(last))
    with ExitStack() as stack:
        for step in _STEPS:
            name = f"cds_service.cohort.{step}"
            stack.enter_context(patch(name, killing.step(resolve_name(name))))
        stack.enter_context(patch.object(Path, "replace", killing.step(Path.replace)))
        # Every shard is a part of the work that is done once.
        stack.enter_context(patch("cds_service.cohort.running.SHARD_BYTES", 16 * 1024 * 1024))
        raise SystemExit(main(["cohort", export, "--at", at, "--out", out, "--workers", "1", "--resume"]))
