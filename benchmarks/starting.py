"""What a start costs beyond the bare interpreter: CPU time and memory of importing and ``create_app``."""

from __future__ import annotations

import statistics
import subprocess
import sys
from dataclasses import dataclass

_REPORT = (
    "import pathlib, time\n"
    "used = time.process_time()\n"
    "lines = pathlib.Path('/proc/self/status').read_text().splitlines()\n"
    "print(used, next(line.split()[1] for line in lines if line.startswith('VmRSS')))\n"
)
"""Linux only: the memory of a process at its highest, which is portable, counts that of its parent."""
_PROGRAMS = {
    "bare": "",
    "imported": "import cds_service.app\n",
    "created": (
        "from cds_service.app import create_app\n"
        "from cds_service.settings.model import Settings\n"
        "create_app(Settings.embedded())\n"
    ),
}


@dataclass(frozen=True, slots=True)
class Started:
    """CPU seconds and MiB beyond the bare interpreter, after the imports and after ``create_app``."""

    import_seconds: float
    import_mib: float
    create_seconds: float
    create_mib: float


def measure(rounds: int) -> Started:
    """Medians of interleaved starts."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in _PROGRAMS}
    for _ in range(rounds):
        for name, program in _PROGRAMS.items():
            found[name].append(_start(program))
    seconds = {name: statistics.median(one[0] for one in all_) for name, all_ in found.items()}
    mib = {name: statistics.median(one[1] for one in all_) / 1024 for name, all_ in found.items()}
    return Started(
        import_seconds=seconds["imported"] - seconds["bare"],
        import_mib=mib["imported"] - mib["bare"],
        create_seconds=seconds["created"] - seconds["bare"],
        create_mib=mib["created"] - mib["bare"],
    )


def _start(program: str) -> tuple[float, float]:
    done = subprocess.run(
        [sys.executable, "-c", program + _REPORT], capture_output=True, text=True, check=True
    )
    seconds, kib = done.stdout.split()[-2:]
    return float(seconds), float(kib)
