"""The requests that a need becomes."""

from __future__ import annotations

from urllib.parse import parse_qs

import pytest

from cds_service.fhir_client.capability import NAMED, Detail, Habits, Record
from cds_service.fhir_client.queries import LONGEST_QUERY, chunked, request, searches, usable_id
from cds_service.http.fhir_base import parse_base
from tests.faults.little_fhir import LOINC, SmallNeed

BASE = parse_base("https://ehr.example.org/fhir")
PLAIN = Record(Habits())
MARROW = SmallNeed("marrow", "Observation", (f"{LOINC}|11150-7", f"{LOINC}|26453-1"), count=50)


def target(need: SmallNeed, record: Record = PLAIN, detail: Detail = Detail.FULL) -> str:
    (search,) = searches(need, "p1", (), record)
    return request(search, BASE, record, detail).target


def test_a_full_query() -> None:
    assert target(MARROW) == (
        "/fhir/Observation?patient=p1&code=http%3A%2F%2Floinc.org%7C11150-7%2Chttp%3A%2F%2Floinc.org%7C26453-1"
        "&_sort=-date&_count=50"
    )


def test_plainer_queries() -> None:
    assert "_sort" not in target(MARROW, detail=Detail.PLAIN)
    assert "_count" not in target(MARROW, detail=Detail.PLAIN)
    assert target(MARROW, detail=Detail.PATIENT) == "/fhir/Observation?patient=p1&_count=50"
    assert target(MARROW, detail=Detail.BARE) == "/fhir/Observation?patient=p1"


def test_a_patient_is_read() -> None:
    need = SmallNeed("patient", "Patient", patient_parameter="_id")
    assert target(need) == "/fhir/Patient/p1"
    assert target(need, Record(NAMED["medplum"])) == "/fhir/Patient/p1"


def test_no_page_size_is_sent_where_none_is_wanted() -> None:
    assert "_count" not in target(SmallNeed("conditions", "Condition", count=0))


def test_local_codes_are_asked_for_with_the_others() -> None:
    (search,) = searches(MARROW, "p1", ["http://local|B", f"{LOINC}|11150-7"], PLAIN)
    assert search.codes == (*MARROW.codes, "http://local|B")
    (unnarrowed,) = searches(SmallNeed("conditions", "Condition"), "p1", ["http://local|B"], PLAIN)
    assert unnarrowed.codes == ()


@pytest.mark.parametrize("count", [1, 30, 31, 500])
def test_no_code_is_lost_in_parts(count: int) -> None:
    codes = tuple(f"http://snomed.info/sct|{number}" for number in range(10_000_000, 10_000_000 + count))
    need = SmallNeed("procedures", "Procedure", codes)
    parts = searches(need, "p1", (), PLAIN)
    asked = [request(part, BASE, PLAIN, Detail.FULL).target.partition("?")[2] for part in parts]
    assert all(len(query) <= LONGEST_QUERY for query in asked)
    assert [code for query in asked for code in parse_qs(query)["code"][0].split(",")] == list(codes)


def test_a_single_code_longer_than_a_query_is_still_asked() -> None:
    need = SmallNeed("marrow", "Observation", ("http://local|" + "x" * 2000, f"{LOINC}|1-1"))
    assert len(searches(need, "p1", (), PLAIN)) == 2


def test_a_long_query_goes_whole_where_post_is_known() -> None:
    codes = tuple(f"{LOINC}|{number}" for number in range(500))
    (search,) = searches(SmallNeed("marrow", "Observation", codes), "p1", (), Record(NAMED["hapi"]))
    sent = request(search, BASE, Record(NAMED["hapi"]), Detail.FULL)
    assert (sent.method, sent.target) == ("POST", "/fhir/Observation/_search")
    assert parse_qs((sent.body or b"").decode())["combo-code"][0].split(",") == list(codes)
    assert len(chunked(search, PLAIN)) > 5


@pytest.mark.parametrize(
    "odd", ["", "1\n", "a/b", "a?b", "a b", "a&b", "a,b", "..", ".", "a|b", "é", "a" * 129, "%2F"]
)
def test_ids_that_cannot_stand_in_a_query(odd: str) -> None:
    assert not usable_id(odd)


@pytest.mark.parametrize("good", ["1", "eq081-VQEgP8.drUU", "a_b", "A" * 128])
def test_ids_that_can(good: str) -> None:
    assert usable_id(good)
