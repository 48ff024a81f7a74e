"""Many randomised readings through faults, each compared with the faultless answer.

A *silent miss* is a need that claims to be known and differs from what the faultless server says. An
*overrun* is a reading that took longer than its deadline, an allowance, and what the machine was late by. The
faults last until the client has gone, so a reading without a deadline overruns every allowance.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from fhir_mappings.assessment import Availability
from tests.faults.fault_modes import MODES
from tests.faults.fault_proxy import FaultProxy
from tests.faults.little_fhir import BASE, NEEDS, LittleFhir
from tests.faults.readings import reader_of, reading
from tests.faults.wire import LoopbackServer

Answers = dict[str, tuple[str, ...]]
ON_A_QUIET_MACHINE = 0.1
ON_A_BUSY_MACHINE = 10.0
"""Seconds allowed beyond the deadline. A machine that does other work lends a thread its core when it can."""


@dataclass
class Outcome:
    """What a number of runs showed."""

    runs: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    silent: list[str] = field(default_factory=list)
    overruns: list[str] = field(default_factory=list)


class MachineLag:
    """How late this machine wakes a sleeping thread, at the worst, while a block runs (seconds)."""

    def __enter__(self) -> MachineLag:
        self.worst = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.is_set():
            start = time.monotonic()
            self._over.wait(0.01)
            self.worst = max(self.worst, time.monotonic() - start - 0.01)


def faultless(respond: LittleFhir) -> Answers:
    """The ids of every need as the undisturbed server gives them."""
    with LoopbackServer(respond) as server, reading(server.url + BASE) as opened:
        fetched = opened.fetch(NEEDS, "p1")
    assert all(need.state.availability is not Availability.UNKNOWN for need in fetched.values())
    return {
        key: tuple(sorted(entry.resource.id or "" for entry in need.entries if entry.resource))
        for key, need in fetched.items()
    }


def strikes(rng: random.Random) -> Callable[[int], bool]:
    """Which requests of a run are struck: all, one of them, the later ones, or some by chance."""
    kind = rng.choice(["all", "one", "later", "some"])
    number, chance = rng.randrange(8), rng.uniform(0.2, 0.8)
    hits = [rng.random() < chance for _ in range(64)]
    return {
        "all": lambda _: True,
        "one": lambda index: index == number,
        "later": lambda index: index >= number,
        "some": lambda index: hits[index % 64],
    }[kind]


def run_matrix(runs: int, seed: int, seconds: float, allowed: float = ON_A_BUSY_MACHINE) -> Outcome:
    """That many readings, each through one mode at random requests."""
    rng = random.Random(seed)
    respond = LittleFhir(page_size=rng.choice([2, 3, 5]))
    truth, outcome = faultless(respond), Outcome()
    for run in range(runs):
        mode = rng.choice(list(MODES))
        name = f"run {run} seed {seed} {mode}"
        took = _one_run(name, mode, strikes(rng), respond, truth, seconds, outcome)
        if took > seconds + allowed:
            outcome.overruns.append(f"{name}: {took:.3f} s")
    return outcome


def _one_run(
    name: str,
    mode: str,
    struck: Callable[[int], bool],
    respond: LittleFhir,
    truth: Answers,
    seconds: float,
    outcome: Outcome,
) -> float:
    """Notes what a reading said, and returns how long it took without what the machine was late by."""
    reader = reader_of(max_body_bytes=1_000_000)
    with FaultProxy(respond, mode, struck) as proxy, MachineLag() as lag:
        start = time.monotonic()
        with reading(proxy.url + BASE, seconds, reader=reader) as opened:
            fetched = opened.fetch(NEEDS, "p1")
        took = time.monotonic() - start
    reader.close()
    outcome.runs += 1
    for key, need in fetched.items():
        outcome.reasons[need.state.reason or "known"] += 1
        got = tuple(sorted(entry.resource.id or "" for entry in need.entries if entry.resource))
        if need.state.availability is not Availability.UNKNOWN and got != truth[key]:
            outcome.silent.append(f"{name}: {key} {got}")
    return took - lag.worst
