"""A tenant's keys, kept fresh in the background so that no call ever waits for them."""

from __future__ import annotations

import logging
import os
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass

from cds_service.auth.callers import CannotVerify
from cds_service.auth.fetching import NoKeys, Origin
from cds_service.auth.keys import KeySet
from cds_service.observability import log


@dataclass(frozen=True, slots=True)
class Freshness:
    """How often keys are asked for, in seconds.

    ``every``     the usual refresh: a withdrawn key lives at most this long
    ``cooldown``  the least time between two requests, whatever callers send: a new key works after this
    ``max_age``   how long the last good keys serve while every refresh fails
    """

    every: float = 300.0
    cooldown: float = 30.0
    max_age: float = 86_400.0


USUAL = Freshness()


class TenantKeys:
    """The keys of one tenant.

    A refresh that fails changes nothing; one that succeeds replaces every key, so that a withdrawn key
    is gone. ``monotonic`` is a parameter for tests.
    """

    def __init__(
        self,
        tenant: str,
        origin: Origin,
        freshness: Freshness = USUAL,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.tenant = tenant
        self.origin = origin
        self.fault = ""
        """Why the last refresh failed; empty when it did not."""
        self._freshness = freshness
        self._monotonic = monotonic
        self._keys: KeySet | None = None
        self._etag = ""
        self._good_at = 0.0
        self._asked = threading.Event()
        self._stopping = threading.Event()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        reference = weakref.ref(self)
        os.register_at_fork(after_in_child=lambda: _restart(reference))

    def current(self) -> KeySet:
        """The last good keys.

        :raises CannotVerify: none were ever read, or too long ago.
        """
        if self._keys is None or self._monotonic() - self._good_at > self._freshness.max_age:
            raise CannotVerify("keys", self.tenant)
        return self._keys

    @property
    def age(self) -> float | None:
        """Seconds since the keys were last confirmed; None when they never were."""
        return None if self._keys is None else self._monotonic() - self._good_at

    def ask_for_refresh(self) -> None:
        """A token named a key we do not know. The refresh comes when the cooldown allows; nobody waits."""
        self._asked.set()

    def refresh(self) -> bool:
        """Asks the origin once; True when the keys are confirmed or replaced."""
        self._asked.clear()
        try:
            fetched = self.origin.fetch(self._etag)
        except NoKeys as fault:
            self.fault = fault.why
            log.event("keys-not-refreshed", logging.WARNING, tenant=self.tenant, reason=fault.why)
            return False
        if fetched.keys is not None:
            if self._keys is None or fetched.keys.digest != self._keys.digest:
                self._report(fetched.keys)
            self._keys = fetched.keys
        self.fault = ""
        self._etag = fetched.etag
        self._good_at = self._monotonic()
        return True

    def start(self) -> None:
        """Starts the background refresh of this process, once."""
        if self._thread is not None:
            return
        with self._starting:
            self._start_thread()

    def _start_thread(self) -> None:
        if self._thread is None and not self._stopping.is_set():
            self._thread = threading.Thread(target=self._run, daemon=True, name=f"keys-{self.tenant}")
            self._thread.start()

    def stop(self) -> None:
        """Ends the background refresh."""
        self._stopping.set()
        self._asked.set()
        if self._thread is not None:
            self._thread.join(timeout=1.0)

    def _run(self) -> None:
        while not self._stopping.is_set():
            is_good = self.refresh()
            self._stopping.wait(self._freshness.cooldown)
            if is_good:
                self._asked.wait(self._freshness.every - self._freshness.cooldown)

    def _report(self, keys: KeySet) -> None:
        log.event("keys-replaced", tenant=self.tenant, count=len(keys.keys))
        if keys.left_out:
            log.event("keys-left-out", logging.ERROR, tenant=self.tenant, count=len(keys.left_out))


def _restart(reference: weakref.ref[TenantKeys]) -> None:
    """A thread does not survive a fork, and a lock may have been held by one that did not."""
    keys = reference()
    if keys is not None:
        keys._thread = None
        keys._starting = threading.Lock()
        keys._asked = threading.Event()
        keys._stopping = threading.Event()
