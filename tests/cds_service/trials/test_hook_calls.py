"""The trial card of a hook call, through the service: what it names, and when it comes back."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from cds_service.app import create_app
from cds_service.app_state import parts_of
from cds_service.demo.demo_patients import load_patients
from cds_service.settings.model import Settings
from fhir_mappings.assess import Knowledge
from tests.cds_service.charts import EMPTY
from tests.cds_service.feedback.bodies import REASONS
from tests.cds_service.running import running

Json = dict[str, Any]
AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
SERVICE = "/cds-services/all-relapse"
TOPIC = "allTrialReferral"

HEAD = '[list]\nlabel = "List of the trial office"\nmaintained = 2026-11-18\n'
STUDY = """
[[studies]]
id = "{id}"
title = "Fictional study {id}"
link = "https://trials.example.org/{id}"
status = "{status}"
status_date = 2026-11-01
phase = "phase-2"
interventions = ["fictional antibody"]
contact = "Trial office, 555-0100"
not_checked = ["pregnancy"]

[[studies.sites]]
name = "Hospital"
city = "Worcester"
latitude = 42.26
longitude = -71.80

[[studies.criteria]]
fact = "lineage"
any_of = ["{lineage}"]

[[studies.criteria]]
fact = "cd19"
any_of = ["positive"]
"""


def study(name: str, lineage: str = "B", status: str = "recruiting") -> str:
    return STUDY.format(id=name, lineage=lineage, status=status)


def body_of(patient_id: str, *more: Json, without: str = "nothing") -> Json:
    """The hook call for a demonstration patient, everything in the prefetch."""
    (patient,) = (one for one in load_patients(AT.date()) if one.id == patient_id)
    resources = [one for one in patient.resources if without not in one["id"]] + list(more)
    person = next(one for one in resources if one["resourceType"] == "Patient")
    chart = {**EMPTY, "total": len(resources), "entry": [{"resource": one} for one in resources]}
    return {
        "hook": "patient-view",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": "Practitioner/1", "patientId": patient_id},
        "prefetch": {"patient": person, "conditions": chart, "marrow": EMPTY, "blood": EMPTY, "csf": EMPTY},
    }


class Hospital:
    """One service with a list that the trial office edits, and a clock."""

    def __init__(self, knowledge: Knowledge, folder: Path, *studies: str, **trials: Any) -> None:
        self.list = folder / "trials.toml"
        self.edits = 0
        self.write(*studies)
        self.now = AT
        place = {"site_latitude": 42.36, "site_longitude": -71.06, **trials}
        settings = Settings.embedded(trials={"catalogue": str(self.list), **place})
        self.app = create_app(settings, clock=lambda: self.now, knowledge=knowledge)
        self.client = self.app.test_client()

    def write(self, *studies: str) -> None:
        """A new edition of the list, as if written a minute after the one before."""

        self.list.write_text(HEAD + "".join(studies))
        self.edits += 60
        os.utime(self.list, (1_800_000_000 + self.edits,) * 2)

    def edit(self, *studies: str) -> None:
        """A new edition that the service has seen."""
        self.write(*studies)
        parts_of(self.app).trials.refresh()

    def card(self, body: Json) -> Json | None:
        """The trial card of a call."""
        answer = self.client.post(SERVICE, json=body)
        assert answer.status_code == 200, answer.text
        cards = {card["source"]["topic"]["code"]: card for card in answer.get_json()["cards"]}
        assert "allFinding" in cards
        card: Json | None = cards.get(TOPIC)
        if card is not None:
            card["evidence"] = cards["allEvidence"]["detail"]
        return card

    def set_aside(self, card: Json, reason: str) -> None:
        """The card is overridden for that reason."""
        assert reason in {one["code"] for one in card["overrideReasons"]}
        answer = self.client.post(f"{SERVICE}/feedback", json=overridden(card, reason, self.now))
        assert answer.status_code == 200


def overridden(card: Json, reason: str, at: datetime) -> Json:
    item = {
        "card": card["uuid"],
        "outcome": "overridden",
        "outcomeTimestamp": at.isoformat(),
        "overrideReason": {"reason": {"code": reason, "system": REASONS}},
    }
    return {"feedback": [item]}


@pytest.fixture
def hospital(knowledge: Knowledge, tmp_path: Path) -> Iterator[Hospital]:
    made = Hospital(knowledge, tmp_path, study("A"))
    yield made
    parts_of(made.app).close()


B_LINEAGE = body_of("early-marrow")


def test_the_card_names_a_study_with_all_that_a_referral_needs(hospital: Hospital) -> None:
    card = hospital.card(B_LINEAGE)
    assert card is not None
    assert card["summary"].startswith("Clinical trial first: 1 candidate")
    for text in (
        "**A** Fictional study A (phase 2)",
        "fictional antibody",
        "recruiting (as of 2026-11-01)",
        "Hospital, Worcester, 62 km away",
        "Trial office, 555-0100",
        "lineage: B lineage",
        "CD19: positive (2026-11-",
        "Not checked: pregnancy",
        "List of the trial office, as of 2026-11-18",
    ):
        assert text in card["evidence"]
    assert "eligible" not in card["evidence"].lower()
    added = {"label": "A", "url": "https://trials.example.org/A", "type": "absolute"}
    assert added in card["links"]
    (suggestion,) = card["suggestions"]
    (action,) = suggestion["actions"]
    order = action["resource"]
    assert (order["resourceType"], order["intent"], order["status"]) == (
        "ServiceRequest",
        "proposal",
        "draft",
    )


@pytest.mark.parametrize(
    "reason",
    ["trial-enrolled", "trial-referred", "trial-declined", "trial-unfit", "data-wrong", "trial-closed"],
)
def test_an_answer_keeps_the_card_away_until_a_fitting_study_opens(hospital: Hospital, reason: str) -> None:
    card = hospital.card(B_LINEAGE)
    assert card is not None
    hospital.set_aside(card, reason)
    assert hospital.card(B_LINEAGE) is None
    hospital.edit(study("A"), study("T", lineage="T"))
    assert hospital.card(B_LINEAGE) is None, "a study that does not fit is no news"
    hospital.edit(study("T", lineage="T"))
    assert hospital.card(B_LINEAGE) is None, "a study that closes is no news"
    hospital.now += timedelta(days=40)
    assert hospital.card(B_LINEAGE) is None, "time alone is no news"
    hospital.edit(study("A"), study("C"))
    again = hospital.card(B_LINEAGE)
    assert again is not None
    assert "**C**" in again["evidence"]


def test_the_new_card_of_the_same_day_is_another_card_and_can_be_answered(hospital: Hospital) -> None:
    first = hospital.card(B_LINEAGE)
    assert first is not None
    hospital.set_aside(first, "trial-declined")
    hospital.edit(study("A"), study("B"))
    second = hospital.card(B_LINEAGE)
    assert second is not None
    assert second["uuid"] != first["uuid"]
    hospital.now += timedelta(minutes=1)
    hospital.set_aside(second, "trial-declined")
    assert hospital.card(B_LINEAGE) is None


def test_a_change_of_the_patients_data_brings_the_card_back(hospital: Hospital) -> None:
    card = hospital.card(B_LINEAGE)
    assert card is not None
    hospital.set_aside(card, "trial-unfit")
    blasts = next(
        entry["resource"]
        for entry in B_LINEAGE["prefetch"]["conditions"]["entry"]
        if "blood-blasts" in entry["resource"]["id"]
    )
    quantity = {**blasts["valueQuantity"], "value": 31}
    newer = {**blasts, "id": "new", "effectiveDateTime": "2026-11-19", "valueQuantity": quantity}
    assert hospital.card(body_of("early-marrow", newer)) is not None


def test_another_creatinine_is_no_news(hospital: Hospital) -> None:
    card = hospital.card(B_LINEAGE)
    assert card is not None
    hospital.set_aside(card, "trial-referred")
    assert hospital.card(body_of("early-marrow", creatinine("2026-11-19"))) is None


def creatinine(day: str, value: float = 0.4) -> Json:
    return {
        "resourceType": "Observation",
        "id": f"creatinine-{day}",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "2160-0"}]},
        "subject": {"reference": "Patient/early-marrow"},
        "effectiveDateTime": day,
        "valueQuantity": {
            "value": value,
            "unit": "mg/dL",
            "system": "http://unitsofmeasure.org",
            "code": "mg/dL",
        },
    }


def test_a_measured_organ_function_decides_about_a_study(hospital: Hospital) -> None:
    limit = '\n[[studies.criteria]]\nfact = "creatinine"\nat_most = 1.0\n'
    hospital.edit(study("A") + limit)
    fits = hospital.card(body_of("early-marrow", creatinine("2026-11-18", 0.4)))
    assert fits is not None
    assert "creatinine: 0.4 mg/dL (2026-11-18)" in fits["evidence"]
    not_known = hospital.card(B_LINEAGE)
    assert not_known is not None
    assert "not on record: creatinine: 1 mg/dL or less" in not_known["evidence"]
    refused = hospital.card(body_of("early-marrow", creatinine("2026-11-18", 2.5)))
    assert refused is not None
    assert "No open study found on 2026-11-20 within 250 km." in refused["evidence"]
    assert "expected 1 mg/dL or less, found 2.5 mg/dL" in refused["evidence"]


def test_an_empty_list_says_so_and_a_missing_test_is_asked_for(hospital: Hospital) -> None:
    no_flow = hospital.card(body_of("early-marrow", without="cd19"))
    assert no_flow is not None
    assert "CD19 on the blasts (flow cytometry) is not on record and decides about A." in no_flow["evidence"]
    hospital.edit()
    card = hospital.card(B_LINEAGE)
    assert card is not None
    assert "No open study found on 2026-11-20 within 250 km." in card["evidence"]
    assert card["summary"] == "Clinical trial preferred: no open study found on 2026-11-20."


def test_a_broken_entry_leaves_the_others_and_the_card_says_that_the_list_is_incomplete(
    hospital: Hospital,
) -> None:
    hospital.edit(study("A"), study("B").replace("2026-11-01", "yesterday"))
    card = hospital.card(B_LINEAGE)
    assert card is not None
    assert "**A**" in card["evidence"]
    assert "**B**" not in card["evidence"]
    assert "List of the trial office is incomplete: faults in the list: 1" in card["evidence"]


def test_a_patient_on_a_study_sees_the_enrolment_and_no_study_is_named(hospital: Hospital) -> None:
    enrolled = {
        "resourceType": "ResearchSubject",
        "id": "rs1",
        "status": "on-study",
        "individual": {"reference": "Patient/early-marrow"},
        "study": {"reference": "ResearchStudy/9", "display": "Fictional study 9"},
    }
    card = hospital.card(body_of("early-marrow", enrolled))
    assert card is not None
    assert "Study on record: Fictional study 9 (on-study)." in card["evidence"]
    assert "**A**" not in card["evidence"]
    assert "suggestions" not in card
    assert not [link for link in card["links"] if "trials.example.org" in link["url"]]


def test_a_list_that_cannot_be_read_is_not_an_empty_list(hospital: Hospital) -> None:
    hospital.edit("[[studies]]\nid =\n")
    card = hospital.card(B_LINEAGE)
    assert card is not None
    assert "no open study" not in card["summary"]
    assert "in what could be read of the list" in card["evidence"]
    assert "is incomplete" in card["evidence"]


def test_without_a_list_the_card_says_what_to_search_for(knowledge: Knowledge) -> None:
    app = create_app(Settings.embedded(), clock=lambda: AT, knowledge=knowledge)
    answer = app.test_client().post(SERVICE, json=B_LINEAGE).get_json()
    parts_of(app).close()
    (card,) = (one for one in answer["cards"] if one["source"]["topic"]["code"] == TOPIC)
    assert "For the search: relapsed ALL, B lineage" in card["detail"]
    assert "List of studies" not in card["detail"]


def test_the_answer_outlives_the_service_and_a_study_that_opened_meanwhile_is_shown(tmp_path: Path) -> None:
    catalogue = tmp_path / "trials.toml"
    settings = Settings.embedded(
        store=f"sqlite:///{tmp_path}/store.db", trials={"catalogue": str(catalogue)}, workers=1
    )

    def fire(url: str) -> Json | None:
        cards = requests.post(f"{url}{SERVICE}", json=B_LINEAGE, timeout=120).json()["cards"]
        return next((card for card in cards if card["source"]["topic"]["code"] == TOPIC), None)

    catalogue.write_text(HEAD + study("A"))
    with running(settings, AT, tmp_path) as service:
        card = fire(service.url)
        assert card is not None
        answer = overridden(card, "trial-declined", AT)
        assert requests.post(f"{service.url}{SERVICE}/feedback", json=answer, timeout=120).status_code == 200
        assert fire(service.url) is None
    catalogue.write_text(HEAD + study("A") + study("C"))
    with running(settings, AT, tmp_path) as service:
        card = fire(service.url)
        assert card is not None
        assert "| C |" in card["detail"]
