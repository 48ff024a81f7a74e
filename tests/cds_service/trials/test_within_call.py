"""Studies of a FHIR server that wants a token: asked for in the call, with nothing about the patient."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask

from cds_service.app import create_app
from cds_service.app_state import parts_of
from cds_service.settings.model import Settings, Tenant
from fhir_mappings.assess import Knowledge
from tests.cds_service.charts import FHIR_SERVER, TableReader, with_server
from tests.cds_service.trials.test_fhir_server import SEARCH, bundle, study
from tests.cds_service.trials.test_hook_calls import TOPIC, body_of

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
CALL = body_of("early-marrow")
Json = dict[str, Any]


class Ehr:
    """The service of a tenant whose server wants a token."""

    def __init__(self, knowledge: Knowledge, **tenant: Any) -> None:
        self.reader = TableReader(studies={SEARCH: bundle(study(1))})
        settings = Settings.embedded(
            trials={"fhir_servers": True},
            tenants=(Tenant(id="general", fhir_servers=(FHIR_SERVER,), **tenant),),
        )
        self.app: Flask = create_app(settings, clock=lambda: AT, knowledge=knowledge, reader=self.reader)

    def card(self, body: Json) -> Json:
        answer = self.app.test_client().post("/cds-services/all-relapse", json=body)
        assert answer.status_code == 200, answer.text
        cards = {one["source"]["topic"]["code"]: one for one in answer.get_json()["cards"]}
        return {**cards[TOPIC], "evidence": cards["allEvidence"]["detail"]}


@pytest.fixture
def ehr(knowledge: Knowledge) -> Iterator[Ehr]:
    made = Ehr(knowledge)
    yield made
    parts_of(made.app).close()


def test_the_studies_of_the_server_are_named(ehr: Ehr) -> None:
    card = ehr.card({**CALL, **with_server()})
    assert "**LOCAL-1**" in card["evidence"]
    assert "studies on the hospital's FHIR server, as of 2026-11-20" in card["evidence"]


def test_what_is_asked_names_no_patient(ehr: Ehr) -> None:
    ehr.card({**CALL, **with_server()})
    assert ehr.reader.asked == [SEARCH]
    assert "early-marrow" not in SEARCH


def test_a_server_that_does_not_answer_leaves_the_list_incomplete(ehr: Ehr) -> None:
    ehr.reader.studies.clear()
    card = ehr.card({**CALL, **with_server()})
    assert "could not be read for this call" in card["evidence"]
    assert "no open study" not in card["summary"]


def test_without_a_token_nothing_is_asked_and_the_card_is_the_general_one(ehr: Ehr) -> None:
    card = ehr.card({**CALL, "fhirServer": FHIR_SERVER})
    assert ehr.reader.asked == []
    assert "For the search" in card["evidence"]


def test_a_chart_without_a_trial_card_asks_for_no_study(ehr: Ehr) -> None:
    healthy = {**body_of("healthy"), **with_server()}
    answer = ehr.app.test_client().post("/cds-services/all-relapse", json=healthy)
    assert answer.get_json() == {"cards": []} or "extension" in answer.get_json()
    assert ehr.reader.asked == []
