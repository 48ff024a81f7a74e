"""What is known of a server, and what it is learned from."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from cds_service.fhir_client import Deadline, FhirReader
from cds_service.fhir_client.capability import NAMED, Detail, Habits, Record, learn
from cds_service.fhir_client.server_connection import TRY_AGAIN_SECONDS
from cds_service.settings.model import Settings
from fhir_mappings.assessment import NeedState
from tests.faults.little_fhir import BASE, NEEDS, LittleFhir
from tests.faults.readings import Authorization, tenant_of
from tests.faults.wire import Answer, Asked, LoopbackServer


def statement(version: str = "4.0.1", **types: list[str]) -> bytes:
    resources: list[dict[str, Any]] = [
        {"type": name, "searchParam": [{"name": parameter} for parameter in parameters]}
        for name, parameters in types.items()
    ]
    rest = [{"mode": "server", "resource": resources}]
    return json.dumps({"resourceType": "CapabilityStatement", "fhirVersion": version, "rest": rest}).encode()


def test_types_without_a_code_parameter_are_learned() -> None:
    known = learn(Habits(), statement(Condition=["patient"], Procedure=["patient", "code"], Observation=[]))
    assert known.without_code == {"Condition"}
    assert not known.wrong_version


@pytest.mark.parametrize(
    ("version", "wrong"),
    [("4.0.1", False), ("4.3.0", False), ("3.0.2", True), ("1.0.2", True), ("5.0.0", True)],
)
def test_the_version_is_learned(version: str, wrong: bool) -> None:
    assert learn(Habits(), statement(version)).wrong_version is wrong


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b'{"resourceType":"Bundle"}', b'{"rest":7}', b"\xff\xfe", b"[" * 5000]
)
def test_nothing_is_learned_from_anything_else(body: bytes) -> None:
    assert learn(NAMED["hapi"], body) == NAMED["hapi"]


def test_a_conformance_of_dstu2_is_a_wrong_version() -> None:
    assert learn(Habits(), b'{"resourceType":"Conformance","fhirVersion":"1.0.2"}').wrong_version


def test_a_refused_query_is_remembered_for_its_type_alone() -> None:
    record = Record(Habits(without_code=frozenset({"Condition"})))
    assert record.detail("Condition") is Detail.PATIENT
    assert record.detail("Observation") is Detail.FULL
    record.accepted("Observation", Detail.PLAIN)
    assert record.detail("Observation") is Detail.PLAIN
    assert record.detail("Procedure") is Detail.FULL


def test_page_sizes_are_kept_within_what_a_server_takes() -> None:
    habits = NAMED["cerner"]
    assert habits.page("Observation", 500) == 200
    assert habits.page("Procedure", 500) == 100
    assert habits.page("Procedure", 20) == 20
    assert Habits().page("Procedure", 500) == 500


def test_a_server_is_asked_for_its_statement_in_the_background_without_the_token() -> None:
    little = LittleFhir(page_size=100)

    def respond(asked: Asked) -> Answer:
        if asked.target.endswith("/metadata"):
            return Answer(body=statement(Procedure=["patient"]))
        return little(asked)

    with LoopbackServer(respond) as server:
        url = server.url + BASE
        reader = FhirReader(Settings.embedded())
        with reader.open(tenant_of(url), url, Authorization(), Deadline.after(60)) as opened:
            record = opened._door.record
            for _ in range(6000):
                if record.habits.without_code:
                    break
                time.sleep(0.01)
            opened.fetch(NEEDS, "p1")
        with reader.open(tenant_of(url), url, Authorization(), Deadline.after(60)):
            pass
        reader.close()
        asked = list(server.asked)
    statements = [each for each in asked if each.target.endswith("/metadata")]
    assert len(statements) == 1
    assert "authorization" not in statements[0].headers
    (procedures,) = [each for each in asked if "/Procedure" in each.target]
    assert "code=" not in procedures.target


def test_a_server_of_another_version_is_not_searched() -> None:
    with LoopbackServer(lambda _: Answer(body=statement("1.0.2"))) as server:
        url = server.url + BASE
        reader = FhirReader(Settings.embedded(), learns=False)
        with reader.open(tenant_of(url), url, Authorization(), Deadline.after(60)) as opened:
            opened._door.learn_now()
            fetched = opened.fetch(NEEDS, "p1")
        reader.close()
        assert len(server.asked) == 1
    assert {need.state for need in fetched.values()} == {
        NeedState(fetched["marrow"].state.availability, "wrong-version")
    }


@pytest.mark.parametrize("profile", ["epic", "cerner"])
def test_a_tenants_profile_names_its_habits(profile: str) -> None:
    url = "https://ehr.example.org/fhir"
    reader = FhirReader(Settings())
    tenant = tenant_of(url, profile=profile)
    with reader.open(tenant, url, Authorization(), Deadline.after(1)) as opened:
        assert opened._door.record.habits is NAMED[profile]
    reader.close()


def test_a_statement_that_could_not_be_had_is_asked_for_again_later() -> None:
    with LoopbackServer(lambda _: Answer(503)) as server:
        url = server.url + BASE
        reader = FhirReader(Settings.embedded(), learns=False)
        with reader.open(tenant_of(url), url, Authorization(), Deadline.after(60)) as opened:
            door = opened._door
        door.learn_now()
        reader.close()
        assert len(server.asked) == 1
    assert TRY_AGAIN_SECONDS / 2 < door._learn_after - time.monotonic() <= TRY_AGAIN_SECONDS
