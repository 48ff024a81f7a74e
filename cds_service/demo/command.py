"""``relapse-cds demo``: the service and a FHIR sandbox on this machine, every patient's hook fired once.

Exit codes: 0 all answers were as expected, 1 an answer differs from the patient's file or the server
did not start, 2 the port cannot be used or an argument is wrong, 130 stopped before all were shown.
"""

from __future__ import annotations

import signal
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from types import FrameType

from rich.console import Console

from cds_service.demo.application import SERVICE_ID, DemoPlace
from cds_service.demo.cohort import DemoPatient, load_patients
from cds_service.demo.ehr import EhrError, call_hook, new_session
from cds_service.demo.hosting import NotStarted, PortBusy, running_demo
from cds_service.demo.report import Outcome, closing_table, story_text

_A_DAY = 24 * 3600
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
EXPECTED, DIFFERENT, UNUSABLE, INTERRUPTED = 0, 1, 2, 130


def run(args: Namespace) -> int:
    """Run the demonstration with ``host``, ``port``, ``once`` and ``today`` (ISO date or None)."""
    console = Console(markup=False, highlight=False, soft_wrap=True)
    problems = Console(stderr=True, markup=False, highlight=False, soft_wrap=True)
    try:
        today = date.fromisoformat(args.today) if args.today else datetime.now(UTC).date()
    except ValueError:
        problems.print("--today needs a date such as 2026-01-31.")
        return UNUSABLE
    patients = load_patients(today)
    try:
        with _ending_on_signals(), running_demo(DemoPlace(args.host, args.port, today)) as place:
            return _show(console, place, patients, once=args.once)
    except KeyboardInterrupt:
        return INTERRUPTED
    except (NotStarted, EhrError) as fault:
        problems.print(str(fault))
        return UNUSABLE if isinstance(fault, PortBusy) else DIFFERENT


def fire_all(place: DemoPlace, patients: tuple[DemoPatient, ...]) -> Iterator[Outcome]:
    """Fire the hook for one patient after the other, each with a token of its own."""
    with new_session() as session:
        for patient in patients:
            token = place.tokens.issue(patient.id)
            reply = call_hook(
                place.url, SERVICE_ID, place.fhir_server, patient.id, token=token, session=session
            )
            yield Outcome(patient, reply)


def _show(console: Console, place: DemoPlace, patients: tuple[DemoPatient, ...], *, once: bool) -> int:
    outcomes = []
    for outcome in fire_all(place, patients):
        console.print(story_text(outcome))
        outcomes.append(outcome)
    console.print(closing_table(outcomes))
    code = DIFFERENT if any(outcome.differences for outcome in outcomes) else EXPECTED
    if not once:
        _serve_on(console, place)
    return code


def _addresses(place: DemoPlace) -> str:
    token = place.tokens.issue(lifetime_seconds=_A_DAY)
    return "\n".join(
        [
            "",
            f"Start page   {place.url}/",
            f"Demo EHR     {place.url}/demo/",
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
