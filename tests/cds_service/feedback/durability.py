"""kill -9 under feedback load: whatever was acknowledged must be there, once, after every restart."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import requests

from cds_service.settings.model import Settings
from cds_service.store import ShownCard, open_store
from tests.cds_service.running import ROOT, Service, start

AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
CARDS = 20
CLIENTS = 8
PACKAGES = ("cds_service", "fhir_mappings")
PATH = "/cds-services/all-relapse/feedback"

Event = tuple[str, datetime]
"""Card and moment: what makes an event of this load distinct."""


@dataclass
class Outcome:
    """What all rounds together showed."""

    acknowledged: list[list[Event]] = field(default_factory=list)
    """By round."""
    lost: list[int] = field(default_factory=list)
    """By round."""
    twice: int = 0
    wrong: list[int] = field(default_factory=list)
    """Statuses other than 200 and 503."""
    source_changed: bool = False
    """Every round starts the service anew: the counts say nothing of code that changed on the way."""


def run(store_url: str, folder: Path, rounds: int, seconds: float, tell: Callable[[int], None]) -> Outcome:
    """Starts the service, loads it, kills every process of it at once; so many times. Then counts.

    ``seconds`` is how long each round is under load; ``tell`` hears the number of each finished round.
    """
    outcome, source = Outcome(), _source()
    cards = _shown_cards(store_url)
    settings = Settings.embedded(store=store_url, workers=2, threads=4)
    for number in range(1, rounds + 1):
        service = start(settings, AT, folder)
        load = _Load(service, cards)
        load.start()
        time.sleep(seconds)
        service.kill()
        load.stop()
        outcome.acknowledged.append(load.acknowledged)
        outcome.wrong += load.wrong
        tell(number)
    _count(store_url, outcome)
    outcome.source_changed = _source() != source
    return outcome


def _source() -> str:
    """A digest of the code that is started."""
    files = sorted(file for package in PACKAGES for file in (ROOT / package).rglob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def _shown_cards(store_url: str) -> list[str]:
    cards = [str(uuid4()) for _ in range(CARDS)]
    store = open_store(store_url)
    store.evaluations.record(
        ShownCard("none", card, "all-relapse", "allFinding", "1", "d", "e", f"p{number}", AT)
        for number, card in enumerate(cards)
    )
    store.close()
    return cards


def _count(store_url: str, outcome: Outcome) -> None:
    store = open_store(store_url)
    kept: dict[Event, int] = {}
    for event in store.feedback.read():
        key = (event.card, event.outcome_at)
        kept[key] = kept.get(key, 0) + 1
    if store._engines.is_sqlite:
        with store._engines.reading() as connection:
            answer = connection.exec_driver_sql("PRAGMA integrity_check").scalar()
        if answer != "ok":
            raise AssertionError("the database is damaged")
    store.close()
    outcome.lost = [sum(event not in kept for event in events) for events in outcome.acknowledged]
    outcome.twice = sum(count > 1 for count in kept.values())


class _Load:
    """Clients that send batches as fast as they are answered."""

    def __init__(self, service: Service, cards: Sequence[str]) -> None:
        self.acknowledged: list[Event] = []
        self.wrong: list[int] = []
        self._service = service
        self._cards = cards
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._send, daemon=True) for _ in range(CLIENTS)]

    def start(self) -> None:
        """Begins."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ends; afterwards ``acknowledged`` is complete."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def _send(self) -> None:
        with requests.Session() as session:
            session.trust_env = False
            while not self._stopping.is_set():
                events = [self._event() for _ in range(3)]
                try:
                    answer = session.post(self._service.url + PATH, json=_body(events), timeout=120)
                except requests.RequestException:
                    # Not acknowledged: it may be there or not.
                    return
                if answer.status_code == 200:
                    self.acknowledged += events
                elif answer.status_code != 503:
                    self.wrong.append(answer.status_code)

    def _event(self) -> Event:
        number = uuid4().int
        return self._cards[number % CARDS], AT - timedelta(microseconds=number % 10**12)


def _body(events: Sequence[Event]) -> dict[str, object]:
    return {
        "feedback": [
            {"card": card, "outcome": "overridden", "outcomeTimestamp": at.isoformat()} for card, at in events
        ]
    }
