"""A set of FHIR resources to facts: attribution first, then one reader per resource type."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from fhir_mappings.clinical.facts import EXPLAINS_BLASTS, DiagnosisKind, Facts, Ignored
from fhir_mappings.clinical.vocabulary import Vocabulary
from fhir_mappings.fhir.attribution import Attribution, ForeignResource, Owner, Subject
from fhir_mappings.fhir.binaries import binaries_by_reference, with_binary
from fhir_mappings.fhir.collected import Collected
from fhir_mappings.fhir.conditions import read_condition
from fhir_mappings.fhir.contained import contained_results, is_void
from fhir_mappings.fhir.courses import read_course, treated_conditions
from fhir_mappings.fhir.decoding import Unreadable
from fhir_mappings.fhir.diagnostic_reports import read_diagnostic_report
from fhir_mappings.fhir.document_references import read_document_reference
from fhir_mappings.fhir.elements import CodeableConcept, Entry, Resource
from fhir_mappings.fhir.lazy_elements import UnreadableElement, concept_of, remains_of
from fhir_mappings.fhir.lazy_rare_elements import version_of
from fhir_mappings.fhir.medications import read_medication
from fhir_mappings.fhir.observations import concepts_of, concepts_of_code, read_observation
from fhir_mappings.fhir.persons import read_person
from fhir_mappings.fhir.procedures import read_procedure
from fhir_mappings.fhir.reported import Reported, completed, read_reported
from fhir_mappings.fhir.research_subjects import read_enrolment
from fhir_mappings.fhir.service_requests import read_referral
from fhir_mappings.fhir.specimens import read_specimen
from fhir_mappings.fhir.versions import newest

_MEDICATIONS = frozenset({"MedicationRequest", "MedicationAdministration", "MedicationStatement"})
# Under names of their own: Python 3.11 looks members of an Enum up slowly, and every resource is asked.
_PATIENT, _FOREIGN = Owner.PATIENT, Owner.FOREIGN
_DECIDING = frozenset({"Condition", "Patient"})
_OPENING = frozenset({DiagnosisKind.ALL, DiagnosisKind.POSSIBLE_ALL, DiagnosisKind.LYMPHOBLASTIC_LYMPHOMA})
"""What opens a chart: ALL, a diagnosis that could be ALL (D-01), lymphoblastic lymphoma (D-19)."""
_SAMPLES = frozenset({"marrow-lymphoblasts", "marrow-blasts", "marrow-malignant", "blood-lymphoblasts"})
_COURSES = frozenset({"CarePlan", "EpisodeOfCare"})
_NEEDS_OF_TYPE = {
    "Condition": ("conditions",),
    "Observation": ("marrow", "blood", "csf"),
    "Procedure": ("procedures",),
    "MedicationRequest": ("medications",),
    "MedicationAdministration": ("administrations",),
    "Patient": ("patient",),
    "Specimen": ("specimens",),
    "CarePlan": ("careplans",),
    "ResearchSubject": ("studies",),
    "ServiceRequest": ("referrals",),
    "DiagnosticReport": ("reports",),
    "DocumentReference": ("documents",),
    "": ("conditions", "marrow", "blood", "csf"),
}


class ChartReader:
    """Reads one set of resources of one patient, each once. Not shared between threads."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        subject: Subject,
        entries: Sequence[Entry],
        unreadable: Iterable[Unreadable] = (),
    ) -> None:
        self._vocabulary = vocabulary
        self._deciding: list[Entry] = []
        self._others: list[Entry] = []
        self._medicines: list[Entry] = []
        self._binaries: list[Entry] = []
        self._sort(entries)
        self._attribution = Attribution(subject, self._deciding)
        self._collected = Collected()
        self._note_unreadable(unreadable)
        self._drugs: dict[str, CodeableConcept] | None = None
        self._courses: list[tuple[Resource, str]] = []
        self._condition_refs: dict[str, str] = {}
        self._reported: list[Reported] = []
        self._result_refs: dict[str, str] = {}
        self._samples_by_code: dict[bytes, bool] = {}

    def first_look(self) -> Facts:
        """What says whether there is leukaemia in the chart, and whether the patient lives.

        ``read`` goes on from here. Raises ForeignResource.
        """
        self._read(self._deciding)
        return self._collected.facts()

    def samples(self) -> Facts | None:
        """The facts so far with the marrow and blood lymphoblasts of the entries not read yet (D-02).

        None where there are none, or where a diagnosis explains them. Raises ForeignResource.
        """
        if any(found.kind in EXPLAINS_BLASTS for found in self._collected.diagnoses):
            return None
        results = list(self._sample_entries())
        if not results:
            return None
        beside = [entry for entry in self._others if _kind_of(entry) in ("Specimen", "DiagnosticReport")]
        self._others = []
        self._read(list({id(entry): entry for entry in (*results, *beside)}.values()))
        return self._completed_facts()

    def _sample_entries(self) -> Iterator[Entry]:
        """The entries with a result of marrow or blood lymphoblasts; every result is asked."""
        known = self._samples_by_code
        for entry in self._others:
            resource = entry.resource
            if resource is None:
                continue
            if resource.resource_type == "Observation":
                named = known.get(bytes(resource.code))
                if named is None or resource.component is not None:
                    named = self._holds_sample(resource)
                if named:
                    yield entry
            elif resource.contained and resource.resource_type == "DiagnosticReport":
                yield entry

    def _holds_sample(self, resource: Resource) -> bool:
        vocabulary, code = self._vocabulary, bytes(resource.code)
        if code not in self._samples_by_code:
            self._samples_by_code[code] = _names_sample(resource, vocabulary, self._collected)
        parts = [concepts_of_code(part.code, vocabulary) for part in resource.component or ()]
        return self._samples_by_code[code] or any(
            concept.id in _SAMPLES for pairs in parts for _code, concept in pairs
        )

    def read(self) -> Facts:
        """The facts of all entries. Raises ForeignResource."""
        self._read(self._deciding)
        self._read(self._others)
        for resource, ref in self._courses:
            self._read_course(resource, ref)
        return self._completed_facts()

    def _completed_facts(self) -> Facts:
        """The facts with what reports and binaries say of others."""
        self._attach()
        if self._reported:
            results = self._collected.results
            results[:] = completed(results, self._reported, self._result_refs)
        return self._collected.facts()

    def _sort(self, entries: Iterable[Entry]) -> None:
        """Puts every entry where it is looked for, so that a large chart is not gone through again."""
        for entry in newest(list(entries), version_of):
            kind = entry.resource.resource_type if entry.resource is not None else None
            (self._deciding if kind in _DECIDING else self._others).append(entry)
            if kind == "Medication":
                self._medicines.append(entry)
            elif kind == "Binary":
                self._binaries.append(entry)

    def _read(self, entries: list[Entry]) -> None:
        """Reads the entries and takes them out, so that none is read twice."""
        for entry in entries:
            if entry.resource is not None:
                self._read_entry(entry, entry.resource)
        entries.clear()

    def _read_entry(self, entry: Entry, resource: Resource) -> None:
        kind = resource.resource_type
        if kind is None or kind == "OperationOutcome":
            return
        if kind == "Bundle":
            for inner in resource.entry or ():
                if inner.resource is not None:
                    self._read_entry(inner, inner.resource)
            return
        owner = self._attribution.owner(resource)
        if (
            owner is _PATIENT
            and self._attribution.stands_elsewhere(entry.full_url)
            and _is_relative(resource)
        ):
            owner = _FOREIGN
        if owner is _FOREIGN and kind not in ("Specimen", "Group"):
            raise ForeignResource(kind)
        ref = f"{kind}/{resource.id}" if resource.id else f"{kind}/{entry.full_url or ''}"
        try:
            if owner is _PATIENT or (kind == "Specimen" and owner is _FOREIGN):
                self._read_owned(kind, resource, entry, ref, owner)
                if resource.contained and not is_void(resource):
                    self._read_contained(resource, entry, ref)
            else:
                self._note_unattributable(kind, resource, ref)
        except UnreadableElement:
            self._note_unreadable([remains_of(resource)])

    def _read_owned(self, kind: str, resource: Resource, entry: Entry, ref: str, owner: Owner) -> None:
        vocabulary, into = self._vocabulary, self._collected
        if kind == "Observation":
            if entry.full_url and entry.full_url.startswith("urn:"):
                self._result_refs[entry.full_url] = ref
            read_observation(resource, ref, vocabulary, into)
        elif kind == "Condition":
            if entry.full_url:
                self._condition_refs[entry.full_url] = ref
            read_condition(resource, ref, vocabulary, into)
        elif kind in _MEDICATIONS:
            read_medication(resource, ref, vocabulary, self._drug_table(resource), into)
        elif kind == "Procedure":
            read_procedure(resource, ref, vocabulary, into)
        elif kind == "Patient":
            read_person(resource, ref, into)
        elif kind in _COURSES:
            self._courses.append((resource, ref))
        elif kind == "Specimen":
            read_specimen(resource, ref, vocabulary, owner is _FOREIGN, into)
        elif kind == "ResearchSubject":
            read_enrolment(resource, ref, into)
        elif kind == "DiagnosticReport":
            reported = read_reported(resource, ref)
            if reported is not None and not is_void(resource):
                self._reported.append(reported)
            read_diagnostic_report(resource, ref, vocabulary, into)
        elif kind == "DocumentReference":
            read_document_reference(resource, ref, vocabulary, into)
        elif kind == "ServiceRequest":
            read_referral(resource, ref, vocabulary, into)

    def _read_contained(self, container: Resource, entry: Entry, ref: str) -> None:
        """Results and specimens that stand within a resource of the patient (D-10)."""
        for part, inner in contained_results(container, ref):
            owner = self._attribution.owner(part)
            kind = part.resource_type or ""
            if owner is _FOREIGN and kind != "Specimen":
                raise ForeignResource(kind)
            try:
                self._read_owned(kind, part, entry, inner, owner)
            except UnreadableElement:
                self._note_unreadable([remains_of(part)])

    def _attach(self) -> None:
        """Puts what a Binary holds into the report that names it; a Binary is nobody's until one does."""
        if self._binaries:
            held = binaries_by_reference(self._binaries)
            self._collected.reports[:] = [with_binary(one, held) for one in self._collected.reports]

    def _drug_table(self, resource: Resource) -> Mapping[str, CodeableConcept]:
        if self._drugs is None:
            self._drugs = {}
            for entry in self._medicines:
                drug = entry.resource
                code = self._drug(drug) if drug is not None else None
                if drug is not None and code is not None:
                    self._drugs[f"Medication/{drug.id}"] = code
                    if entry.full_url:
                        self._drugs[entry.full_url] = code
        if not resource.contained:
            return self._drugs
        inner = {f"#{part.id}": code for part in resource.contained if part.id and (code := self._drug(part))}
        return {**self._drugs, **inner}

    def _drug(self, medication: Resource) -> CodeableConcept | None:
        """The code of a Medication. One that cannot be understood leaves the medicines incompletely known."""
        try:
            return concept_of(medication.code)
        except UnreadableElement:
            self._note_unreadable([remains_of(medication)])
            return None

    def _read_course(self, resource: Resource, ref: str) -> None:
        """A course is kept with the Conditions it names; which of them are ALL is known after merging."""
        named = [self._condition_refs.get(text, _relative(text)) for text in treated_conditions(resource)]
        read_course(resource, ref, tuple(named), self._collected)

    def _note_unattributable(self, kind: str, resource: Resource, ref: str) -> None:
        """A resource of nobody is not used; where the rules would have read it, its need is not complete."""
        if kind not in _NEEDS_OF_TYPE or kind == "Patient":
            return
        probe = Collected()
        if kind == "Observation":
            read_observation(resource, ref, self._vocabulary, probe)
        elif kind == "Condition":
            read_condition(resource, ref, self._vocabulary, probe)
        elif kind == "Procedure":
            read_procedure(resource, ref, self._vocabulary, probe)
        concepts = [fact.concept for fact in probe.results]
        concepts.extend(fact.kind.value for fact in probe.diagnoses)
        concepts.extend(fact.kind for fact in probe.procedures)
        if not concepts:
            return
        self._collected.ignored.extend(
            Ignored(ref, "unattributable", concept, version_of(resource)) for concept in concepts
        )
        known = self._vocabulary.result_concepts
        self._collected.unreadable.update(
            known[concept].need if concept in known else _NEEDS_OF_TYPE[kind][0] for concept in concepts
        )

    def _note_unreadable(self, unreadable: Iterable[Unreadable]) -> None:
        """Needs are not completely known where resources were not understood.

        A resource whose code could be read counts only when the code matters to the rules.
        """
        for item in unreadable:
            touched = _touched(item, self._vocabulary)
            if touched:
                ref = f"{item.resource_type}/{item.id}" if item.resource_type else "resource"
                self._collected.ignored.append(Ignored(ref, "unreadable"))
                self._collected.unreadable.update(touched)


def _kind_of(entry: Entry) -> str:
    return (entry.resource.resource_type or "") if entry.resource is not None else ""


def _names_sample(resource: Resource, vocabulary: Vocabulary, into: Collected) -> bool:
    try:
        return any(concept.id in _SAMPLES for _code, concept in concepts_of(resource, vocabulary, into))
    except UnreadableElement:
        return False


def _touched(item: Unreadable, vocabulary: Vocabulary) -> tuple[str, ...]:
    if item.resource_type == "Medication":
        # It has no owner of its own; orders and administrations name it.
        return ("medications", "administrations")
    if item.resource_type not in _NEEDS_OF_TYPE:
        return ()
    if item.resource_type == "Observation" and item.codes:
        found = set()
        for text in item.codes:
            system, _, code = text.rpartition("|")
            concept = vocabulary.results.find(system, code)
            if concept is not None:
                found.add(concept.need)
        return tuple(found)
    return _NEEDS_OF_TYPE[item.resource_type]


def has_disease(facts: Facts) -> bool:
    """Whether any Condition states ALL, or leaves it possible: without one there is nothing more to fetch."""
    return any(diagnosis.kind in _OPENING for diagnosis in facts.diagnoses)


def is_opened(facts: Facts) -> bool:
    """Whether the Conditions read so far state ALL, or could not be understood: then the rest is needed."""
    return has_disease(facts) or "conditions" in facts.unreadable


def _is_relative(resource: Resource) -> bool:
    """Whether the patient is named relative to the place where the resource stands."""
    named = resource.subject or resource.patient or resource.individual
    if isinstance(named, list):
        named = named[0] if named else None
    return named is not None and ":" not in (named.reference or ":")


def _relative(reference: str) -> str:
    parts = reference.split("/_history/", 1)[0].rsplit("/", 2)
    return "/".join(parts[-2:])
