"""Reads through a faulty server many times and counts silent misses and overruns; both must be 0.

    python -m benchmarks.fault_matrix --runs 10000 --seed 2026 --seconds 0.4

Run it from the repository's root. The exit code is 1 when a miss or an overrun was found.
"""

from __future__ import annotations

import argparse
import sys
import time

from tests.faults.fault_matrix import Outcome, run_matrix
from tests.faults.fault_modes import MODES

CHUNK = 250


def main() -> int:
    """Run the matrix in parts, and print what was found after each."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--seconds", type=float, default=0.4, help="deadline of each reading")
    chosen = parser.parse_args()
    whole, start = Outcome(), time.monotonic()
    for part in range(0, chosen.runs, CHUNK):
        found = run_matrix(min(CHUNK, chosen.runs - part), chosen.seed + part, chosen.seconds)
        whole.runs += found.runs
        whole.reasons += found.reasons
        whole.silent += found.silent
        whole.overruns += found.overruns
        print(
            f"{whole.runs} runs, {len(whole.silent)} silent misses, {len(whole.overruns)} overruns",
            flush=True,
        )
    print(f"{len(MODES)} modes, {time.monotonic() - start:.0f} s")
    for reason, count in whole.reasons.most_common():
        print(f"  {count:7} needs: {reason}")
    for line in whole.silent + whole.overruns:
        print(line)
    return 1 if whole.silent or whole.overruns else 0


if __name__ == "__main__":
    sys.exit(main())
