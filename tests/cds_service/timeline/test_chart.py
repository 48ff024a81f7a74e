"""The page of a chart: what it says, that it agrees with the assessment, and that text stays text."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from cds_service.demo.application import LOCAL_CODES
from cds_service.timeline.demonstration import Demonstration, DemonstrationPatient, admit_without_launch
from fhir_mappings.assess import Knowledge, Subject, as_json, assess, decode, load_knowledge
from fhir_mappings.fhir.elements import Entry
from tests.cds_service.timeline.conftest import ServiceMaker, Visitor
from tests.conftest import AT
from tests.smart.authorization_server import AuthorizationServer

_DATA = re.compile(r'<script type="application/json" id="picture-data">(.*?)</script>', re.DOTALL)
_ROW = re.compile(r'<span class="letter">(\w+)</span>.*?<span class="badge \w+">([^<]+)</span>', re.DOTALL)
_SCRIPT = re.compile(r"<script\b([^>]*)>", re.IGNORECASE)


def picture(text: str) -> dict[str, Any]:
    """The JSON of the page."""
    found = _DATA.search(text)
    assert found is not None
    loaded: dict[str, Any] = json.loads(found[1])
    return loaded


def panel(text: str, key: str) -> dict[str, Any]:
    """One panel of the picture."""
    return next(one for one in picture(text)["panels"] if one["key"] == key)


def _entries(charts: list[dict[str, Any]], patient: str) -> list[Entry]:
    """One patient's resources, as the rules read them."""
    own = [one for one in charts if one.get("id") == patient or f'"Patient/{patient}"' in json.dumps(one)]
    bundle = {"resourceType": "Bundle", "entry": [{"resource": one} for one in own]}
    return decode(json.dumps(bundle).encode()).resource.entry or []


def test_the_samples_that_met_a_criterion_are_marked(visitor: Visitor) -> None:
    text = visitor.open("early-marrow").get_data(as_text=True)
    marked = {
        (key, point["value"], point["letters"])
        for key in ("marrow", "blood", "csf", "mrd")
        for point in panel(text, key)["points"]
        if point["fired"]
    }
    assert marked == {("marrow", "82 %", "A, C"), ("blood", "12 %", "C")}


def test_phases_marks_and_lines(visitor: Visitor) -> None:
    text = visitor.open("cd19-negative").get_data(as_text=True)
    shown = picture(text)
    assert [one["kind"] for one in shown["phases"]] == [
        "disease", "remission", "relapse", "remission", "relapse",
    ]  # fmt: skip
    assert {"Diagnosis", "End of later plan", "Allogeneic HSCT"} <= {one["label"] for one in shown["marks"]}
    assert {"Treatment plan", "Blinatumomab"} == {one["label"] for one in shown["treatments"]}
    assert {one["value"] for one in panel(text, "marrow")["lines"]} == {5, 25, 50}
    assert [one["label"] for one in panel(text, "csf")["lines"]] == ["> 5 /µL · E"]
    low = [point["value"] for point in panel(text, "mrd")["points"] if point["low"] != point["high"]]
    assert low == ["<0.01 %"] * 3


@pytest.mark.parametrize(
    "patient",
    ["early-marrow", "isolated-cns", "probable", "traumatic-tap", "testicular", "cd19-negative", "mrd-due"],
)
def test_the_page_says_what_the_assessment_says(
    visitor: Visitor, charts: list[dict[str, Any]], knowledge: Knowledge, patient: str
) -> None:
    text = visitor.open(patient).get_data(as_text=True)
    answer = as_json(
        assess(_entries(charts, patient), AT, knowledge, subject=Subject(patient), local_codes=LOCAL_CODES)
    )
    rows = _ROW.findall(text)
    names = {"met": "met", "not-met": "not met", "unknown": "cannot be decided"}
    assert rows == [(one["id"], names[one["verdict"]]) for one in answer["criteria"]]
    because = [item for one in answer["criteria"] if one["verdict"] == "met" for item in one["because"]]
    points = [point for key in ("marrow", "blood") for point in panel(text, key)["points"]]
    fired = {point["words"].split(":")[0] for point in points if point["fired"]}
    assert {item["date"] for item in because if item["what"].startswith(("marrow", "blood"))} <= fired
    assert all(item["resource"] in text for item in because)
    for system in ("seed-003", "seed-000"):
        arithmetic = answer["timing"][system].get("arithmetic", "")
        assert arithmetic in text


def test_timing_sources_review_state_and_version_are_told(visitor: Visitor, knowledge: Knowledge) -> None:
    text = visitor.open("early-marrow").get_data(as_text=True)
    assert "months from diagnosis" in text
    assert "relapse on therapy" in text
    assert knowledge.version in text
    assert knowledge.review in text
    assert knowledge.sources["seed-000"].url in text
    assert "S-000-01" in text


def test_what_was_not_evaluated_and_left_out_is_told(
    make_service: ServiceMaker, ehr: AuthorizationServer
) -> None:
    text = Visitor(make_service().test_client(), ehr).open("late-marrow").get_data(as_text=True)
    assert "Not evaluated" in text
    assert "Left out" in text
    ehr.behaviour.grants = "patient/Condition.rs patient/Observation.rs"
    ignored = Visitor(make_service().test_client(), ehr).open("newly-diagnosed").get_data(as_text=True)
    assert "since remission" in ignored


def test_a_chart_without_leukaemia_is_no_empty_promise(visitor: Visitor) -> None:
    text = visitor.open("healthy").get_data(as_text=True)
    assert "No acute lymphoblastic leukaemia is on record. Results were not looked at." in text
    assert "No relapse is shown" not in text
    assert "No dated sample" not in text


def test_text_of_a_chart_stays_text(visitor: Visitor) -> None:
    page = visitor.open("hostile-text")
    text = page.get_data(as_text=True)
    assert page.status_code == 200
    scripts = _SCRIPT.findall(text)
    assert len(scripts) == 3
    assert all("src=" in one or 'type="application/json"' in one for one in scripts)
    assert "onload=alert" not in text.replace("\\u003c", "<") or "&lt;" in text
    assert "<svg onload" not in text
    assert "<b>bold" not in text


def test_the_policy_admits_nothing_inline(visitor: Visitor) -> None:
    page = visitor.open()
    policy = page.headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "style-src 'self';" in policy
    assert "unsafe" not in policy
    text = page.get_data(as_text=True)
    assert " style=" not in text
    assert not re.search(r"\son[a-z]+=", text)
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "no-referrer"


def test_the_library_is_shipped_with_its_licence(visitor: Visitor) -> None:
    with visitor.client.get("/timeline/static/vendor/d3.min.js") as answer:
        script = answer.get_data(as_text=True)
    with visitor.client.get("/timeline/static/vendor/d3.LICENSE.txt") as answer:
        licence = answer.get_data(as_text=True)
    assert "d3js.org v7" in script[:60]
    assert "Permission to use, copy, modify" in licence


def test_without_a_demonstration_no_chart_opens_without_a_launch(visitor: Visitor) -> None:
    page = visitor.client.get("/timeline/?patient=early-marrow")
    assert page.status_code == 200
    assert "picture-data" not in page.get_data(as_text=True)
    assert visitor.ehr.fhir_requests == []


def test_a_demonstration_opens_its_own_patients_only(
    make_service: ServiceMaker, ehr: AuthorizationServer
) -> None:
    app = make_service()
    people = [DemonstrationPatient("early-marrow", "Ada Beispiel", "A story.")]
    admit_without_launch(app, Demonstration(ehr.iss, people, ehr.tokens.issue))
    client = app.test_client()
    assert "Ada Beispiel" in client.get("/timeline/").get_data(as_text=True)
    assert "Ada Beispiel" in client.get("/timeline/?patient=early-marrow").get_data(as_text=True)
    other = client.get("/timeline/?patient=isolated-cns")
    assert other.status_code == 404
    assert "picture-data" not in other.get_data(as_text=True)


def test_a_chart_of_another_patient_is_refused(
    visitor: Visitor, ehr: AuthorizationServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token opens one patient, the EHR names another: nothing of either is shown."""
    issue = ehr.tokens.issue
    monkeypatch.setattr(type(ehr.tokens), "issue", lambda _, patient: issue("isolated-cns"))
    text = visitor.open("early-marrow").get_data(as_text=True)
    assert "This is not a negative result" in text
    assert "Relapsed ALL" not in text


def test_the_knowledge_has_words_for_every_criterion() -> None:
    words = load_knowledge().words
    for key in ("A", "B.rise", "B.above-five", "B.two-above-25", "C", "D", "E", "MRD"):
        assert words[f"timeline.criterion.{key}"].cites
