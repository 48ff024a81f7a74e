"""What a browser holds between launch and chart: bound to it, sealed, short-lived, one per chart."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from cds_service.app import create_app
from cds_service.app_state import attach, parts_of
from cds_service.fhir_client.transport import Failed, Transport
from cds_service.settings.model import Settings, Tenant
from fhir_mappings.assess import Knowledge
from tests.cds_service.timeline.conftest import (
    PUBLIC_URL,
    Moving,
    ServiceMaker,
    Visitor,
    cookies,
    refused,
)
from tests.conftest import AT
from tests.smart.authorization_server import AuthorizationServer


@pytest.fixture
def moving() -> Moving:
    """A clock whose hand a test can move."""
    hand = [AT]
    return hand, lambda: hand[0]


def test_a_launch_expires(
    make_service: ServiceMaker,
    ehr: AuthorizationServer,
    moving: Moving,
) -> None:
    hand, clock = moving
    visitor = Visitor(make_service(clock).test_client(), ehr)
    sent = visitor.launch()
    line, _ = sent.headers.getlist("Set-Cookie")
    # The browser still has the launch then, and so it can be called late.
    assert int(line.partition("Max-Age=")[2].partition(";")[0]) > 3600
    back = visitor.sign_in(sent)
    hand[0] += timedelta(seconds=601)
    refused(visitor.client.get(back), 400, "has expired")
    assert ehr.token_requests == []


def test_a_session_ends_with_the_token(
    make_service: ServiceMaker,
    ehr: AuthorizationServer,
    moving: Moving,
) -> None:
    hand, clock = moving
    visitor = Visitor(make_service(clock).test_client(), ehr)
    arrived = visitor.client.get(visitor.sign_in(visitor.launch()))
    place = arrived.headers["Location"]
    assert visitor.client.get(place).status_code == 200
    hand[0] += timedelta(seconds=299)
    assert visitor.client.get(place).status_code == 200
    hand[0] += timedelta(seconds=2)
    refused(visitor.client.get(place), 401, "This session is over")


def test_two_charts_in_one_browser_are_not_mixed_up(visitor: Visitor) -> None:
    first = visitor.client.get(visitor.sign_in(visitor.launch("early-marrow"))).headers["Location"]
    second = visitor.client.get(visitor.sign_in(visitor.launch("isolated-cns"))).headers["Location"]
    for place, patient in ((first, "early-marrow"), (second, "isolated-cns"), (first, "early-marrow")):
        text = visitor.client.get(place).get_data(as_text=True)
        assert f"patient <strong>{patient}</strong>" in text


def test_a_chart_cannot_be_opened_without_its_cookie(visitor: Visitor, service: Flask) -> None:
    place = visitor.client.get(visitor.sign_in(visitor.launch())).headers["Location"]
    refused(service.test_client().get(place), 401, "This session is over")
    refused(visitor.client.get("/timeline/chart/another"), 401, "This session is over")


def test_a_changed_cookie_opens_nothing(visitor: Visitor) -> None:
    place = visitor.client.get(visitor.sign_in(visitor.launch())).headers["Location"]
    cookie = next(one for one in cookies(visitor) if one.key == "relapse_chart_0")
    changed = cookie.value[:-6] + ("AAAAAA" if not cookie.value.endswith("AAAAAA") else "BBBBBB")
    visitor.client.set_cookie("relapse_chart_0", changed, path=place)
    refused(visitor.client.get(place), 401, "This session is over")


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(visitor: Visitor) -> None:
    sent = visitor.launch()
    arrived = visitor.client.get(visitor.sign_in(sent))
    made = [*sent.headers.getlist("Set-Cookie"), *arrived.headers.getlist("Set-Cookie")]
    made = [line for line in made if "Max-Age=0" not in line]
    assert made
    for line in made:
        assert "HttpOnly" in line
        assert "SameSite=Lax" in line
        assert ("Path=/timeline/c" in line) != line.startswith("relapse_launches=")


def test_cookies_are_secure_behind_https(ehr: AuthorizationServer, make_service: ServiceMaker) -> None:
    app = make_service()
    parts = parts_of(app)
    settings = parts.settings.model_copy(update={"public_url": "https://localhost"})
    attach(app, replace(parts, settings=settings))
    sent = Visitor(app.test_client(), ehr).launch()
    assert all("Secure" in line for line in sent.headers.getlist("Set-Cookie"))


def test_the_token_is_nowhere_but_in_the_sealed_cookie(
    visitor: Visitor, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    sent = visitor.launch()
    arrived = visitor.client.get(visitor.sign_in(sent))
    page = visitor.client.get(arrived.headers["Location"])
    [token] = visitor.ehr.issued
    [exchange] = visitor.ehr.token_requests
    seen = [page.get_data(as_text=True), str(page.headers), str(arrived.headers), sent.headers["Location"]]
    ours = [record for record in caplog.records if record.name != "werkzeug"]
    logged = " ".join(str(record.__dict__) for record in ours)
    for secret in (token, exchange["code"], exchange["code_verifier"]):
        assert not any(secret in text for text in seen)
        assert secret not in logged
    assert "early-marrow" not in logged
    assert "Observation/" not in logged
    assert "timeline-launch" in logged
    assert token not in capfd.readouterr().out


def test_a_repeated_parameter_is_refused(visitor: Visitor) -> None:
    answer = visitor.client.get(f"/timeline/launch?iss={visitor.ehr.iss}&iss=https://evil.example.org/fhir")
    refused(answer, 400, "cannot be read")


def test_the_form_leads_over_a_page_that_names_the_host(visitor: Visitor) -> None:
    page = visitor.client.get("/timeline/launch", query_string={"iss": visitor.ehr.iss, "form": "1"})
    text = page.get_data(as_text=True)
    assert page.status_code == 200
    assert visitor.ehr.url.removeprefix("http://") in text
    assert 'http-equiv="refresh"' in text


def test_a_fhir_server_that_fails_is_no_negative_result(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = visitor.client.get(visitor.sign_in(visitor.launch())).headers["Location"]
    monkeypatch.setattr(Transport, "send", lambda *_: Failed("server-error"))
    text = visitor.client.get(place).get_data(as_text=True)
    assert "This is not a negative result" in text
    assert "could not be read completely" in text
    assert "No relapse is shown" not in text


def test_a_launch_may_end_at_another_worker(
    ehr: AuthorizationServer, knowledge: Knowledge, tmp_path: Path
) -> None:
    """Workers and hosts share the store, and with it the key of the cookies."""
    tenant = Tenant(id="general", allow_private=True, fhir_servers=(ehr.iss,), smart_client_id=ehr.client_id)
    settings = Settings.embedded(
        public_url=PUBLIC_URL, tenants=(tenant,), store=f"sqlite:///{tmp_path / 'shared.db'}"
    )
    one, other = (create_app(settings, clock=lambda: AT, knowledge=knowledge) for _ in range(2))
    visitor = Visitor(one.test_client(), ehr)
    back = visitor.sign_in(visitor.launch())
    carried = other.test_client()
    for cookie in cookies(visitor):
        carried.set_cookie(cookie.key, cookie.value, path=cookie.path)
    assert carried.get(back).status_code == 303
    for app in (one, other):
        parts_of(app).close()
