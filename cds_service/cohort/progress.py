"""How far a run is: a bar with rate and time left on a terminal, nothing elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from cds_service.cohort.local import Progress as Told

_WORDS = {"look": "first look", "collect": "charts", "join": "drugs", "rows": "assessing"}


@contextmanager
def shown() -> Iterator[Told]:
    """What a run tells its progress to."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description:10}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        known: dict[str, TaskID] = {}

        def tell(stage: str, done: int, whole: int) -> None:
            if stage not in known:
                known[stage] = bars.add_task(_WORDS.get(stage, stage), total=whole or 1)
            bars.update(known[stage], completed=done if whole else 1, total=whole or 1)

        yield tell


@contextmanager
def waiting(what: str) -> Iterator[Callable[[str], None]]:
    """A line that says what is waited for; what is told stands beside it."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _text: None
        return
    with console.status(what) as status:
        yield lambda text: status.update(f"{what}: {escape(text)}" if text else what)
