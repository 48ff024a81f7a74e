"""Whose data is this? Every resource that is used belongs to the one patient (invariant 2)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from fhir_mappings.fhir.elements import Entry, Reference, Resource


@dataclass(frozen=True, slots=True)
class Subject:
    """The patient of the call: FHIR id, and the base URLs at which that id is this patient."""

    patient_id: str
    bases: tuple[str, ...] = ()


class ForeignResource(Exception):
    """A resource belongs to another patient; nothing of the set may be used."""

    def __init__(self, resource_type: str) -> None:
        super().__init__(f"a {resource_type} belongs to another patient")
        self.resource_type = resource_type


class Owner(Enum):
    """To whom a resource belongs."""

    PATIENT = "patient"
    NOBODY = "nobody"
    UNATTRIBUTABLE = "unattributable"
    FOREIGN = "foreign"


_PATIENT = Owner.PATIENT
"""Under a name of its own: Python 3.11 looks members of an Enum up slowly, and every resource is asked."""


class Attribution:
    """Decides the owner of resources for one patient.

    Accepted spellings: ``Patient/1``, ``{base}/Patient/1``, either with ``/_history/n``, and the
    ``fullUrl`` of the patient's own entry. The same id at another base is another person. Where no
    base is known, the first absolute base seen is taken for the patient's and any other refused.
    """

    def __init__(self, subject: Subject, entries: Iterable[Entry] = ()) -> None:
        self._id = subject.patient_id
        self._relative = f"Patient/{subject.patient_id}"
        self._accepted = {self._relative}
        self._bases = {base.rstrip("/") for base in subject.bases}
        for base in self._bases:
            self._accepted.add(f"{base}/{self._relative}")
        self._learns_base = not self._bases
        self._own_base = ""
        for entry in entries:
            resource = entry.resource
            if resource is None or resource.resource_type != "Patient" or not entry.full_url:
                continue
            if resource.id != self._id:
                continue
            if entry.full_url.startswith("urn:"):
                self._accepted.add(entry.full_url)
            elif self._learns_base and entry.full_url.endswith(f"/{self._relative}"):
                self._learn(entry.full_url)

    def _learn(self, full_url: str) -> None:
        """Where no base is known, that of the Patient's own entry is the patient's."""
        self._learns_base = False
        self._accepted.add(full_url)
        self._own_base = full_url[: -len(self._relative)]

    def stands_elsewhere(self, full_url: str | None) -> bool:
        """Whether an entry stands at another base than the Patient of the same set of resources.

        Its relative references are then relative to that base (FHIR R4, "Resolving references in Bundles").
        """
        if not self._own_base or not full_url or not full_url.startswith("http"):
            return False
        return not full_url.startswith(self._own_base)

    def owner(self, resource: Resource) -> Owner:
        """To whom ``resource`` belongs, by subject, patient or individual."""
        if resource.resource_type == "Patient":
            return Owner.PATIENT if resource.id == self._id else Owner.FOREIGN
        reference = resource.subject or resource.patient or resource.individual
        if reference is None:
            return Owner.NOBODY
        if isinstance(reference, list):
            return self._worst(reference)
        # Nearly every resource says it in the plainest way.
        return _PATIENT if reference.reference in self._accepted else self._owner_of(reference)

    def _worst(self, references: list[Reference]) -> Owner:
        owners = [self._owner_of(reference) for reference in references]
        for owner in (Owner.FOREIGN, Owner.UNATTRIBUTABLE, Owner.PATIENT):
            if owner in owners:
                return owner
        return Owner.NOBODY

    def _owner_of(self, reference: Reference) -> Owner:
        text = reference.reference
        if not text:
            return Owner.UNATTRIBUTABLE
        if text in self._accepted:
            return Owner.PATIENT
        text = text.split("/_history/", 1)[0]
        if text in self._accepted:
            return Owner.PATIENT
        return self._owner_of_other(text)

    def _owner_of_other(self, text: str) -> Owner:
        if text.startswith("Patient/"):
            return Owner.FOREIGN
        base, separator, _identifier = text.rpartition("/Patient/")
        if not separator:
            # A group, device, location, contained or unresolved reference names no patient.
            return Owner.UNATTRIBUTABLE
        if text == f"{base}/{self._relative}" and self._learns_base:
            self._learns_base = False
            self._accepted.add(text)
            return Owner.PATIENT
        return Owner.FOREIGN
