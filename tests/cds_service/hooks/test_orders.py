"""The order hooks over HTTP: draft orders are read as planned drugs, and only as that."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from flask import Flask
from flask.testing import FlaskClient

from cds_service.app import create_app
from cds_service.app_state import parts_of
from cds_service.hooks import HOOKS
from cds_service.settings.model import Settings
from fhir_mappings.assess import Knowledge
from tests.clinical.case_files import Case, read_cases
from tests.oracle.cds_response import assert_conformant

Json = dict[str, Any]
AppMaker = Callable[..., Flask]

ORDER_HOOKS = {"all-relapse-order-select": "order-select", "all-relapse-order-sign": "order-sign"}
CASES = Path(__file__).parents[2] / "clinical" / "relapsed_all" / "extramedullary.toml"
NO_RESULTS = {"resourceType": "Bundle", "type": "searchset", "total": 0}
FLUDARABINE = {
    "resourceType": "MedicationRequest",
    "id": "x" * 200,
    "status": "draft",
    "intent": "order",
    "medicationCodeableConcept": {"text": "Fludarabine"},
}


@pytest.fixture(scope="module")
def v57() -> Case:
    return next(case for case in read_cases(CASES.parent) if case.id == "V57")


@pytest.fixture
def ordering(make_app: AppMaker, v57: Case, knowledge: Knowledge) -> Any:
    settings = Settings.embedded(hooks=tuple(HOOKS), explain=True, max_cards=10)
    app = create_app(settings, clock=lambda: v57.at, knowledge=knowledge)
    yield app.test_client()
    parts_of(app).close()


def is_draft(resource: Json) -> bool:
    return (resource["resourceType"], resource.get("status")) == ("MedicationRequest", "draft")


def bundle(resources: list[Json]) -> Json:
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in resources]}


def body(case: Case, hook: str, drafts: list[Json]) -> Json:
    patient = next(one["id"] for one in case.resources if one["resourceType"] == "Patient")
    context = {"userId": "PractitionerRole/1", "patientId": patient, "draftOrders": bundle(drafts)}
    if hook == "order-select":
        context["selections"] = [f"MedicationRequest/{one['id']}" for one in drafts]
    chart = [one for one in case.resources if not is_draft(one)]
    return {
        "hook": hook,
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": context,
        "prefetch": {"chart": bundle(chart), "blood": NO_RESULTS},
    }


def sections(client: FlaskClient, service: str, sent: Json) -> tuple[list[str], str]:
    response = client.post(
        f"/cds-services/{service}", data=orjson.dumps(sent), content_type="application/json"
    )
    assert response.status_code == 200, response.text
    answer: Json = response.json  # type: ignore[assignment]
    assert_conformant(answer)
    assessment = answer["extension"]["org.relapse-cds.assessment"]
    return assessment["sections"], "\n".join(card["detail"] for card in answer["cards"])


@pytest.mark.req("V57")
@pytest.mark.parametrize("service", ORDER_HOOKS)
def test_intrathecal_drugs_alone_call_for_systemic_therapy(
    ordering: FlaskClient, v57: Case, service: str
) -> None:
    drafts = [one for one in v57.resources if is_draft(one)]
    assert len(drafts) == 3
    found, text = sections(ordering, service, body(v57, ORDER_HOOKS[service], drafts))
    assert {"SAFE-ITONLY", "CNS-TX"} <= set(found)
    assert "intrathecal" in text.lower()


@pytest.mark.parametrize("service", ORDER_HOOKS)
def test_without_draft_orders_nothing_is_said_about_them(
    ordering: FlaskClient, v57: Case, service: str
) -> None:
    found, _ = sections(ordering, service, body(v57, ORDER_HOOKS[service], []))
    assert "SAFE-ITONLY" not in found
    assert "CNS-TX" in found


@pytest.mark.parametrize("status", ["draft", "active", "unknown"])
def test_salvage_without_a_targeted_drug_is_asked_about(
    ordering: FlaskClient, v57: Case, status: str
) -> None:
    subject = next(one["subject"] for one in v57.resources if "subject" in one)
    order = {**FLUDARABINE, "subject": subject, "status": status}
    question = "S-003-49"
    _, before = sections(ordering, "all-relapse-order-select", body(v57, "order-select", []))
    _, after = sections(ordering, "all-relapse-order-select", body(v57, "order-select", [order]))
    assert question not in before
    assert question in after


@pytest.mark.parametrize("status", ["cancelled", "entered-in-error"])
def test_a_withdrawn_order_is_none(ordering: FlaskClient, v57: Case, status: str) -> None:
    drafts = [{**one, "status": status} for one in v57.resources if is_draft(one)]
    found, _ = sections(ordering, "all-relapse-order-sign", body(v57, "order-sign", drafts))
    assert "SAFE-ITONLY" not in found


def test_another_patients_draft_refuses_the_call(ordering: FlaskClient, v57: Case) -> None:
    foreign = {"resourceType": "ServiceRequest", "status": "draft", "subject": {"reference": "Patient/other"}}
    sent = orjson.dumps(body(v57, "order-sign", [foreign | {"id": "s"}]))
    response = ordering.post(
        "/cds-services/all-relapse-order-sign", data=sent, content_type="application/json"
    )
    assert response.status_code == 412
    assert response.json["issue"][0]["code"] == "conflict"  # type: ignore[index]


@pytest.mark.parametrize(
    ("service", "change"),
    [
        ("all-relapse-order-select", {"selections": None}),
        ("all-relapse-order-select", {"selections": "MedicationRequest/1"}),
        ("all-relapse-order-select", {"draftOrders": None}),
        ("all-relapse-order-sign", {"draftOrders": []}),
        ("all-relapse-order-sign", {"draftOrders": {"resourceType": "MedicationRequest"}}),
        ("all-relapse-order-sign", {"draftOrders": {}}),
    ],
)
def test_a_context_of_another_shape_is_refused(
    ordering: FlaskClient, v57: Case, service: str, change: Json
) -> None:
    sent = body(v57, ORDER_HOOKS[service], [])
    sent["context"] = {key: value for key, value in (sent["context"] | change).items() if value is not None}
    response = ordering.post(
        f"/cds-services/{service}", data=orjson.dumps(sent), content_type="application/json"
    )
    assert response.status_code == 400
    assert "context." in response.json["issue"][0]["diagnostics"]  # type: ignore[index]


@pytest.mark.parametrize(
    "entry", [7, None, {}, {"resource": {"resourceType": "MedicationRequest", "status": 7}}]
)
def test_any_draft_order_gets_a_valid_answer(ordering: FlaskClient, v57: Case, entry: object) -> None:
    sent = body(v57, "order-sign", [])
    sent["context"]["draftOrders"]["entry"] = [entry]
    found, _ = sections(ordering, "all-relapse-order-sign", sent)
    assert "CNS-TX" in found


def test_the_order_hooks_are_off_until_they_are_configured(client: FlaskClient, v57: Case) -> None:
    offered = {one["id"] for one in client.get("/cds-services").json["services"]}  # type: ignore[index]
    assert not offered & ORDER_HOOKS.keys()
    sent = orjson.dumps(body(v57, "order-sign", []))
    response = client.post("/cds-services/all-relapse-order-sign", data=sent, content_type="application/json")
    assert response.status_code == 404
