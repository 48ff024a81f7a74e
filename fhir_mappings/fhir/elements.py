"""The FHIR R4 elements the rules need, as one typed superset of all resource types.

One structure for every resource type lets a whole Bundle be decoded in a single typed pass:
fields that are not listed are skipped without building anything, and a resource type never seen
before still decodes. ``Raw`` marks elements whose shape differs between resource types, and those that
are decoded when they are asked for (``late_elements``, ``rare_elements``); empty = absent.
The garbage collector need not look at them (``gc=False``): what was read from JSON cannot hold a cycle.
"""

from __future__ import annotations

from decimal import Decimal

from msgspec import Raw, Struct


class Coding(Struct, rename="camel", gc=False):
    """FHIR Coding."""

    system: str | None = None
    code: str | None = None
    display: str | None = None
    extension: Raw = Raw()


class CodeableConcept(Struct, rename="camel", gc=False):
    """FHIR CodeableConcept."""

    coding: list[Coding] | None = None
    text: str | None = None


class Quantity(Struct, rename="camel", gc=False):
    """FHIR Quantity; the number is exact."""

    value: Decimal | None = None
    comparator: str | None = None
    unit: str | None = None
    system: str | None = None
    code: str | None = None


class Range(Struct, rename="camel", gc=False):
    """FHIR Range."""

    low: Quantity | None = None
    high: Quantity | None = None


class Ratio(Struct, rename="camel", gc=False):
    """FHIR Ratio."""

    numerator: Quantity | None = None
    denominator: Quantity | None = None


class Period(Struct, rename="camel", gc=False):
    """FHIR Period."""

    start: str | None = None
    end: str | None = None


class Identifier(Struct, rename="camel", gc=False):
    """FHIR Identifier, as far as needed to see that a reference is logical only."""

    system: str | None = None
    value: str | None = None


class Reference(Struct, rename="camel", gc=False):
    """FHIR Reference."""

    reference: str | None = None
    type: str | None = None
    display: str | None = None
    identifier: Identifier | None = None


class Annotation(Struct, rename="camel", gc=False):
    """FHIR Annotation text."""

    text: str | None = None


class Extension(Struct, rename="camel", gc=False):
    """FHIR Extension with the few value types the rules read."""

    url: str | None = None
    value_codeable_concept: CodeableConcept | None = None
    value_coding: Coding | None = None
    value_code: str | None = None


class Component(Struct, rename="camel", gc=False):
    """Observation.component."""

    code: CodeableConcept | None = None
    value_quantity: Quantity | None = None
    value_codeable_concept: CodeableConcept | None = None
    value_string: str | None = None
    value_integer: int | None = None
    value_boolean: bool | None = None
    value_range: Range | None = None
    value_ratio: Ratio | None = None


class Attachment(Struct, rename="camel", gc=False):
    """FHIR Attachment, as far as it is text or names where its text lies."""

    content_type: str | None = None
    data: str | None = None
    url: str | None = None
    title: str | None = None


class DocumentContent(Struct, rename="camel", gc=False):
    """DocumentReference.content."""

    attachment: Attachment | None = None


class Narrative(Struct, rename="camel", gc=False):
    """FHIR Narrative."""

    div: str | None = None


class Dosage(Struct, rename="camel", gc=False):
    """Route of a medication."""

    route: CodeableConcept | None = None


class Meta(Struct, rename="camel", gc=False):
    """FHIR Meta."""

    version_id: str | None = None
    last_updated: str | None = None


class Repeat(Struct, rename="camel", gc=False):
    """Timing.repeat."""

    bounds_period: Period | None = None


class Timing(Struct, rename="camel", gc=False):
    """FHIR Timing, as far as it names when something was."""

    event: list[str] | None = None
    repeat: Repeat | None = None


class EpisodeDiagnosis(Struct, rename="camel", gc=False):
    """EpisodeOfCare.diagnosis."""

    condition: Reference | None = None


class Collection(Struct, rename="camel", gc=False):
    """Specimen.collection."""

    collected_date_time: str | None = None
    collected_period: Period | None = None
    body_site: CodeableConcept | None = None


class Link(Struct, rename="camel", gc=False):
    """Bundle.link and Patient.link."""

    relation: str | None = None
    url: str | None = None
    other: Reference | None = None
    type: str | None = None


class Issue(Struct, rename="camel", gc=False):
    """OperationOutcome.issue."""

    severity: str | None = None
    code: str | None = None
    details: CodeableConcept | None = None
    diagnostics: str | None = None


class Search(Struct, rename="camel", gc=False):
    """Bundle.entry.search."""

    mode: str | None = None


class EntryRequest(Struct, rename="camel", gc=False):
    """Bundle.entry.request: what a history says was done."""

    method: str | None = None
    url: str | None = None


class EntryResponse(Struct, rename="camel", gc=False):
    """Bundle.entry.response."""

    last_modified: str | None = None


class Entry(Struct, rename="camel", gc=False):
    """Bundle.entry."""

    full_url: str | None = None
    resource: Resource | None = None
    search: Search | None = None
    request: EntryRequest | None = None
    response: EntryResponse | None = None


class Resource(Struct, rename="camel", kw_only=True, gc=False):
    """Any R4 resource, Bundle and OperationOutcome included."""

    resource_type: str | None = None
    id: str | None = None
    meta: Raw = Raw()
    status: str | None = None
    modifier_extension: Raw = Raw()
    extension: Raw = Raw()
    contained: list[Resource] | None = None
    subject: Reference | list[Reference] | None = None
    patient: Reference | None = None
    individual: Reference | None = None
    code: Raw = Raw()
    # Condition
    clinical_status: Raw = Raw()
    verification_status: Raw = Raw()
    onset_date_time: str | None = None
    onset_period: Period | None = None
    recorded_date: str | None = None
    abatement_date_time: str | None = None
    abatement_period: Period | None = None
    body_site: CodeableConcept | list[CodeableConcept] | None = None
    # Observation
    effective_date_time: str | None = None
    effective_period: Period | None = None
    effective_instant: str | None = None
    effective_timing: Timing | None = None
    issued: str | None = None
    value_quantity: Raw = Raw()
    value_codeable_concept: CodeableConcept | None = None
    value_string: str | None = None
    value_integer: int | None = None
    value_boolean: bool | None = None
    value_range: Range | None = None
    value_ratio: Ratio | None = None
    interpretation: Raw = Raw()
    component: list[Component] | None = None
    has_member: list[Reference] | None = None
    specimen: Reference | list[Reference] | None = None
    method: CodeableConcept | None = None
    note: Raw = Raw()
    focus: list[Reference] | Reference | None = None
    data_absent_reason: Raw = Raw()
    # DiagnosticReport, DocumentReference, Binary
    conclusion: str | None = None
    conclusion_code: Raw = Raw()
    presented_form: Raw = Raw()
    result: Raw = Raw()
    category: Raw = Raw()
    content: Raw = Raw()
    content_type: Raw = Raw()
    data: Raw = Raw()
    date: Raw = Raw()
    text: Raw = Raw()
    # Specimen
    type: CodeableConcept | list[CodeableConcept] | str | None = None
    collection: Collection | None = None
    # Procedure
    performed_date_time: str | None = None
    performed_period: Period | None = None
    # Medication*
    medication_codeable_concept: Raw = Raw()
    medication_reference: Reference | None = None
    authored_on: str | None = None
    dosage: Dosage | list[Dosage] | None = None
    dosage_instruction: list[Dosage] | None = None
    intent: str | None = None
    do_not_perform: bool | None = None
    # CarePlan, EpisodeOfCare, ResearchSubject
    period: Period | None = None
    addresses: list[Reference] | None = None
    diagnosis: list[EpisodeDiagnosis] | None = None
    study: Reference | None = None
    title: str | None = None
    # Patient
    birth_date: str | None = None
    gender: str | None = None
    deceased_boolean: bool | None = None
    deceased_date_time: str | None = None
    active: bool | None = None
    link: list[Link] | None = None
    # Bundle
    entry: list[Entry] | None = None
    total: Raw = Raw()
    # OperationOutcome
    issue: list[Issue] | None = None
