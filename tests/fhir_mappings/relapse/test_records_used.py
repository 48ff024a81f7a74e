"""Which records an answer names as used beside those of its criteria."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest

from fhir_mappings.assess import Knowledge, assess, load_knowledge
from fhir_mappings.assessment import Assessment
from fhir_mappings.fhir.decoding import decode
from fhir_mappings.records.written_record import PatientHeader, build_resources, read_table

_HEADING = """
date       | concept             | value   | unit | note
-----------+---------------------+---------+------+----------
2020-10-02 | diagnosis B-ALL     |         |      |
"""
_RELAPSE = """2020-11-06 | remission           |         |      |
2024-01-15 | marrow lymphoblasts | 70      | %    | id=event
"""
_SUSPICION = """2024-02-20 | marrow lymphoblasts | 1       | %    | id=clear
2024-02-20 | remission           |         |      |
2024-03-20 | marrow lymphoblasts | 8       | %    | id=repeat
"""
_PERSISTENCE = """2024-01-16 | reinduction start   |         |      |
2024-02-16 | reinduction end     |         |      |
2024-02-18 | marrow lymphoblasts | 35      | %    | id=after
"""
_REFRACTORY = """2024-01-15 | marrow lymphoblasts | 70      | %    | id=first
2024-03-15 | marrow lymphoblasts | 40      | %    | id=last
"""


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return load_knowledge()


def assessed(record: str, knowledge: Knowledge) -> Assessment:
    header = PatientHeader(id="p", sex="female", born="2016-08-08")
    rows = read_table(_HEADING + record)
    resources = build_resources(header, rows, today=date(2024, 3, 20))
    decoded = [decode(json.dumps(one).encode()).resource for one in resources]
    return assess(decoded, datetime(2024, 3, 21, 9, tzinfo=UTC), knowledge)


@pytest.mark.parametrize(
    ("record", "status", "used"),
    [
        (_RELAPSE + _SUSPICION, "relapse", ["Observation/repeat"]),
        (_RELAPSE + _PERSISTENCE, "persistent", ["Observation/after"]),
        (_REFRACTORY, "refractory", ["Observation/last"]),
        (_RELAPSE, "relapse", []),
    ],
)
def test_what_the_finding_shows_beside_the_criteria(
    record: str, status: str, used: list[str], knowledge: Knowledge
) -> None:
    found = assessed(record, knowledge)
    assert (found.status.value, [item.resource for item in found.beside]) == (status, used)
