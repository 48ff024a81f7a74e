"""The real service over a real socket, with the sandbox and the demonstration patients behind it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime

from cds_service.demo.application import SERVICE_ID, DemoPlace
from cds_service.demo.ehr import HookReply, call_hook
from cds_service.demo.hosting import running_demo


@contextmanager
def live_demo(today: date | None = None) -> Iterator[DemoPlace]:
    """A demonstration on a free port, in a process of its own, stopped at the end of the context."""
    day = today or datetime.now(UTC).date()
    with running_demo(DemoPlace("127.0.0.1", 0, day)) as place:
        yield place


def fire(place: DemoPlace, patient_id: str, *, prefetch: bool = True, token: str | None = None) -> HookReply:
    """Open a patient's chart: the hook with a fresh token for that patient, unless one is given."""
    bearer = token or place.tokens.issue(patient_id)
    return call_hook(place.url, SERVICE_ID, place.fhir_server, patient_id, token=bearer, prefetch=prefetch)
