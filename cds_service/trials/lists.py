"""The lists as one process holds them: read outside of hook calls, matched inside them without waiting."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

from cds_service.fhir_client.allowed_server import allowed_base
from cds_service.fhir_client.connections import client_tls
from cds_service.fhir_client.deadline import Deadline
from cds_service.fhir_client.problem import RefusedServer
from cds_service.fhir_client.transport import Transport
from cds_service.http.fhir_base import MalformedUrl
from cds_service.observability import log
from cds_service.settings.model import Settings, Tenant, TrialSettings
from cds_service.trials.cache import CachedAnswer, FileTrialCache, MemoryTrialCache, TrialCache
from cds_service.trials.catalogue import DEMO, read_catalogue
from cds_service.trials.clinicaltrials_gov import ClinicalTrialsGov, RegistryUnavailable, Search
from cds_service.trials.fhir_server import ServerUnavailable, read_server_studies
from cds_service.trials.registry import FROM_FILE, fetch, is_due, keep, registry_list
from cds_service.trials.registry_answers import UnknownShape
from cds_service.trials.turns import one_at_a_time
from fhir_mappings.trials import Fault, Home, StudyIndex, StudyList, TrialVocabulary, prepare

LOOK_AGAIN_SECONDS = 900.0
"""How often the background looks whether a file has changed or an answer has become old."""
STOP_SECONDS = 2.0
"""A request under way is not waited for longer than this; its thread ends with the process."""
SERVER_READ_SECONDS = 60.0
SERVER_BODY_BYTES = 16_777_216

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class TrialLists:
    """One consistent view: the lists that were searched, and their studies prepared for matching."""

    lists: tuple[StudyList, ...]
    index: StudyIndex
    home: Home | None


@dataclass(slots=True)
class _Held:
    """What was read last, by source."""

    catalogue: StudyList | None = None
    faults: tuple[Fault, ...] = ()
    changed: float = -1.0
    registry: StudyList | None = None
    fetched_at: datetime | None = None
    servers: dict[str, StudyList] = field(default_factory=dict)


class TrialSources:
    """The configured sources. ``view`` never waits; ``refresh`` is for the background or the command line."""

    def __init__(
        self,
        settings: Settings,
        vocabulary: TrialVocabulary,
        *,
        cache: TrialCache | None = None,
        client: ClinicalTrialsGov | None = None,
        clock: Clock = lambda: datetime.now(UTC),
    ) -> None:
        self._settings = settings
        self._trials: TrialSettings = settings.trials
        self._vocabulary = vocabulary
        self._cache = cache or default_cache(settings.trials)
        self._client = client or ClinicalTrialsGov()
        self._clock = clock
        self._held = _Held()
        self._working = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._views: Mapping[str, TrialLists] = MappingProxyType({})
        self._anybody = TrialLists((), prepare(()), home_of(self._trials))

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Every fault of the catalogue file."""
        return self._held.faults

    def view(self, tenant_id: str = "") -> TrialLists:
        """The lists for one tenant: those of the hospital and the registry, and of its own FHIR server."""
        return self._views.get(tenant_id, self._anybody)

    def load(self) -> None:
        """Read what lies on this machine: the catalogue file and the last answer of the registry."""
        with self._working:
            self._read_catalogue()
            self._read_cache()
            self._publish()

    def refresh(self) -> None:
        """Read everything that is due again, the registry and FHIR servers included."""
        with self._working:
            self._read_catalogue()
            self._read_registry()
            for tenant in self._settings.tenants:
                self._read_server(tenant)
            self._publish()

    def start(self) -> threading.Thread:
        """Load at once, then refresh in the background until ``stop``."""
        self.load()
        self._thread = threading.Thread(target=self._keep_fresh, daemon=True, name="trial-lists")
        self._thread.start()
        return self._thread

    def stop(self) -> None:
        """End the background refresh; what it is doing may take a moment more."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(STOP_SECONDS)

    def _keep_fresh(self) -> None:
        while not self._stopping.is_set():
            try:
                self.refresh()
            except Exception as error:  # the background must go on, whatever one source does
                log.event("trial-lists-failed", logging.ERROR, error=type(error).__name__)
            self._stopping.wait(LOOK_AGAIN_SECONDS)

    def _read_catalogue(self) -> None:
        source = self._trials.catalogue
        if not source:
            return
        changed = 0.0 if source == DEMO else _changed(Path(source))
        if self._held.catalogue is not None and changed == self._held.changed:
            return
        found = read_catalogue(source, self._vocabulary)
        self._held.catalogue, self._held.faults, self._held.changed = found.list, found.faults, changed
        if found.faults:
            log.event("trial-catalogue-faults", logging.WARNING, count=len(found.faults))

    def _read_cache(self) -> CachedAnswer | None:
        answer = self._cache.load()
        if answer is None and not self._trials.clinicaltrials_gov:
            return None
        if answer is not None and not self._uses(answer):
            return None
        fetched_at = answer.fetched_at if answer else None
        if self._held.registry is None or fetched_at != self._held.fetched_at:
            self._held.registry, self._held.fetched_at = registry_list(answer, self._vocabulary), fetched_at
        return answer

    def _uses(self, answer: CachedAnswer) -> bool:
        """An imported file is used as it is; the registry's own answers only while it is switched on."""
        return self._trials.clinicaltrials_gov or answer.origin == FROM_FILE

    def _read_registry(self) -> None:
        if not is_due(self._read_cache(), self._clock()) or not self._trials.clinicaltrials_gov:
            return
        with self._turn() as is_ours:
            if not is_ours or not is_due(self._read_cache(), self._clock()):
                return
            self._ask_registry()

    def _ask_registry(self) -> None:
        at = self._clock()
        try:
            answer = fetch(self._client, search_of(self._trials, self._vocabulary), at)
            self._held.registry = keep(self._cache, answer, self._vocabulary)
            self._held.fetched_at = at
            log.event("trial-list-refreshed", source="registry", count=len(self._held.registry.studies))
        except RegistryUnavailable as error:
            log.event("trial-list-kept", logging.WARNING, source="registry", reason=error.reason)
        except UnknownShape:
            log.event("trial-list-kept", logging.WARNING, source="registry", reason="unknown-shape")
        except OSError:
            log.event("trial-list-kept", logging.WARNING, source="registry", reason="cache-not-writable")

    def _turn(self) -> AbstractContextManager[bool]:
        return one_at_a_time(self._trials.cache_file)

    def _read_server(self, tenant: Tenant) -> None:
        if not tenant.open_fhir or not self._trials.fhir_servers or not tenant.fhir_servers:
            return
        try:
            base = allowed_base(tenant.fhir_servers[0], tenant.fhir_servers, self._settings.development)
            tls = client_tls(str(self._settings.ca_file or ""))
            transport = Transport(base, tenant.allow_private, tls, SERVER_BODY_BYTES, 1)
        except (RefusedServer, MalformedUrl):
            log.event("trial-list-kept", logging.WARNING, source="fhir-server", reason="refused")
            return
        try:
            deadline = Deadline.after(SERVER_READ_SECONDS)
            today = self._clock().date()
            self._held.servers[tenant.id] = read_server_studies(transport, self._vocabulary, deadline, today)
        except ServerUnavailable as error:
            log.event("trial-list-kept", logging.WARNING, source="fhir-server", reason=error.reason)
        finally:
            transport.close()

    def _publish(self) -> None:
        shared = [one for one in (self._held.catalogue, self._held.registry) if one is not None]
        self._anybody = self._prepared(shared)
        self._views = MappingProxyType(
            {tenant: self._prepared([*shared, found]) for tenant, found in self._held.servers.items()}
        )

    def _prepared(self, lists: Sequence[StudyList]) -> TrialLists:
        home = home_of(self._trials)
        return TrialLists(tuple(lists), prepare(lists, home), home)


def home_of(trials: TrialSettings) -> Home | None:
    """Where the hospital stands, if that is configured."""
    if trials.site_latitude is None or trials.site_longitude is None:
        return None
    return Home(trials.site_latitude, trials.site_longitude, float(trials.radius_km))


def search_of(trials: TrialSettings, vocabulary: TrialVocabulary) -> Search:
    """The search of this hospital: everybody's studies near it, so that no patient shapes a request."""
    return Search(
        vocabulary.registry.query, trials.site_latitude, trials.site_longitude, float(trials.radius_km)
    )


def default_cache(trials: TrialSettings) -> TrialCache:
    """The cache file, or the memory of this process where none is configured."""
    return FileTrialCache(trials.cache_file) if trials.cache_file is not None else MemoryTrialCache()


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
