"""The demonstration: the service and a FHIR sandbox on this machine, every patient's hook fired once.

The address of the page comes first: a browser that opens it waits until the server is ready. Then come one
patient's cards in full and a line for each of the others; every card on request.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from rich.console import Console

from cds_service.demo.application import SERVICE_ID, DemoPlace
from cds_service.demo.demo_patients import DemoPatient, load_patients
from cds_service.demo.ehr import call_hook, new_session
from cds_service.demo.hosting import running_demo
from cds_service.demo.report import Outcome, closing_table, story_text

_A_DAY = 24 * 3600
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_WIDTH_OF_A_FILE = 140
EXPECTED, DIFFERENT, INTERRUPTED = 0, 1, 130


def run(place: DemoPlace, *, once: bool, every_card: bool = False) -> int:
    """Fire every patient's hook at a place of its own and print the answers; unless ``once``, serve on.

    The cards of one patient are printed in full, with ``every_card`` those of all. Returns 0 where every
    answer was as expected, 1 where one differs, 130 where it was stopped before.

    Raises:
        PortUnusable: when the port cannot be opened.
        NotStarted: when the server does not get ready.
        EhrError: when the server does not answer.
    """
    console = Console(markup=False, highlight=False, soft_wrap=True)
    patients = load_patients(place.today)
    try:
        with (
            _ending_on_signals(),
            running_demo(place, lambda found: console.print(_opening(found))) as running,
        ):
            code = _show(console, running, patients, every_card=every_card)
            if not once:
                _serve_on(console, running)
            return code
    except KeyboardInterrupt:
        return INTERRUPTED


def fire_all(place: DemoPlace, patients: tuple[DemoPatient, ...]) -> Iterator[Outcome]:
    """Fire the hook for one patient after the other, each with a token of its own."""
    with new_session() as session:
        for patient in patients:
            token = place.tokens.issue(patient.id)
            reply = call_hook(
                place.url, SERVICE_ID, place.fhir_server, patient.id, token=token, session=session
            )
            yield Outcome(patient, reply)


def _opening(place: DemoPlace) -> str:
    return f"Demo EHR: {place.url}/demo/  (ready in a few seconds; start page: {place.url}/)\n"


def _show(console: Console, place: DemoPlace, patients: tuple[DemoPatient, ...], *, every_card: bool) -> int:
    outcomes: list[Outcome] = []
    for outcome in fire_all(place, patients):
        if every_card or not outcomes:
            console.print(story_text(outcome))
        outcomes.append(outcome)
    console.print(closing_table(outcomes, console.width if console.is_terminal else _WIDTH_OF_A_FILE))
    if not every_card:
        console.print("\nThe cards of every patient: on the page above, or with --all (make demo ALL=1).")
    return DIFFERENT if any(outcome.differences for outcome in outcomes) else EXPECTED


def _addresses(place: DemoPlace) -> str:
    token = place.tokens.issue(lifetime_seconds=_A_DAY)
    return "\n".join(
        [
            "",
            f"Demo EHR     {place.url}/demo/",
            f"Start page   {place.url}/",
            f"Discovery    {place.url}/cds-services",
            f"FHIR sandbox {place.fhir_server}/metadata",
            "",
            "To look at the charts, or to fire a hook yourself, use this token (valid for one day):",
            f"  {token}",
            f"  relapse-cds call --service {place.url} --fhir-server {place.fhir_server} "
            "--patient early-marrow --token TOKEN",
            "",
            "Serving until Ctrl-C.",
        ]
    )


def _serve_on(console: Console, place: DemoPlace) -> None:
    """Until Ctrl-C or a signal that means the same."""
    try:
        console.print(_addresses(place))
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        return


@contextmanager
def _ending_on_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP end the demonstration as Ctrl-C does, so that its server ends with it.

    SIGINT is named as well: a shell starts background jobs with that signal ignored.
    """

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in _ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
