"""How FHIR servers really answer, cases 16 to 28 by number: queries, codes, batches, content.

Each test speaks over a real socket to a server that behaves as the case says.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from cds_service.fhir_client import Deadline
from cds_service.fhir_client.capability import NAMED, Habits
from cds_service.fhir_client.medication_references import MOST_MEDICINES
from fhir_mappings.assessment import NeedState
from tests.faults.field_cases import (
    BLOOD,
    CONDITION,
    CONDITIONS,
    EMPTY,
    MARROW,
    OBSERVATIONS,
    PRESENT,
    fetch,
    ids,
    json_answer,
    unknown,
)
from tests.faults.little_fhir import BASE, LOINC, NEEDS, LittleFhir, SmallNeed, bundle, concept
from tests.faults.readings import CANARY, Authorization, reader_of, tenant_of
from tests.faults.wire import Answer, Asked, LoopbackServer


def test_case_16_a_cached_search_is_not_asked_for() -> None:
    _, asked = fetch(LittleFhir(page_size=100), MARROW)
    assert asked[0].headers["cache-control"] == "no-cache"
    assert asked[0].headers["accept-encoding"] == "gzip"


MANY = SmallNeed("marrow", "Observation", tuple(f"{LOINC}|{number}-1" for number in range(10_000, 10_200)))


def test_case_18_long_code_lists_are_sent_in_parts() -> None:
    whole = SmallNeed("marrow", "Observation", (*MANY.codes, f"{LOINC}|11150-7"))
    (fetched,), asked = fetch(LittleFhir(page_size=100), whole)
    assert len(fetched.entries) == 7
    assert len(asked) > 2
    assert all(len(each.target.partition("?")[2]) <= 1500 for each in asked)
    assert {each.headers["authorization"] for each in asked} == {f"Bearer {CANARY}"}


def test_case_18_long_code_lists_go_by_post_where_that_is_known_to_work() -> None:
    whole = SmallNeed("marrow", "Observation", (*MANY.codes, f"{LOINC}|11150-7"))
    (fetched,), asked = fetch(LittleFhir(page_size=100), whole, habits="hapi")
    assert len(fetched.entries) == 7
    assert [(each.method, each.target) for each in asked] == [("POST", f"{BASE}/Observation/_search")]
    assert asked[0].headers["content-type"] == "application/x-www-form-urlencoded"


@pytest.mark.parametrize("status", [404, 405, 415])
def test_case_18_a_refused_post_falls_back_to_get_and_is_remembered(status: int) -> None:
    little = LittleFhir(page_size=100)
    whole = SmallNeed("marrow", "Observation", (*MANY.codes, f"{LOINC}|11150-7"))
    (fetched,), asked = fetch(
        lambda a: Answer(status) if a.method == "POST" else little(a), whole, habits="hapi", readings=2
    )
    assert len(fetched.entries) == 7
    assert [each.method for each in asked].count("POST") == 1


def test_case_19_a_category_is_named_where_a_server_insists(monkeypatch: pytest.MonkeyPatch) -> None:
    insisting = Habits(name="insisting", category={"Observation": "laboratory"})
    monkeypatch.setitem(NAMED, "insisting", insisting)
    _, asked = fetch(LittleFhir(page_size=100), MARROW, CONDITIONS, habits="insisting")
    targets = sorted(each.target.partition("?")[2] for each in asked)
    assert "category=laboratory&code=" in targets[1]
    assert "category" not in targets[0]


def test_case_20_codes_are_compared_here_where_the_server_cannot() -> None:
    little = LittleFhir(page_size=100)

    def respond(asked: Asked) -> Answer:
        return Answer(400) if "code=" in asked.target else little(asked)

    (fetched,), asked = fetch(respond, BLOOD, readings=2)
    assert ids(fetched) == ["p1-o7", "p1-o8"]
    assert [("code=" in each.target, "_count" in each.target) for each in asked] == [
        (True, True),
        (True, False),
        (False, True),
        (False, True),
    ]


@pytest.mark.parametrize("habits", ["epic", "cerner"])
def test_case_20_known_servers_are_asked_without_codes_at_once(habits: str) -> None:
    need = SmallNeed("procedures", "Procedure", ("http://snomed.info/sct|77465005",))
    _, asked = fetch(LittleFhir(page_size=100), need, habits=habits)
    assert len(asked) == 1
    assert "code=" not in asked[0].target
    assert "_sort" not in asked[0].target


def test_case_21_a_bare_code_is_never_tried_after_an_empty_answer() -> None:
    (fetched,), asked = fetch(lambda _: json_answer(bundle([], 0)), MARROW)
    assert (fetched.state, len(asked)) == (EMPTY, 1)
    assert "loinc.org%7C" in asked[0].target


ORDER = {"resourceType": "MedicationRequest", "id": "m1", "subject": {"reference": "Patient/p1"}}
ORDERS = SmallNeed("medications", "MedicationRequest")


def ordering(reference: dict[str, Any], drug: Answer) -> Callable[[Asked], Answer]:
    page = bundle([{**ORDER, "medicationReference": reference}], 1)
    return lambda asked: drug if "/Medication/" in asked.target else json_answer(page)


@pytest.mark.parametrize("reference", ["Medication/d1", "{base}/Medication/d1"])
def test_case_22_a_drug_that_is_only_referred_to_is_read(reference: str) -> None:
    drug = json_answer({"resourceType": "Medication", "id": "d1", "code": {"text": "blinatumomab"}})

    def respond(asked: Asked) -> Answer:
        base = f"http://{asked.headers['host']}{BASE}"
        return ordering({"reference": reference.replace("{base}", base)}, drug)(asked)

    (fetched,), asked = fetch(respond, ORDERS)
    assert (fetched.state, ids(fetched)) == (PRESENT, ["m1", "d1"])
    assert asked[1].target == f"{BASE}/Medication/d1"


@pytest.mark.parametrize(
    "reference", ["#d1", "urn:uuid:1", "https://other.example.org/fhir/Medication/d1", "../Medication/d1"]
)
def test_case_22_a_drug_elsewhere_is_not_followed(reference: str) -> None:
    (fetched,), asked = fetch(ordering({"reference": reference}, Answer(500)), ORDERS)
    assert (fetched.state, len(asked)) == (PRESENT, 1)


@pytest.mark.parametrize(
    ("display", "expected"), [("", unknown("forbidden")), ("Blinatumomab 38.5 mcg", PRESENT)]
)
def test_case_22_an_unreadable_drug_is_named_unless_its_text_stands_there(
    display: str, expected: NeedState
) -> None:
    reference = {"reference": "Medication/d1", **({"display": display} if display else {})}
    (fetched,), _ = fetch(ordering(reference, Answer(403)), ORDERS)
    assert fetched.state == expected


def test_case_23_what_was_not_asked_for_is_left_out() -> None:
    local = {**OBSERVATIONS[0], "id": "local", "code": concept("http://local|BLASTS")}
    text = {**OBSERVATIONS[0], "id": "text", "code": {"text": "blasts"}}
    panel = {**OBSERVATIONS[0], "id": "panel", "code": concept(f"{LOINC}|58410-2"), "component": [{}]}
    other = {**OBSERVATIONS[0], "id": "other", "code": concept(f"{LOINC}|8302-2")}
    page = bundle([OBSERVATIONS[0], local, text, panel, other, CONDITION], 6)
    (fetched,), _ = fetch(lambda _: json_answer(page), MARROW)
    assert ids(fetched) == ["p1-o0", "local", "text", "panel"]


def outcome(severity: str, code: str, detail: str = "") -> dict[str, Any]:
    coded = {"details": {"coding": [{"code": detail}]}} if detail else {}
    return {"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": code, **coded}]}


@pytest.mark.parametrize("mode", ["outcome", None])
@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (outcome("warning", "suppressed", "4119"), PRESENT),
        (outcome("information", "informational"), PRESENT),
        (outcome("warning", "not-supported"), PRESENT),
        (outcome("error", "processing"), unknown("outcome-error")),
        (outcome("fatal", "exception"), unknown("outcome-error")),
        (outcome("warning", "incomplete"), unknown("outcome-error")),
        (outcome("warning", "suppressed"), unknown("outcome-error")),
    ],
)
def test_case_24_outcomes_inside_a_result(
    content: dict[str, Any], expected: NeedState, mode: str | None
) -> None:
    page = bundle(OBSERVATIONS[:1], 1)
    page["entry"].append({"resource": content, **({"search": {"mode": mode}} if mode else {})})
    (fetched,), _ = fetch(lambda _: json_answer(page), MARROW)
    assert (fetched.state, ids(fetched)) == (expected, ["p1-o0"])


def test_case_25_includes_are_not_results() -> None:
    page = bundle(OBSERVATIONS[:1], 1)
    page["entry"].append({"resource": OBSERVATIONS[1], "search": {"mode": "include"}})
    page["entry"].append({"resource": {"resourceType": "Provenance", "id": "x"}})
    del page["entry"][0]["search"]
    (fetched,), _ = fetch(lambda _: json_answer(page), MARROW)
    assert (fetched.state, ids(fetched)) == (PRESENT, ["p1-o0"])


@pytest.mark.parametrize("code", ["spoilt", {"coding": [{"system": LOINC, "code": "11150-7"}]}])
def test_case_28_an_unreadable_resource_that_may_matter_is_named(code: Any) -> None:
    page = bundle([OBSERVATIONS[0], {**OBSERVATIONS[1], "code": code, "valueQuantity": "5 %"}], 2)
    (fetched,), _ = fetch(lambda _: json_answer(page), MARROW)
    assert (fetched.state, ids(fetched)) == (unknown("unreadable"), ["p1-o0"])
    assert len(fetched.unreadable) == 1


def test_case_28_an_unreadable_resource_of_another_code_costs_itself_only() -> None:
    odd = {**OBSERVATIONS[1], "code": concept(f"{LOINC}|8302-2"), "valueQuantity": "5 %"}
    (fetched,), _ = fetch(lambda _: json_answer(bundle([OBSERVATIONS[0], odd], 2)), MARROW)
    assert (fetched.state, ids(fetched)) == (PRESENT, ["p1-o0"])


def test_more_resources_than_admitted_are_too_large() -> None:
    reader = reader_of(max_resources=5)
    (fetched,), _ = fetch(LittleFhir(page_size=3), MARROW, reader=reader)
    assert fetched.state == unknown("too-large")


def test_case_17_a_batch_is_used_where_it_is_configured_and_falls_back() -> None:
    little = LittleFhir(page_size=100)

    def batch(asked: Asked) -> Answer:
        if asked.method != "POST":
            return little(asked)
        entries = []
        for entry in json.loads(asked.body)["entry"]:
            answer = little(Asked("GET", f"{BASE}/{entry['request']['url']}", asked.headers))
            entries.append({"response": {"status": "200 OK"}, "resource": json.loads(answer.body)})
        entries[1] = {"response": {"status": "403 Forbidden"}}
        return json_answer({"resourceType": "Bundle", "type": "batch-response", "entry": entries})

    def without(asked: Asked) -> Answer:
        return Answer(405) if asked.method == "POST" else little(asked)

    for respond, requests, second in ((batch, 1, unknown("forbidden")), (without, 4, PRESENT)):
        with LoopbackServer(respond) as server:
            url = server.url + BASE
            reader = reader_of()
            with reader.open(tenant_of(url), url, Authorization(), Deadline.after(60)) as opened:
                record_ = opened._door.record
                record_.habits = type(record_.habits)(batch=True)
                fetched = opened.fetch(NEEDS[1:4], "p1")
            reader.close()
            assert fetched["conditions"].state == PRESENT
            assert fetched["marrow"].state == second
            assert len(fetched["blood"].entries) == 2
            assert len(server.asked) == requests


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, b"{"),
        Answer(200, b"<html>"),
        json_answer({"resourceType": "Bundle", "type": "searchset"}),
        json_answer({"resourceType": "OperationOutcome"}),
        json_answer({"resourceType": "Bundle", "type": "batch-response", "entry": []}),
        Answer(500),
    ],
)
def test_case_17_an_odd_answer_to_a_batch_falls_back_to_single_requests(answer: Answer) -> None:
    little = LittleFhir(page_size=100)
    with LoopbackServer(lambda a: answer if a.method == "POST" else little(a)) as server:
        url = server.url + BASE
        reader = reader_of()
        with reader.open(tenant_of(url), url, Authorization(), Deadline.after(60)) as opened:
            opened._door.record.habits = Habits(batch=True)
            fetched = opened.fetch(NEEDS[1:4], "p1")
        reader.close()
        assert len(server.asked) == 4
    assert {need.state for need in fetched.values()} == {PRESENT}


@pytest.mark.parametrize(
    ("status", "reason"), [("odd", "malformed"), ("404", "not-found"), ("", "malformed")]
)
def test_case_17_a_failed_entry_of_a_batch_is_named(status: str, reason: str) -> None:
    content = {
        "resourceType": "Bundle",
        "type": "batch-response",
        "entry": [{"response": {"status": status}}],
    }
    with LoopbackServer(lambda _: json_answer(content)) as server:
        url = server.url + BASE
        reader = reader_of()
        with reader.open(tenant_of(url), url, Authorization(), Deadline.after(60)) as opened:
            opened._door.record.habits = Habits(batch=True)
            fetched = opened.fetch([MARROW], "p1")
        reader.close()
    assert fetched["marrow"].state == unknown(reason)


def test_case_17_a_search_that_goes_by_post_is_not_batched() -> None:
    with LoopbackServer(LittleFhir(page_size=100)) as server:
        url = server.url + BASE
        reader = reader_of()
        with reader.open(tenant_of(url), url, Authorization(), Deadline.after(60)) as opened:
            opened._door.record.habits = Habits(batch=True, posts=frozenset({"*"}))
            opened.fetch([MANY], "p1")
        reader.close()
        assert [asked.target for asked in server.asked] == [f"{BASE}/Observation/_search"]


def test_case_22_more_drugs_than_are_read_make_the_need_incomplete() -> None:
    orders = [
        {**ORDER, "id": f"m{number}", "medicationReference": {"reference": f"Medication/d{number}"}}
        for number in range(MOST_MEDICINES + 1)
    ]
    drug = json_answer({"resourceType": "Medication", "id": "d", "code": {"text": "x"}})
    page = json_answer(bundle(orders, len(orders)))
    (fetched,), asked = fetch(lambda a: drug if "/Medication/" in a.target else page, ORDERS)
    assert fetched.state == unknown("truncated")
    assert len(asked) == MOST_MEDICINES + 1


def test_case_22_a_drug_that_is_named_in_the_order_is_not_read() -> None:
    named = {**ORDER, "medicationCodeableConcept": {"text": "x"}}
    (fetched,), asked = fetch(lambda _: json_answer(bundle([named], 1)), ORDERS)
    assert (fetched.state, len(asked)) == (PRESENT, 1)


def test_case_22_a_drug_that_comes_too_late_makes_the_need_incomplete() -> None:
    late = threading.Event()

    def respond(asked: Asked) -> Answer:
        if "/Medication/" in asked.target:
            late.wait(5)
        return ordering({"reference": "Medication/d1"}, Answer(404))(asked)

    (fetched,), _ = fetch(respond, ORDERS, seconds=0.3)
    late.set()
    assert fetched.state == unknown("timed-out")


def test_a_full_bulkhead_reads_nothing() -> None:
    with LoopbackServer(LittleFhir()) as server:
        url = server.url + BASE
        reader = reader_of()
        with reader.open(tenant_of(url), url, Authorization(), Deadline.after(60)) as opened:
            opened._bulkhead._free = 0
            fetched = opened.fetch([MARROW], "p1")
            followed = opened.follow(MARROW, f"{url}/Observation?x=2")
        reader.close()
        assert server.asked == []
    assert (fetched["marrow"].state, followed.state) == (unknown("refused"), unknown("refused"))


def test_a_refused_read_by_id_is_not_asked_in_other_words() -> None:
    (fetched,), asked = fetch(lambda _: Answer(400), NEEDS[0])
    assert (fetched.state, len(asked)) == (unknown("server-error"), 1)


def test_a_query_that_is_refused_in_every_form_is_a_server_error() -> None:
    (coded, uncoded), asked = fetch(lambda _: Answer(400), MARROW, CONDITIONS)
    assert {coded.state, uncoded.state} == {unknown("server-error")}
    assert len({each.target for each in asked}) == len(asked) == 6
