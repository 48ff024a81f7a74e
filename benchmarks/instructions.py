"""Instructions of one call, which other work on the machine does not change, as CPU time does.

    python -m benchmarks.instructions --size 200

Needs valgrind. An instruction that waits for memory counts as any other, so that this ratio flatters whoever
touches much memory; it is for comparing one commit with the next.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.calling import call
from benchmarks.charts import body, relapse_chart

CALLS = 10
WARM_UP = 5


def main() -> int:
    """Prints the instructions of the floor and of the service for one chart with a relapse."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--size", type=int, default=200, help="resources in the chart")
    parser.add_argument("--within", choices=("floor", "service"), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.within:
        _call_counted(chosen.within, chosen.size)
    floor, service = (_counted(kind, chosen.size) for kind in ("floor", "service"))
    print(
        f"{chosen.size} resources: {service / 1e6:.1f} M against {floor / 1e6:.1f} M, {service / floor:.2f}"
    )
    return 0


def _counted(kind: str, size: int) -> float:
    """Instructions of one call."""
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder) / "counts"
        valgrind = ["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={found}"]
        program = [sys.executable, "-m", "benchmarks.instructions", "--within", kind, "--size", str(size)]
        environment = {**os.environ, "PYTHONHASHSEED": "0"}
        subprocess.run([*valgrind, *program], env=environment, check=True, capture_output=True)
        lines = Path(f"{found}.1").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("totals:")).split()[1]) / CALLS


def _call_counted(kind: str, size: int) -> None:
    """Runs within valgrind, which counts from ``on`` to ``off``. Ends the process."""
    data = body(relapse_chart(size))
    if kind == "floor":
        from benchmarks.floor import floor_app as make_app
    else:
        from benchmarks.service import service_app as make_app
    app = make_app()
    for _ in range(WARM_UP):
        call(app, data)
    _tell("--instr=on")
    for _ in range(CALLS):
        call(app, data)
    _tell("--instr=off")
    _tell("--dump")
    # Nothing of the end of the process belongs to a call.
    os._exit(0)


def _tell(order: str) -> None:
    subprocess.run(["callgrind_control", order, str(os.getpid())], check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    raise SystemExit(main())
