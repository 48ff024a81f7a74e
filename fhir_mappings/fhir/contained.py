"""Contained resources are resources: they are read as if they stood alone (D-10).

A contained Observation takes from what contains it only what it does not state itself: date, specimen,
status, version. A reference into the container (``#s1``) is written ``Type/id#s1``, so that it names one
resource of the whole chart.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from fhir_mappings.fhir.elements import Reference, Resource
from fhir_mappings.fhir.lazy_rare_elements import has_modifier

VOID = frozenset({"entered-in-error", "cancelled"})


def contained_results(container: Resource, ref: str) -> Iterator[tuple[Resource, str]]:
    """Every contained Observation and Specimen of ``container`` with its reference in the chart."""
    for part in container.contained or ():
        inner = f"{ref}#{(part.id or '').lstrip('#')}"
        if part.resource_type == "Observation":
            yield _completed(part, container, ref), inner
        elif part.resource_type == "Specimen":
            yield with_local_references(part, ref), f"Specimen/{inner}"


def is_void(container: Resource) -> bool:
    """Whether a report or a panel was withdrawn or means something else, and with it what it contains."""
    return (container.status or "").strip().lower() in VOID or has_modifier(container)


def with_local_references(resource: Resource, ref: str) -> Resource:
    """The resource with every reference into its container written as one into the chart."""
    specimen = _local(resource.specimen, ref)
    return resource if specimen is resource.specimen else replace(resource, specimen=specimen)


def _completed(part: Resource, container: Resource, ref: str) -> Resource:
    dated = (
        part.effective_date_time or part.effective_period or part.effective_instant or part.effective_timing
    )
    return replace(
        part,
        status=part.status or container.status,
        meta=part.meta if bytes(part.meta) else container.meta,
        subject=part.subject or container.subject,
        effective_date_time=part.effective_date_time if dated else container.effective_date_time,
        effective_period=part.effective_period if dated else container.effective_period,
        issued=part.issued or container.issued,
        specimen=_local(part.specimen or container.specimen, ref),
    )


def _local(specimen: Reference | list[Reference] | None, ref: str) -> Reference | list[Reference] | None:
    if isinstance(specimen, list):
        if not any(_is_local(one) for one in specimen):
            return specimen
        return [_in_chart(one, ref) for one in specimen]
    return _in_chart(specimen, ref) if specimen is not None and _is_local(specimen) else specimen


def _is_local(reference: Reference) -> bool:
    return bool(reference.reference) and (reference.reference or "").startswith("#")


def _in_chart(reference: Reference, ref: str) -> Reference:
    return replace(reference, reference=f"{ref}{reference.reference}") if _is_local(reference) else reference
