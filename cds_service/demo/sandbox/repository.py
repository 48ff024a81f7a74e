"""The resources of the sandbox, in memory, with versions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock

from cds_service.demo.sandbox.faults import FaultSwitch
from cds_service.demo.sandbox.outcomes import JsonObject


@dataclass(frozen=True, slots=True)
class Stored:
    """One resource as stored: its content with id and meta, version number and time of writing.

    The content is never changed in place; a new version is a new object.
    """

    resource: JsonObject
    version: int
    last_updated: datetime

    @property
    def type(self) -> str:
        """The resource type."""
        return str(self.resource["resourceType"])

    @property
    def id(self) -> str:
        """The logical id."""
        return str(self.resource["id"])

    @property
    def reference(self) -> str:
        """Relative reference, such as ``Patient/x``."""
        return f"{self.type}/{self.id}"

    @property
    def etag(self) -> str:
        """Weak entity tag by version (FHIR R4 http, 3.1.0.3)."""
        return f'W/"{self.version}"'


class Repository:
    """All resources by type and id. Writing several is one step, seen as a whole or not at all."""

    def __init__(
        self, resources: Iterable[JsonObject] = (), *, clock: Callable[[], datetime] | None = None
    ) -> None:
        self.faults = FaultSwitch()
        self._clock = clock or (lambda: datetime.now(UTC))
        self._lock = Lock()
        self._by_type: dict[str, dict[str, Stored]] = {}
        self.write(list(resources))

    def read(self, resource_type: str, resource_id: str) -> Stored | None:
        """The newest version, or None."""
        with self._lock:
            return self._by_type.get(resource_type, {}).get(resource_id)

    def all_of(self, resource_type: str) -> tuple[Stored, ...]:
        """Every resource of a type, in order of first writing."""
        with self._lock:
            return tuple(self._by_type.get(resource_type, {}).values())

    def write(self, resources: Sequence[JsonObject]) -> tuple[Stored, ...]:
        """Store resources that carry their resourceType and id; an id already taken gets a new version."""
        now = self._clock()
        with self._lock:
            return tuple(self._write(resource, now) for resource in resources)

    def restart(self, resources: Sequence[JsonObject]) -> None:
        """Forget everything that was written, and begin again with these resources."""
        now = self._clock()
        with self._lock:
            self._by_type.clear()
            for resource in resources:
                self._write(resource, now)

    def _write(self, resource: JsonObject, now: datetime) -> Stored:
        of_type = self._by_type.setdefault(resource["resourceType"], {})
        before = of_type.get(resource["id"])
        version = before.version + 1 if before else 1
        meta = dict(resource.get("meta") or {})
        meta |= {"versionId": str(version), "lastUpdated": now.isoformat(timespec="milliseconds")}
        stored = Stored({**resource, "meta": meta}, version, now)
        of_type[stored.id] = stored
        return stored


def patient_of(resource: JsonObject) -> str:
    """The id of the patient whose record a resource belongs to, or an empty text."""
    if resource["resourceType"] == "Patient":
        return str(resource["id"])
    for element in ("subject", "patient", "individual"):
        reference = resource.get(element)
        text = reference.get("reference", "") if isinstance(reference, dict) else ""
        if isinstance(text, str) and "Patient/" in text:
            return text.rpartition("Patient/")[2].partition("/")[0]
    return ""
