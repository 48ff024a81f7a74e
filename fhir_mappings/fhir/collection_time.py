"""When the specimen of a result was taken."""

from __future__ import annotations

from fhir_mappings.clinical.moments import Moment
from fhir_mappings.fhir.dates import read_moment, read_period, read_timing
from fhir_mappings.fhir.elements import Resource


def collected_moment(resource: Resource) -> tuple[Moment | None, str]:
    """When the specimen was taken, and on what basis: ``collected``, or ``reported`` as a last resort."""
    moment = read_moment(resource.effective_date_time)
    if moment is None and resource.effective_instant is not None:
        moment = read_moment(resource.effective_instant)
    if moment is None and resource.effective_period is not None:
        moment = read_period(resource.effective_period)
    if moment is None and resource.effective_timing is not None:
        moment = read_timing(resource.effective_timing)
    if moment is not None:
        return moment, "collected"
    return read_moment(resource.issued), "reported"
