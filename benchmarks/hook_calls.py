"""Calls with prefetch: CPU time against the floor, linearity, and memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.charts import body, other_chart, relapse_chart
from benchmarks.measuring import BLOCK_SECONDS, Compared, Worker, compare, workers
from benchmarks.report import Row

GOALS = {200: 1.0, 2_000: 0.5}
"""The whole rule set against one rule on a tree of dicts."""
WITHOUT_ALL_GOAL = 0.7
LINEAR_GOAL = 1.1
MEMORY_GOAL = 1.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured."""

    sizes: Sequence[int] = (200, 2_000, 5_000)
    rounds: int = 11
    block: float = BLOCK_SECONDS


def measure(plan: Plan) -> list[Row]:
    """All rows of this part."""
    with workers("floor", "floor", "service") as (floor, control, service):
        return list(_rows(plan, floor, control, service))


def _rows(plan: Plan, floor: Worker, control: Worker, service: Worker) -> Iterator[Row]:
    milliseconds: dict[int, float] = {}
    for size in plan.sizes:
        for pretty in (False, True):
            form = "pretty-printed" if pretty else "compact"
            data = body(relapse_chart(size), pretty=pretty)
            found = compare(floor, control, service, data, plan.rounds, plan.block)
            yield _ratio(f"relapse, {size} resources, {form}", found, GOALS.get(size))
            if not pretty:
                milliseconds[size] = found.service_ms
                yield Row(f"control: floor against itself, {size}", found.control.text)
                yield _memory(size, service, floor, data)
    smallest, largest = min(plan.sizes), max(plan.sizes)
    steps = (milliseconds[largest] / largest) / (milliseconds[smallest] / smallest)
    yield Row(f"CPU per resource at {largest} against {smallest}", f"{steps:.2f}", steps, LINEAR_GOAL)
    for size in plan.sizes[:2]:
        found = compare(floor, control, service, body(other_chart(size)), plan.rounds, plan.block)
        yield _ratio(f"chart without ALL, {size} resources", found, WITHOUT_ALL_GOAL)


def _ratio(what: str, found: Compared, goal: float | None) -> Row:
    measured = f"{found.ratio.text}; {found.service_ms:.2f} ms against {found.floor_ms:.2f} ms"
    return Row(what, measured, found.ratio.median, goal)


def _memory(size: int, service: Worker, floor: Worker, data: bytes) -> Row:
    ours, theirs = (worker.extra_memory() / len(data) for worker in (service, floor))
    measured = f"{ours:.2f} x the body; floor {theirs:.2f} x"
    return Row(f"extra memory, {size} resources", measured, ours, MEMORY_GOAL)
