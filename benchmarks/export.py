"""A Bulk Data export of any size, written as a stream: the same seed gives the same bytes.

    python -m benchmarks.export --patients 100000 --out /tmp/export

One NDJSON file for each type, about 1.1 KB a resource and 100 resources a patient (65 Observation, 12
Condition, 8 Procedure, 15 MedicationRequest), patients in random order. Every 40th patient is one of the
demonstration's charts (``--demo-every``), every 400th has another leukaemia. A third of the orders refer to
a Medication. Nothing grows with the size: order is a permutation that is computed.
"""

from __future__ import annotations

import argparse
import gzip
import math
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import IO, Any, cast

from benchmarks.export_resources import (
    BASE,
    DRUGS,
    PATIENT,
    chart_lines,
    dumped,
    faulty_lines,
    rxnorm,
    templates,
)
from cds_service.demo.demo_patients import load_patients

TODAY = date(2026, 6, 15)
"""The day T of the demonstration's charts."""
PER_PATIENT = {"Observation": 65, "Condition": 12, "Procedure": 8, "MedicationRequest": 15}
REFERENCES = ("relative", "absolute", "versioned", "mixed")
OTHER_LEUKAEMIA_EVERY = 400
_DEMO_TYPES = ("CarePlan", "EpisodeOfCare", "MedicationAdministration", "FamilyMemberHistory", "Specimen")


@dataclass(frozen=True, slots=True)
class Plan:
    """What is written."""

    patients: int
    seed: int = 2026
    demo_every: int = 40
    packed: bool = False
    references: str = "relative"
    faults: bool = False


class Permutation:
    """The numbers below ``size`` in an order that looks random and needs no memory."""

    def __init__(self, size: int, seed: int) -> None:
        rng = random.Random(seed)
        self._size = size
        self._offset = rng.randrange(size)
        self._step = rng.randrange(size // 3 or 1, size) | 1
        while math.gcd(self._step, size) != 1:
            self._step += 1

    def __iter__(self) -> Iterator[int]:
        number = self._offset
        for _ in range(self._size):
            yield number
            number = (number + self._step) % self._size


def write_export(plan: Plan, out: Path) -> int:
    """Writes the export; returns how many resources it holds (planted faults are not counted)."""
    out.mkdir(parents=True, exist_ok=True)
    writer = _Writer(plan, out)
    written = writer.patients() + writer.medications()
    for kind, count in PER_PATIENT.items():
        written += writer.background(kind, count)
    for kind in _DEMO_TYPES:
        written += writer.background(kind, 0)
    if plan.faults:
        writer.plant()
    return written


class _Writer:
    def __init__(self, plan: Plan, out: Path) -> None:
        self._plan, self._out = plan, out
        self._charts = [chart_lines(patient.resources, patient.id) for patient in load_patients(TODAY)]
        self._rng = random.Random(plan.seed)
        self._templates = templates()

    def patients(self) -> int:
        """Patient: one a patient."""
        plan = self._plan
        with self._file("Patient") as write:
            for number in Permutation(plan.patients, plan.seed):
                if self._demo(number) is None:
                    year, month = 1950 + number % 70, 1 + number % 12
                    write(PATIENT % (number, number, b"male" if number % 2 else b"female", year, month))
                else:
                    self._write_demo(write, number, "Patient")
        return plan.patients

    def medications(self) -> int:
        """Medication: what a third of the orders refer to."""
        with self._file("Medication") as write:
            for code, title in DRUGS:
                write(
                    dumped({"resourceType": "Medication", "id": f"med-{code}", "code": rxnorm(code, title)})
                )
        return len(DRUGS)

    def background(self, kind: str, count: int) -> int:
        """All resources of one type; those of a demonstration patient among everybody's."""
        plan, written = self._plan, 0
        with self._file(kind) as write:
            rounds = max(count, 1)
            for turn in range(rounds):
                order = Permutation(plan.patients, plan.seed + 7919 * turn + len(kind))
                for number in order if count else range(0, plan.patients, plan.demo_every):
                    if self._demo(number) is not None:
                        written += self._write_demo(write, number, kind, turn, rounds)
                    elif count:
                        self._write_plain(write, kind, number, turn)
                        written += 1
        if not written:
            self._path(kind).unlink()
        return written

    def plant(self) -> None:
        """Lines that are wrong, each in its own way, in a file of their own and at the ends of others."""
        for kind, lines in faulty_lines().items():
            with self._opened(kind, "ab") as file:
                file.writelines(line + b"\n" for line in lines)
        (self._out / "Observation.999.ndjson.gz").write_bytes(
            gzip.compress(b'{"resourceType":"Obs' * 400)[:-20]
        )

    def _demo(self, number: int) -> list[tuple[str, bytes]] | None:
        every = self._plan.demo_every
        return None if number % every else self._charts[(number // every) % len(self._charts)]

    def _write_demo(
        self, write: Callable[[bytes], Any], number: int, kind: str, turn: int = 0, rounds: int = 1
    ) -> int:
        lines = [line for found, line in self._demo(number) or () if found == kind][turn::rounds]
        for line in lines:
            text = line.replace(b"@PATIENT@", b"p%d" % number)
            write(self._spelled(text, number) + b"\n")
        return len(lines)

    def _write_plain(self, write: Callable[[bytes], Any], kind: str, number: int, turn: int) -> None:
        rng = self._rng
        choices = self._templates[kind]
        other = kind == "Condition" and not turn and number % OTHER_LEUKAEMIA_EVERY == 1
        template = (
            choices[-1] if other else choices[int(rng.random() * (len(choices) - (kind == "Condition")))]
        )
        months = int(rng.random() * 60)
        day = b"%d-%02d-%02d" % (2021 + months // 12, 1 + months % 12, 1 + number % 28)
        line = template % (number, turn, number, day, 1 + int(rng.random() * 99))
        write(self._spelled(line, number))

    def _spelled(self, line: bytes, number: int) -> bytes:
        how = self._plan.references
        if how == "relative":
            return line
        if how == "mixed":
            how = REFERENCES[(number // self._plan.demo_every) % 3]
        old, base = b'"reference":"Patient/', BASE.encode()
        if how == "absolute":
            return line.replace(old, b'"reference":"%b/Patient/' % base)
        if how == "versioned":
            return line.replace(
                b'"reference":"Patient/p%d"' % number, b'"reference":"Patient/p%d/_history/3"' % number
            )
        return line

    def _path(self, kind: str) -> Path:
        return self._out / (f"{kind}.000.ndjson.gz" if self._plan.packed else f"{kind}.000.ndjson")

    def _opened(self, kind: str, mode: str) -> IO[bytes]:
        path = self._path(kind)
        if self._plan.packed:
            return gzip.GzipFile(path, mode, compresslevel=3, mtime=0)  # type: ignore[return-value]
        return cast(IO[bytes], path.open(mode, buffering=1 << 20))

    def _file(self, kind: str) -> _Written:
        return _Written(self._opened(kind, "wb"))


class _Written:
    def __init__(self, file: IO[bytes]) -> None:
        self._stack = ExitStack()
        self._stack.enter_context(file)
        self._file = file

    def __enter__(self) -> Callable[[bytes], Any]:
        return self._file.write

    def __exit__(self, *fault: object) -> None:
        self._stack.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes one export and says how large it is."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.export", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--patients", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument(
        "--demo-every", type=int, default=40, help="every n-th patient is a demo chart; 1: all"
    )
    parser.add_argument("--gzip", action="store_true", help="write .ndjson.gz")
    parser.add_argument("--references", choices=REFERENCES, default="relative")
    parser.add_argument("--faults", action="store_true", help="plant lines that are wrong")
    chosen = parser.parse_args(arguments)
    plan = Plan(
        chosen.patients, chosen.seed, chosen.demo_every, chosen.gzip, chosen.references, chosen.faults
    )
    written = write_export(plan, chosen.out)
    size = sum(file.stat().st_size for file in chosen.out.iterdir())
    print(f"{written:,} resources of {plan.patients:,} patients, {size / 1e6:,.0f} MB, in {chosen.out}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
