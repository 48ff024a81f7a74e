"""Written records and the pictures they give, for the tests of the timeline."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from functools import cache

from cds_service.demo.application import LOCAL_CODES
from fhir_mappings.assess import Knowledge, Subject, decode, load_knowledge, read_facts, timeline_of
from fhir_mappings.clinical.facts import Facts
from fhir_mappings.clinical.moments import Moment
from fhir_mappings.records.written_record import PatientHeader, build_resources, read_table
from fhir_mappings.timeline.values import Timeline

TODAY = date(2024, 6, 4)
AT = datetime(2024, 6, 4, 12, tzinfo=UTC)
_HEADER = "date | concept | value | unit | status | note\n"


@cache
def knowledge() -> Knowledge:
    """The knowledge inside the package."""
    return load_knowledge()


def facts_of(record: str) -> Facts:
    """The facts of a written record, whose columns are date, concept, value, unit, status and note."""
    patient = PatientHeader(id="p", sex="male", born="2015-02-01", given="A", family="B")
    resources = build_resources(patient, read_table(_HEADER + record), today=TODAY)
    bundle = {"resourceType": "Bundle", "entry": [{"resource": one} for one in resources]}
    entries = decode(json.dumps(bundle).encode()).resource.entry or []
    return read_facts(entries, Subject("p"), knowledge(), LOCAL_CODES)


def picture(record: str, at: datetime = AT) -> Timeline:
    """The picture of a written record."""
    return timeline_of(facts_of(record), at, knowledge())


def day(text: str) -> Moment:
    """A calendar day."""
    return Moment.on(date.fromisoformat(text))
