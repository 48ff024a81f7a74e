"""Studies from a hospital's own FHIR server, read without a token."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from cds_service.fhir_client.deadline import Deadline
from cds_service.fhir_client.transport import Failed, Reply, Request
from cds_service.http.fhir_base import parse_base
from cds_service.trials.fhir_server import ServerUnavailable, read_server_studies
from fhir_mappings.trials import StudyList
from fhir_mappings.trials.knowledge import CRITERION_SYSTEM
from tests.fhir_mappings.trials.people import vocabulary

BASE = "https://ehr.example.org/fhir"
SEARCH = "/fhir/ResearchStudy?status=active,approved,in-review&_count=100"
TODAY = date(2026, 11, 20)


def study(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "resourceType": "ResearchStudy",
        "id": f"s{number}",
        "identifier": [{"value": f"LOCAL-{number}"}],
        "title": "Fictional study in relapsed acute lymphoblastic leukaemia",
        "status": "active",
        **changes,
    }


def bundle(*resources: dict[str, Any], next_url: str = "") -> dict[str, Any]:
    links = [{"relation": "next", "url": next_url}] if next_url else []
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "link": links,
        "entry": [{"resource": resource} for resource in resources],
    }


class Server:
    """Answers by target; remembers what was asked and with which authorisation."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.base = parse_base(BASE)
        self.answers = answers
        self.asked: list[tuple[str, str]] = []

    def send(self, request: Request, authorization: str, deadline: Deadline) -> Reply | Failed:
        self.asked.append((request.target, authorization))
        answer = self.answers.get(request.target, Reply(404, {}, b""))
        return answer if isinstance(answer, Reply | Failed) else Reply(200, {}, json.dumps(answer).encode())


def read(answers: dict[str, Any]) -> tuple[StudyList, Server]:
    server = Server(answers)
    found = read_server_studies(server, vocabulary(), Deadline.after(60), TODAY)  # type: ignore[arg-type]
    return found, server


def test_studies_with_groups_and_places_that_are_fetched_by_id() -> None:
    lineage = {
        "code": {"coding": [{"system": CRITERION_SYSTEM, "code": "lineage"}]},
        "valueCodeableConcept": {"coding": [{"system": CRITERION_SYSTEM, "code": "B"}]},
    }
    group = {"resourceType": "Group", "id": "g1", "characteristic": [lineage]}
    place = {"resourceType": "Location", "id": "l1", "name": "Here", "status": "active"}
    first = study(1, enrollment=[{"reference": "Group/g1"}], site=[{"reference": "Location/l1"}])
    found, server = read(
        {
            SEARCH: bundle(first, next_url=f"{BASE}/ResearchStudy?page=2"),
            "/fhir/ResearchStudy?page=2": bundle(study(2)),
            "/fhir/Group?_id=g1&_count=1": bundle(group),
            "/fhir/Location?_id=l1&_count=1": bundle(place),
        }
    )
    assert [one.id for one in found.studies] == ["LOCAL-1", "LOCAL-2"]
    assert "lineage" in {one.fact.value for one in found.studies[0].criteria}
    assert [site.name for site in found.studies[0].sites] == ["Here"]
    assert found.complete
    assert found.as_of is not None
    assert found.as_of.text == "2026-11-20"
    assert {authorization for _, authorization in server.asked} == {""}


def test_a_group_that_cannot_be_had_leaves_the_list_incomplete() -> None:
    found, _ = read({SEARCH: bundle(study(1, enrollment=[{"reference": "Group/g1"}]))})
    assert len(found.studies) == 1
    assert not found.complete
    assert vocabulary().phrases["unreadable_criterion"] in found.studies[0].not_checked


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Failed("timed-out"), "timed-out"),
        (Reply(500, {}, b""), "server-error"),
        (Reply(401, {}, b""), "refused"),
        (Reply(200, {}, b"<html>"), "malformed"),
        (Reply(200, {}, b'{"resourceType": "OperationOutcome"}'), "not-fhir"),
        (bundle(study(1), next_url="https://evil.example.org/fhir/ResearchStudy"), "paging-blocked"),
        (bundle(study(1), next_url=f"https://ehr.example.org{SEARCH}"), "paging-blocked"),
    ],
)
def test_a_search_that_fails_is_no_list(answer: Any, reason: str) -> None:
    with pytest.raises(ServerUnavailable) as caught:
        read({SEARCH: answer})
    assert caught.value.reason == reason


def test_paging_without_end_is_given_up() -> None:
    answers: dict[str, Any] = {SEARCH: bundle(next_url=f"{BASE}/ResearchStudy?page=1")}
    for number in range(1, 30):
        target = f"/fhir/ResearchStudy?page={number}"
        answers[target] = bundle(study(number), next_url=f"{BASE}/ResearchStudy?page={number + 1}")
    with pytest.raises(ServerUnavailable, match="truncated"):
        read(answers)
