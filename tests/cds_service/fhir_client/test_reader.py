"""Reading a FHIR server by the service as it runs: gunicorn, real sockets, a server that records."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from cds_service.demo.demo_patients import load_patients
from cds_service.fhir_client.breaker import FAILURES_IN_A_ROW
from cds_service.settings.model import Settings, Tenant
from tests.cds_service.charts import HOOK_INSTANCE, Json, asthma, bundle, leukaemia, patient
from tests.cds_service.running import Service, running
from tests.faults.wire import Answer, Asked, LoopbackServer

TODAY = date(2026, 11, 20)
AT = datetime.combine(TODAY, time(12), UTC)
TOKEN = "CANARY-door-token"
RELAPSE = next(one for one in load_patients(TODAY) if one.id == "early-marrow")
BARRIER_SECONDS = 120.0


def answer(body: Json, media_type: str = "application/fhir+json", status: int = 200) -> Answer:
    return Answer(status, json.dumps(body).encode(), {"Content-Type": media_type})


def kind(asked: Asked) -> str:
    """The resource type that a request is about."""
    return urlsplit(asked.target).path.split("/")[2]


def serving(*resources: Json, media_type: str = "application/fhir+json") -> Callable[[Asked], Answer]:
    """A FHIR server that holds these resources of one patient."""

    def respond(asked: Asked) -> Answer:
        of_kind = [resource for resource in resources if resource["resourceType"] == kind(asked)]
        if kind(asked) == "Patient":
            return answer(of_kind[0], media_type) if of_kind else Answer(404)
        return answer(bundle(*of_kind, total=len(of_kind)), media_type)

    return respond


@dataclass
class Door:
    """The running service, and the FHIR server that it reads."""

    service: Service
    fhir: LoopbackServer

    def ask(
        self, patient_id: str = "p1", *, base: str = "", prefetch: Json | None = None, **authorization: Any
    ) -> requests.Response:
        """Open a chart; the service is to read it itself, but for what is in ``prefetch``."""
        token = {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 300}
        body = {
            "hook": "patient-view",
            "hookInstance": HOOK_INSTANCE,
            "context": {"userId": "Practitioner/1", "patientId": patient_id},
            "fhirServer": base or f"{self.fhir.url}/fhir",
            "fhirAuthorization": {**token, "scope": "patient/*.read", "subject": "cds", **authorization},
            **({"prefetch": prefetch} if prefetch else {}),
        }
        return requests.post(f"{self.service.url}/cds-services/all-relapse", json=body, timeout=60)

    def sent(self) -> list[str]:
        """The resource types that the FHIR server was asked for since the last time."""
        asked, self.fhir.asked = self.fhir.asked, []
        return [kind(one) for one in asked]


@contextmanager
def opened_door(respond: Callable[[Asked], Answer], folder: Path) -> Iterator[Door]:
    """A service of its own in front of a FHIR server."""
    with LoopbackServer(respond) as fhir:
        tenant = Tenant(id="general", fhir_servers=(f"{fhir.url}/fhir",), allow_private=True, habits="smart")
        settings = Settings.embedded(tenants=(tenant,), workers=1, deadline_ms=30_000, explain=True)
        with running(settings, AT, folder) as service:
            yield Door(service, fhir)


@pytest.fixture(scope="module")
def running_door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    with opened_door(serving(), tmp_path_factory.mktemp("door")) as door:
        yield door


@pytest.fixture
def door(running_door: Door) -> Door:
    """The same service for every test, before which nothing was sent."""
    running_door.sent()
    return running_door


def issue(reply: requests.Response) -> Json:
    """The issue of an OperationOutcome, the token in none of its words."""
    assert reply.json()["resourceType"] == "OperationOutcome"
    assert TOKEN not in reply.text
    found: Json = reply.json()["issue"][0]
    return found


# Bad input: a clear answer, and nothing sent.


@pytest.mark.parametrize(
    ("base", "words"),
    [
        ("https://elsewhere.example/fhir", "not on this tenant's list"),
        ("{fhir}/fhir/../other", "not a plain absolute"),
        ("{fhir}/fhirevil", "not on this tenant's list"),
        ("ftp://127.0.0.1/fhir", "not a plain absolute"),
        ("http://user@127.0.0.1/fhir", "not a plain absolute"),
        ("fhir", "not a plain absolute"),
    ],
)
def test_a_base_that_is_not_the_tenants_is_refused(door: Door, base: str, words: str) -> None:
    connections = door.fhir.connections
    reply = door.ask(base=base.format(fhir=door.fhir.url))
    assert reply.status_code == 412
    assert issue(reply)["code"] == "incomplete"
    assert "conditions" in issue(reply)["diagnostics"]
    assert words in issue(reply)["diagnostics"]
    assert door.sent() == []
    assert door.fhir.connections == connections


@pytest.mark.parametrize(
    ("authorization", "status", "words"),
    [
        ({"access_token": "CANARY-door-token\r\nX-Evil: 1"}, 412, "access_token"),
        ({"access_token": "CANARY-door-token" * 2000}, 412, "access_token"),
        ({"access_token": ""}, 400, "access_token"),
        ({"expires_in": 0}, 412, "expires_in"),
        ({"expires_in": -5}, 412, "expires_in"),
        ({"expires_in": "soon"}, 400, "expires_in"),
        ({"token_type": "MAC"}, 400, "token_type"),
        ({"patient": "p2"}, 400, "fhirAuthorization.patient"),
    ],
    ids=["line-break", "too-long", "empty", "expired", "long-expired", "no-number", "mac", "other-patient"],
)
def test_a_token_that_cannot_be_used_is_refused(
    door: Door, authorization: Json, status: int, words: str
) -> None:
    reply = door.ask(**authorization)
    assert reply.status_code == status
    assert words in issue(reply)["diagnostics"]
    assert door.sent() == []


# Two rounds: the Conditions, and then everything else at once.


def test_a_chart_without_leukaemia_costs_one_query(door: Door) -> None:
    door.fhir.respond = serving(patient(), asthma())
    reply = door.ask()
    assert reply.status_code == 200
    assert reply.json()["cards"] == []
    assert door.sent() == ["Condition"]


def test_a_patient_whom_the_server_does_not_know_has_no_negative_result(door: Door) -> None:
    door.fhir.respond = serving()
    told = issue(door.ask("mistyped"))
    assert told["code"] == "incomplete"
    assert "conditions (not-found). The FHIR server knows no such Patient." in told["diagnostics"]
    assert door.sent() == ["Condition", "Patient"]


def test_a_patient_without_any_condition_is_answered_when_the_server_knows_her(door: Door) -> None:
    door.fhir.respond = serving(patient())
    reply = door.ask()
    assert (reply.status_code, reply.json()["cards"]) == (200, [])
    assert door.sent() == ["Condition", "Patient"]


def test_with_leukaemia_everything_else_is_read_at_the_same_time(door: Door) -> None:
    """Every request of the second round waits until all have come: they overlap, or none is answered."""
    whole = serving(*RELAPSE.resources)
    door.fhir.respond = whole
    expected = door.ask("early-marrow").json()
    first, *others = door.sent()
    assert first == "Condition"
    assert {"Patient", "Observation", "Procedure", "MedicationRequest", "Specimen"} <= set(others)

    together = threading.Barrier(len(others))

    def respond(asked: Asked) -> Answer:
        if kind(asked) != "Condition":
            together.wait(BARRIER_SECONDS)
        return whole(asked)

    door.fhir.respond = respond
    reply = door.ask("early-marrow")
    assert reply.json() == expected
    assert reply.json()["cards"]
    assert not together.broken
    assert sorted(door.sent()) == sorted([first, *others])


@pytest.mark.parametrize("status", [400, 403, 404, 501])
def test_a_resource_type_that_the_server_does_not_have_is_named_in_the_card(door: Door, status: int) -> None:
    whole = serving(*RELAPSE.resources)

    def respond(asked: Asked) -> Answer:
        return Answer(status) if kind(asked) == "ResearchSubject" else whole(asked)

    door.fhir.respond = respond
    reply = door.ask("early-marrow")
    assert reply.status_code == 200
    finding = reply.json()["cards"][0]
    assert "Relapsed " in finding["summary"]
    assert "study enrolments" in finding["detail"]
    assert "study enrolments" not in door_card_without_fault(door)


def door_card_without_fault(door: Door) -> str:
    """The same card where everything was read."""
    door.fhir.respond = serving(*RELAPSE.resources)
    return str(door.ask("early-marrow").json()["cards"][0]["detail"])


def test_results_that_the_server_does_not_give_are_no_negative_result(door: Door) -> None:
    whole = serving(patient(), leukaemia())
    door.fhir.respond = lambda asked: Answer(404) if kind(asked) == "Observation" else whole(asked)
    reply = door.ask()
    assert reply.status_code == 412
    assert "not a negative result" in issue(reply)["details"]["text"]
    assert "marrow (not-found)" in issue(reply)["diagnostics"]


def test_a_server_that_keeps_failing_is_left_alone_and_the_answer_says_so(tmp_path: Path) -> None:
    with opened_door(lambda _: Answer(500), tmp_path) as door:
        first = issue(door.ask())
        for _ in range(FAILURES_IN_A_ROW):
            door.ask()
        door.sent()
        later = issue(door.ask())
        assert door.sent() == []
    assert first["diagnostics"].startswith("not seen: conditions (server-error)")
    assert later["diagnostics"].startswith("not seen: conditions (breaker-open)")
    assert "Try again in some seconds" in later["diagnostics"]


# Versions of FHIR.


@pytest.mark.parametrize(
    "media_type",
    ["application/fhir+json; fhirVersion=4.0", "application/fhir+json;fhirVersion=4.3", "application/json"],
    ids=["R4", "R4B", "unsaid"],
)
def test_r4_and_r4b_are_read(door: Door, media_type: str) -> None:
    door.fhir.respond = serving(*RELAPSE.resources, media_type=media_type)
    assert door.ask("early-marrow").json()["cards"]


DSTU2 = {
    "resourceType": "Condition",
    "id": "c1",
    "patient": {"reference": "Patient/p1"},
    "code": {"text": "Asthma"},
    "clinicalStatus": "active",
    "verificationStatus": "confirmed",
}
STU3 = {
    "resourceType": "Condition",
    "id": "c1",
    "subject": {"reference": "Patient/p1"},
    "code": {"text": "Asthma"},
    "clinicalStatus": "active",
    "verificationStatus": "confirmed",
}


@pytest.mark.parametrize(
    ("condition", "media_type"),
    [
        (DSTU2, "application/json+fhir"),
        (STU3, "application/fhir+json"),
        (asthma(), "application/fhir+json;fhirVersion=3.0"),
    ],
    ids=["DSTU2", "STU3", "STU3-said"],
)
def test_older_versions_are_told(door: Door, condition: Json, media_type: str) -> None:
    door.fhir.respond = serving(patient(), condition, media_type=media_type)
    reply = door.ask()
    assert reply.status_code == 412
    assert issue(reply)["code"] == "not-supported"
    assert "not FHIR R4" in issue(reply)["details"]["text"]


# Merged records.


MERGED = {**patient(), "link": [{"other": {"reference": "Patient/p9"}, "type": "replaced-by"}]}
REFERRED = {**patient(), "active": False, "link": [{"other": {"reference": "Patient/p9"}, "type": "refer"}]}


@pytest.mark.parametrize("record", [MERGED, REFERRED], ids=["replaced-by", "inactive-refer"])
@pytest.mark.parametrize("prefetched", [True, False])
def test_a_record_that_was_merged_into_another_is_refused(door: Door, record: Json, prefetched: bool) -> None:
    door.fhir.respond = serving(record, leukaemia())
    prefetch = {"patient": record, "conditions": bundle(asthma())} if prefetched else None
    reply = door.ask(prefetch=prefetch)
    assert reply.status_code == 412
    assert issue(reply)["code"] == "conflict"
    assert "replaced by another" in issue(reply)["details"]["text"]
    assert "p9" not in reply.text


@pytest.mark.parametrize(
    "record",
    [
        {**patient(), "active": False},
        {**patient(), "link": [{"other": {"reference": "Patient/p0"}, "type": "replaces"}]},
        {**patient(), "active": True, "link": [{"other": {"reference": "Patient/p9"}, "type": "seealso"}]},
    ],
    ids=["inactive", "the-surviving-one", "seealso"],
)
def test_a_record_that_stands_for_itself_is_evaluated(door: Door, record: Json) -> None:
    reply = door.ask(prefetch={"patient": record, "conditions": bundle(asthma())})
    assert reply.status_code == 200
    assert door.sent() == []


def test_a_server_that_gives_another_patient_is_refused(door: Door) -> None:
    """As a server does that follows a merge by itself."""
    door.fhir.respond = serving(patient("p9"), leukaemia())
    reply = door.ask()
    assert reply.status_code == 412
    assert issue(reply)["code"] == "conflict"


def test_nothing_of_all_this_is_in_the_log(door: Door) -> None:
    assert door.ask("early-marrow").status_code in (200, 412)
    text = Path(door.service.log).read_text()
    assert TOKEN not in text
    assert "early-marrow" not in text
