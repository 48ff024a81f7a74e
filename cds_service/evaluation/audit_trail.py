"""What the service keeps of a call: shown cards at once and durably, counts and the audit trail soon after.

Cards are stored before they are sent, so that feedback finds them. The trail of the many calls without a
card is written in batches: one disk write for each of them would be most of their cost.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from cds_service.cards.identity import card_uuid, evaluation_key, evidence_key
from cds_service.observability import log
from cds_service.store import AuditEntry, Call, ShownCard, Store, StoreUnavailable
from fhir_mappings.assess import Assessment, Knowledge
from fhir_mappings.trials import says_nothing_new

FLUSH_SECONDS = 2.0
_OWN_KEYS: Mapping[str, str] = MappingProxyType({})
HEAD_EVERY = timedelta(hours=1)
"""How often the newest seal of the audit trail is named in the log."""
MOST_WAITING = 10_000
"""Beyond this many unwritten calls the oldest are dropped; the log says so."""


@dataclass(frozen=True, slots=True)
class Answered:
    """One answered evaluation, as the trail keeps it, also one that was answered 412 for want of data.

    Nothing of it names the patient.
    """

    at: datetime
    tenant: str
    service: str
    instance: str
    issuer: str
    jti: str
    status: str
    incomplete: bool
    rule_version: str
    digest: str
    cards: tuple[str, ...]
    from_server: int
    milliseconds: float
    unshown: tuple[str, ...] = ()
    """The topics of the cards that a silent tenant was not shown."""
    silent: bool = False


class Recorder:
    """Writes what was answered. One per process; its thread starts with the first call."""

    def __init__(self, store: Store, knowledge: Knowledge) -> None:
        self._store = store
        self._suggestions = tuple(
            dict.fromkeys(kind.key for topic in knowledge.card_topics for kind in topic.suggestions)
        )
        self._waiting: list[Answered] = []
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._head_named_at: datetime | None = None
        self._thread: threading.Thread | None = None

    def quiet(self, tenant: str, patient_id: str, at: datetime) -> Callable[[str, str], bool]:
        """Whether a topic's card stays away after feedback. Where the store cannot tell, it is shown."""
        try:
            rules = self._store.quiet.rules(tenant, self._store.pseudonym(tenant, patient_id))
        except StoreUnavailable:
            log.event("quiet-rules-not-read", tenant=tenant)
            rules = {}

        def is_quiet(topic: str, key: str) -> bool:
            rule = rules.get(topic)
            if rule is None or not says_nothing_new(rule.evidence_key, key):
                return False
            return rule.until is None or at < rule.until

        return is_quiet

    def shown(
        self,
        cards: Sequence[Mapping[str, Any]],
        assessment: Assessment,
        tenant: str,
        service: str,
        keys: Mapping[str, str] = _OWN_KEYS,
    ) -> None:
        """Stores the cards that are about to be sent. Raises StoreUnavailable: do not send them.

        ``keys`` are the evidence keys, by topic code, that ``build_cards`` was given.
        """
        if not cards:
            return
        evaluation = evaluation_key(assessment, tenant)
        proposals = {card_uuid(evaluation, "suggestion", key): key for key in self._suggestions}
        patient = self._store.pseudonym(tenant, assessment.patient)
        self._store.evaluations.record(
            ShownCard(
                tenant=tenant,
                card=card["uuid"],
                service=service,
                topic=topic,
                rule_version=assessment.knowledge.version,
                digest=assessment.knowledge.digest,
                evidence_key=keys.get(topic) or evidence_key(topic, assessment),
                patient=patient,
                at=assessment.at,
                suggestions={
                    item["uuid"]: proposals.get(item["uuid"], "") for item in card.get("suggestions", ())
                },
            )
            for card in cards
            for topic in (card["source"]["topic"]["code"],)
        )

    def answered(self, call: Answered) -> None:
        """Notes an answered call; it is written within a few seconds."""
        with self._lock:
            self._waiting.append(call)
            dropped = len(self._waiting) - MOST_WAITING
            if dropped > 0:
                del self._waiting[:dropped]
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
                self._thread.start()
        if dropped > 0:
            log.event("trail-dropped", count=dropped)

    def flush(self) -> None:
        """Writes everything noted so far. What cannot be written now is kept for the next time."""
        with self._lock:
            calls, self._waiting = self._waiting, []
        if not calls:
            return
        try:
            self._store.purge_if_due(calls[-1].at)
            self._store.firings.add(_call(call) for call in calls)
            self._store.audit.append([_entry(call) for call in calls])
            self._name_the_head(calls[-1].at)
        except StoreUnavailable:
            log.event("trail-not-written", count=len(calls))
            with self._lock:
                self._waiting[:0] = calls

    def _name_the_head(self, at: datetime) -> None:
        """Puts the newest seal into the log, which is kept elsewhere: what is cut off later misses it."""
        if self._head_named_at is not None and abs(at - self._head_named_at) < HEAD_EVERY:
            return
        self._head_named_at = at
        number, seal = self._store.audit.head()
        log.event("trail-head", count=number, digest=seal)

    def close(self) -> None:
        """Writes the rest and ends the thread."""
        self._stopping.set()
        thread = self._thread
        if thread is not None and thread.is_alive():
            thread.join()
        self.flush()

    def _run(self) -> None:
        while not self._stopping.wait(FLUSH_SECONDS):
            self.flush()


def _call(call: Answered) -> Call:
    return Call(
        at=call.at,
        tenant=call.tenant,
        service=call.service,
        rule_version=call.rule_version,
        status=call.status,
        incomplete=call.incomplete,
        latency_ms=call.milliseconds,
        cards=len(call.cards),
        unshown=call.unshown,
    )


def _entry(call: Answered) -> AuditEntry:
    fields: dict[str, str | int | float | bool] = {
        "service": call.service,
        "hookInstance": call.instance,
        "iss": call.issuer,
        "jti": call.jti,
        "status": call.status,
        "incomplete": call.incomplete,
        "ruleVersion": call.rule_version,
        "digest": call.digest,
        "cards": " ".join(call.cards),
        "needsFromServer": call.from_server,
    }
    if call.silent:
        fields |= {"silent": True, "unshown": " ".join(call.unshown)}
    return AuditEntry(
        call.at, "evaluation", call.tenant, {key: value for key, value in fields.items() if value != ""}
    )
