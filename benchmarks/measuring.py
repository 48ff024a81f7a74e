"""CPU time per call, in interleaved rounds, each application in a process of its own.

Of its own, because the service settles the garbage collector of its process and the floor must not profit
or suffer from that. Both are called through the WSGI interface, in the same way, one at a time.
"""

from __future__ import annotations

import multiprocessing
import statistics
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Literal

from benchmarks.calling import call

Kind = Literal["floor", "service"]
BLOCK_SECONDS = 0.05
"""CPU time of one block of calls, so that the clock's steps and a flush of the audit trail do not show."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A ratio to the floor: the median of the rounds, and the middle half of them."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Figure:
        """The figure of some rounds."""
        if len(values) < 4:
            return cls(statistics.median(values), min(values), max(values))
        low, _, high = statistics.quantiles(values, n=4)
        return cls(statistics.median(values), low, high)

    @property
    def text(self) -> str:
        """The median and its spread."""
        return f"{self.median:.2f} ({self.low:.2f} to {self.high:.2f})"


@dataclass(frozen=True, slots=True)
class Compared:
    """The service against the floor on one body, and the floor against itself."""

    ratio: Figure
    control: Figure
    floor_ms: float
    service_ms: float


class Worker:
    """An application in a process of its own that measures itself."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def take(self, body: bytes) -> None:
        """Hands over the body of the next measurements and warms up."""
        self._ask(("take", body))

    def cpu(self, calls: int) -> float:
        """Seconds of CPU time per call."""
        return self._ask(("cpu", calls))

    def extra_memory(self) -> float:
        """The most bytes that one call needs beyond the body."""
        return self._ask(("memory", None))

    def _ask(self, order: tuple[str, object]) -> float:
        self._pipe.send(order)
        return float(self._pipe.recv())


@contextmanager
def workers(*kinds: Kind) -> Iterator[list[Worker]]:
    """Processes of those kinds; they end with the context."""
    with ExitStack() as stack:
        yield [stack.enter_context(_worker(kind)) for kind in kinds]


def compare(
    floor: Worker,
    other_floor: Worker,
    service: Worker,
    body: bytes,
    rounds: int,
    block: float = BLOCK_SECONDS,
) -> Compared:
    """The figures of one body, the order of the three changing from round to round."""
    everybody = {"floor": floor, "control": other_floor, "service": service}
    calls = {}
    for name, worker in everybody.items():
        worker.take(body)
        calls[name] = max(1, round(block / max(worker.cpu(1), 1e-6)))
    found: dict[str, list[float]] = {name: [] for name in everybody}
    order = list(everybody)
    for _ in range(rounds):
        order = [*order[1:], order[0]]
        for name in order:
            found[name].append(everybody[name].cpu(calls[name]))
    floors = found["floor"]
    return Compared(
        ratio=Figure.of([ours / base for ours, base in zip(found["service"], floors, strict=True)]),
        control=Figure.of([other / base for other, base in zip(found["control"], floors, strict=True)]),
        floor_ms=statistics.median(floors) * 1000,
        service_ms=statistics.median(found["service"]) * 1000,
    )


@contextmanager
def _worker(kind: Kind) -> Iterator[Worker]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(kind, theirs), daemon=True)
    process.start()
    # With the other end in its hands alone, a worker that dies is noticed instead of waited for.
    theirs.close()
    try:
        yield Worker(ours)
        ours.send(("stop", None))
    finally:
        process.join(10)
        if process.is_alive():
            process.kill()


def _work(kind: Kind, pipe: Connection) -> None:
    with _application(kind) as (app_call, settle):
        body = b""
        while True:
            order, value = pipe.recv()
            if order == "stop":
                return
            if order == "take":
                body = value
                for _ in range(2):
                    app_call(body)
                pipe.send(0.0)
            elif order == "cpu":
                start = time.process_time()
                for _ in range(value):
                    app_call(body)
                settle()
                pipe.send((time.process_time() - start) / value)
            else:
                pipe.send(_extra_memory(app_call, body))


def _extra_memory(app_call: Callable[[bytes], bytes], body: bytes) -> float:
    tracemalloc.start()
    try:
        app_call(body)
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        app_call(body)
        return float(tracemalloc.get_traced_memory()[1] - before)
    finally:
        tracemalloc.stop()


@contextmanager
def _application(kind: Kind) -> Iterator[tuple[Callable[[bytes], bytes], Callable[[], None]]]:
    """How to call an application, and how to make it finish what it put off."""
    if kind == "floor":
        from benchmarks.floor import floor_app

        floor = floor_app()
        yield lambda body: call(floor, body), lambda: None
        return
    from benchmarks.service import service_app
    from cds_service.app_state import parts_of

    app = service_app()
    yield lambda body: call(app, body), parts_of(app).recorder.flush
    parts_of(app).close()
