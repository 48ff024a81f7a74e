"""Opens many patients' charts at once and looks for one patient's data in another's answer.

    python -m benchmarks.patient_markers --calls 100000

Run it from the repository's root. The exit code is 1 when an answer was mixed or missing.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.cds_service.patient_markers import ask_all, marked_patients

CHUNK = 5_000


def main() -> int:
    """Call in parts, and print what was found after each."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--patients", type=int, default=40)
    parser.add_argument("--at-once", type=int, default=64)
    chosen = parser.parse_args()
    patients, start = marked_patients(chosen.patients), time.monotonic()
    answered = mixed = unanswered = 0
    while answered + unanswered < chosen.calls:
        calls = min(CHUNK, chosen.calls - answered - unanswered)
        with tempfile.TemporaryDirectory() as folder:
            seen = ask_all(patients, calls, chosen.at_once, Path(folder))
        answered += seen.answered.total()
        unanswered += len(seen.unanswered)
        mixed += len(seen.mixed) + len(seen.wrong_tokens)
        print(
            f"{answered} answers, {mixed} mixed, {unanswered} missing, {time.monotonic() - start:.0f} s",
            flush=True,
        )
        for line in (seen.mixed + seen.unanswered)[:3]:
            print(f"  {line}")
    return 1 if mixed or unanswered else 0


if __name__ == "__main__":
    sys.exit(main())
