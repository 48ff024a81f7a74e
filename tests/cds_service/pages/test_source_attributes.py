"""The source attributes over HTTP: complete, honest about gaps, open, cached by their digest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pydantic import ValidationError

from cds_service.app_state import parts_of
from cds_service.wire.source_attributes import (
    Attribute,
    AttributeFile,
    read_attributes,
    source_attributes,
)
from fhir_mappings.assess import Knowledge

PATH = "/cds-services/all-relapse/source-attributes"
AppMaker = Callable[..., Flask]


def test_all_attributes_are_there_and_none_is_empty(client: FlaskClient, app: Flask) -> None:
    response = client.get(PATH)
    assert response.status_code == 200
    body: dict[str, Any] = response.json  # type: ignore[assignment]
    assert body.keys() == {"version", "digest", "evidenceBased", "predictive"}
    assert body["version"] == parts_of(app).knowledge.version
    assert body["digest"].startswith("sha256:")
    assert [len(body["evidenceBased"]), len(body["predictive"])] == [13, 31]
    for one in (*body["evidenceBased"], *body["predictive"]):
        assert len(one) == 4
        assert one.keys() >= {"key", "rule", "title"}
        assert one.keys() & {"value", "notApplicable"}
        assert all(text.strip() and "{" not in text for text in one.values())
    assert all("value" in one for one in body["evidenceBased"])


def test_the_rule_of_each_attribute_is_named(client: FlaskClient) -> None:
    body: dict[str, Any] = client.get(PATH).json  # type: ignore[assignment]
    assert [one["rule"] for one in body["evidenceBased"]] == [f"170.315.b.11.iv.A.{n}" for n in range(1, 14)]
    assert [one["rule"] for one in body["predictive"]] == [f"170.315.b.11.iv.B.{n}" for n in range(1, 32)]


def test_every_source_of_the_knowledge_is_cited(client: FlaskClient, knowledge: Knowledge) -> None:
    body: dict[str, Any] = client.get(PATH).json  # type: ignore[assignment]
    citation = body["evidenceBased"][0]["value"]
    assert all(source.title in citation and source.url in citation for source in knowledge.sources.values())


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "text/html"),
        ("text/html;q=0.5, application/json", "application/json"),
        ("image/png", "application/json"),
    ],
)
def test_people_get_a_page_and_programs_get_json(client: FlaskClient, accept: str, kind: str) -> None:
    response = client.get(PATH, headers={"Accept": accept} if accept else {})
    assert response.status_code == 200
    assert response.mimetype == kind
    assert "Accept" in response.headers["Vary"]


def test_the_page_shows_every_attribute(client: FlaskClient) -> None:
    body: dict[str, Any] = client.get(PATH).json  # type: ignore[assignment]
    text = client.get(PATH, headers={"Accept": "text/html"}).text
    for one in (*body["evidenceBased"], *body["predictive"]):
        assert f'id="{one["key"]}"' in text
    assert text.count("Does not apply.") == sum("notApplicable" in one for one in body["predictive"])


def test_what_has_not_changed_is_not_sent_again(client: FlaskClient) -> None:
    first = client.get(PATH)
    again = client.get(PATH, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    page = client.get(PATH, headers={"If-None-Match": first.headers["ETag"], "Accept": "text/html"})
    assert page.status_code == 200


def test_nobody_needs_a_token(make_app: AppMaker, tmp_path: Any) -> None:
    app = make_app(auth="required", discovery_auth="required", tenants=())
    assert app.test_client().get(PATH).status_code == 200
    assert app.test_client().get("/cds-services").status_code == 401


def test_each_service_has_its_own_address_and_no_other_has_one(client: FlaskClient) -> None:
    own = client.get("/cds-services/all-relapse-encounter-start/source-attributes")
    assert own.json == client.get(PATH).json
    missing = client.get("/cds-services/unknown/source-attributes")
    assert missing.status_code == 404
    assert missing.json["resourceType"] == "OperationOutcome"  # type: ignore[index]


def test_discovery_leads_there(make_app: AppMaker) -> None:
    client = make_app(public_url="https://cds.example.org").test_client()
    document: dict[str, Any] = client.get(PATH).json  # type: ignore[assignment]
    for service in client.get("/cds-services").json["services"]:  # type: ignore[index]
        assert service["extension"] == {
            "org.relapse-cds.source-attributes": {
                "url": f"https://cds.example.org/cds-services/{service['id']}/source-attributes",
                "version": document["version"],
                "digest": document["digest"],
            }
        }


def test_other_knowledge_or_other_words_have_another_digest(knowledge: Knowledge) -> None:
    own = source_attributes(knowledge).digest
    assert source_attributes(replace(knowledge, digest="sha256:0")).digest != own
    assert source_attributes(replace(knowledge, review="other")).digest != own
    assert source_attributes(knowledge).digest == own


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"value": "a", "not_applicable": "b"},
        {"value": " "},
        {"value": "{unheard_of}"},
        {"value": "a", "more": "b"},
    ],
)
def test_an_attribute_has_a_value_or_a_reason(fields: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Attribute.model_validate({"key": "a-key", "title": "A title", **fields})


def test_a_list_with_a_gap_or_a_repetition_is_refused() -> None:
    good = read_attributes()
    with pytest.raises(ValidationError):
        AttributeFile(evidence_based=good.evidence_based[1:], predictive=good.predictive)
    with pytest.raises(ValidationError):
        AttributeFile(evidence_based=[good.evidence_based[0]] * 13, predictive=good.predictive)
