"""What a report says of the results it names: their specimen and date, where they state none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from fhir_mappings.clinical.facts import Result
from fhir_mappings.clinical.moments import Moment
from fhir_mappings.fhir.dates import read_moment, read_period
from fhir_mappings.fhir.elements import Resource
from fhir_mappings.fhir.lazy_rare_elements import references_of


@dataclass(frozen=True, slots=True)
class Reported:
    """The results one report names, its specimens and the day they were taken."""

    results: tuple[str, ...]
    specimens: tuple[str, ...]
    collected: Moment | None


def read_reported(resource: Resource, ref: str) -> Reported | None:
    """The results that a report names; None where it names none."""
    named = tuple(one.reference for one in references_of(resource.result) if one.reference)
    if not named:
        return None
    listed = resource.specimen if isinstance(resource.specimen, list) else [resource.specimen]
    specimens = tuple(one.reference for one in listed if one is not None and one.reference)
    collected = read_moment(resource.effective_date_time) or read_period(resource.effective_period)
    return Reported(
        named, tuple(f"{ref}{one}" if one.startswith("#") else one for one in specimens), collected
    )


def completed(
    results: Iterable[Result], reports: Iterable[Reported], names: Mapping[str, str]
) -> list[Result]:
    """The results with what their report knows of them; ``names`` gives references by ``fullUrl``."""
    known = {
        names.get(named) or "/".join(named.split("/_history/", 1)[0].rsplit("/", 2)[-2:]): report
        for report in reports
        for named in report.results
    }
    return [_completed(result, known.get(result.resource)) for result in results]


def _completed(result: Result, report: Reported | None) -> Result:
    if report is None:
        return result
    if not result.specimen_ref and len(report.specimens) == 1:
        result = replace(result, specimen_ref=report.specimens[0])
    if report.collected is not None and (result.collected is None or result.date_basis == "reported"):
        result = replace(result, collected=report.collected, date_basis="collected")
    return result
