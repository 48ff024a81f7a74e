"""The three steps over many charts, as pure functions: whose chart, which lines, what is said.

They read lines and know neither files nor processes: every engine calls the same three. The first step is
the product's own first look, so that it cannot leave out a chart that a hook call would open; the third is
the product's own assessment. A line that cannot be understood keeps its patient, and is named.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cds_service.cohort.heads import (
    Block,
    Named,
    head_of,
    heads_of,
    is_misread,
    joined_to,
    patients_of,
    resource_key,
)
from cds_service.cohort.rows import Row, refused_row, row_of
from cds_service.cohort.rules import Rules
from fhir_mappings.assess import (
    Entry,
    ForeignResource,
    Malformed,
    Resource,
    Subject,
    Unreadable,
    assess_facts,
    decode,
    decode_lines,
    has_all_diagnosis,
    older_version,
    open_chart,
)


@dataclass(frozen=True, slots=True)
class LineFault:
    """A line that was not understood, or not used: its position among the lines given, and why."""

    line: int
    why: str
    resource_type: str = ""


@dataclass(slots=True)
class Kept:
    """What the second step found: the lines of each patient, and the resources these lines refer to."""

    lines: dict[str, list[bytes]] = field(default_factory=dict)
    joins: dict[str, set[str]] = field(default_factory=dict)
    """``Medication/id`` or ``Specimen/id`` -> the patients whose lines name it."""
    types: Counter[str] = field(default_factory=Counter)
    faults: list[LineFault] = field(default_factory=list)


def candidates(lines: Sequence[bytes], rules: Rules) -> set[str]:
    """The patients whose charts a hook call would open, by their Conditions.

    A superset: a Condition that was replaced by a later version counts here, and not in the third step.
    """
    found: set[str] = set()
    resources = decode_lines(lines.data) if isinstance(lines, Block) else None
    if resources is None:
        for line in lines:
            found.update(_candidates_of(line, rules))
        return found
    opens = rules.opening.opens_with
    for resource in resources:
        if resource.resource_type == "Condition" and opens(resource):
            found.update(patients_of(resource))
    return found


def _candidates_of(line: bytes, rules: Rules) -> tuple[str, ...]:
    head = head_of(line)
    if head is None or head.resource_type != "Condition":
        return ()
    try:
        opened = rules.opening.opens(decode(line))
    except Malformed:
        opened = True
    return patients_of(head) if opened else ()


def kept(lines: Sequence[bytes], ids: Collection[str], rules: Rules) -> Kept:
    """The lines of the patients in ``ids`` (a set or a mapping), whatever their type."""
    found = Kept()
    owned = rules.owned_types
    heads = heads_of(lines)
    found.types.update([head.resource_type for head in heads if head is not None and head.resource_type])
    for number, head in enumerate(heads):
        if head is None or head.resource_type is None:
            if head is not None and is_misread(lines, number, head):
                return kept(lines[:], ids, rules)
            if lines[number].strip():
                why = "not-json" if head is None else "no-resource-type"
                found.faults.append(LineFault(number, why))
            continue
        subject = head.subject
        # Nearly every line says it in the plainest way, and is nobody's who is wanted.
        if subject.__class__ is Named:
            text = subject.reference
            if text is not None and text[:8] == "Patient/" and text[8:] not in ids and "/" not in text[8:]:
                continue
        patients = patients_of(head)
        if not patients and head.resource_type in owned:
            if is_misread(lines, number, head):
                return kept(lines[:], ids, rules)
            found.faults.append(LineFault(number, "no-patient", head.resource_type))
        for patient in patients:
            if patient in ids:
                if is_misread(lines, number, head):
                    return kept(lines[:], ids, rules)
                _keep(patient, lines[number], found)
    return found


def joined(lines: Iterable[bytes], wanted: Collection[str]) -> list[tuple[str, bytes]]:
    """The lines of Medications and Specimens that kept lines refer to, each with its ``Kind/id``."""
    found = []
    for line in lines:
        head = head_of(line)
        if head is not None and head.id and head.resource_type in ("Medication", "Specimen"):
            key = f"{head.resource_type}/{head.id}"
            if key in wanted:
                found.append((key, line))
    return found


def row(patient: str, lines: Sequence[bytes], at: datetime, rules: Rules) -> Row | None:
    """The assessment of one patient at ``at`` as a row; None where the chart does not open.

    What a hook call would refuse (another patient's resource, a merged patient, another version of FHIR)
    is a row of the status ``refused``, with the reason.
    """
    entries, unreadable = chart_entries(patient, lines, rules.unasked_types)
    if any(one.resource is not None and older_version(one.resource) for one in entries):
        return refused_row(patient, at, "wrong-version", rules)
    subject = Subject(patient, rules.bases)
    chart = open_chart(entries, subject, rules.knowledge, rules.local_codes, unreadable)
    try:
        first = chart.first_look()
        if not has_all_diagnosis(first):
            return None
        facts = chart.read()
    except ForeignResource:
        return refused_row(patient, at, "foreign-resource", rules)
    if any(person.merged for person in facts.persons):
        return refused_row(patient, at, "merged-patient", rules)
    local = at.astimezone(rules.zone)
    assessment = assess_facts(facts, rules.states, local, rules.knowledge, subject, rules.reports)
    return row_of(assessment, facts, [one.resource for one in entries if one.resource], rules)


def _keep(patient: str, line: bytes, found: Kept) -> None:
    found.lines.setdefault(patient, []).append(line)
    for key in joined_to(line):
        found.joins.setdefault(key, set()).add(patient)


def chart_entries(
    patient: str, lines: Sequence[bytes], unasked: Collection[str]
) -> tuple[list[Entry], list[Unreadable]]:
    """The entries of a chart. An export has no ``fullUrl``: it is what the references call the resource."""
    decoded, unreadable = [], []
    for line in lines:
        try:
            one = decode(line)
        except Malformed:
            head = head_of(line)
            unreadable.append(Unreadable(head.resource_type or "" if head else "", "", ()))
            continue
        unreadable.extend(one.unreadable)
        if one.resource.resource_type is not None and one.resource.resource_type not in unasked:
            decoded.append(one.resource)
    written = _spellings(decoded)
    entries = []
    for resource in decoded:
        if resource.resource_type == "Patient" and resource.id == patient:
            entries.append(Entry(full_url=f"urn:uuid:{patient}", resource=resource))
            continue
        names = written.get(f"{resource.resource_type}/{resource.id}", ())
        entries.extend(Entry(full_url=name, resource=resource) for name in names or (None,))
    return entries, unreadable


def _spellings(resources: Iterable[Resource]) -> dict[str, tuple[str, ...]]:
    """How the references of a chart write the Medications that they name."""
    found: dict[str, dict[str, None]] = {}
    for resource in resources:
        if resource.medication_reference is not None:
            text = resource.medication_reference.reference
            key = resource_key(text, "Medication")
            if key and text:
                found.setdefault(key, {})[text] = None
    return {key: tuple(names) for key, names in found.items()}
