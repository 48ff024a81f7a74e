"""Who may open the operator page, and what it counts."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pydantic import SecretStr

from cds_service.app import create_app
from cds_service.app_state import parts_of
from cds_service.pages.operator_figures import NO_REASON, OTHER_REASON, Choice, figures
from cds_service.settings.model import Settings, Tenant
from cds_service.store import Call, FeedbackEvent, Firing
from fhir_mappings.assess import Knowledge
from tests.cds_service import charts
from tests.cds_service.auth import forge
from tests.conftest import AT

TOKEN = "correct-horse-battery-staple"
OURS = "https://relapse-cds.org/CodeSystem/override-reason"
REASONS = {(OURS, "goals-of-care"): "Does not fit the goals of care"}

AppMaker = Callable[..., Flask]


def firing(**changes: Any) -> Firing:
    usual: dict[str, Any] = {
        "day": AT.date().isoformat(), "tenant": "general", "service": "all-relapse", "rule_version": "1",
        "status": "none", "incomplete": False, "latency_ms": 50, "calls": 1, "calls_with_cards": 0,
    }  # fmt: skip
    return Firing(**{**usual, **changes})


def event(**changes: Any) -> FeedbackEvent:
    usual: dict[str, Any] = {
        "tenant": "general", "service": "all-relapse", "card": "c", "topic": "allFinding",
        "rule_version": "1", "outcome": "overridden", "suggestion": "", "reason_code": "",
        "reason_system": "", "reason_display": "", "comment": "", "outcome_at": AT, "received_at": AT,
        "status": "matched",
    }  # fmt: skip
    return FeedbackEvent(**{**usual, **changes})


def choice(**changes: Any) -> Choice:
    return Choice(**{"today": AT.date(), "days": 7, **changes})


def test_shares_are_of_the_calls_and_unknown_without_any() -> None:
    rows = [
        firing(calls=6),
        firing(status="relapse", calls=2, calls_with_cards=2),
        firing(incomplete=True, calls=2),
    ]
    counted = figures(rows, [], choice(), {}, {}).all
    assert (counted.calls, counted.fire_rate, counted.incomplete_share) == (10, 0.2, 0.2)
    nothing = figures([], [], choice(), {}, {})
    assert (nothing.all.fire_rate, nothing.all.incomplete_share, nothing.acceptance) == (None, None, None)
    assert nothing.all.latency(0.5) == "none"


def test_latencies_are_told_by_the_bound_of_their_bucket() -> None:
    rows = [
        firing(latency_ms=25, calls=50),
        firing(latency_ms=100, calls=45),
        firing(latency_ms=60_000, calls=5),
    ]
    counted = figures(rows, [], choice(), {}, {}).all
    assert counted.latency(0.5) == "up to 25 ms"
    assert counted.latency(0.51) == "up to 100 ms"
    assert counted.latency(0.95) == "up to 100 ms"
    assert counted.latency(0.96) == "over 5000 ms"


def test_only_the_chosen_days_tenant_and_rule_version_count() -> None:
    first = AT.date() - timedelta(days=6)
    rows = [
        firing(day=first.isoformat()),
        firing(day=(first - timedelta(days=1)).isoformat()),
        firing(day=(AT.date() + timedelta(days=1)).isoformat()),
        firing(tenant="clinic", rule_version="2"),
    ]
    assert figures(rows, [], choice(), {}, {}).all.calls == 2
    assert figures(rows, [], choice(tenant="clinic"), {}, {}).all.calls == 1
    assert figures(rows, [], choice(rule_version="1"), {}, {}).all.calls == 1
    assert [day for day, calls in figures(rows, [], choice(), {}, {}).by_day if calls.calls] == [
        first,
        AT.date(),
    ]
    assert len(figures(rows, [], choice(), {}, {}).by_day) == 7


def test_groups_are_by_rule_version_and_tenant_newest_version_first() -> None:
    rows = [firing(), firing(tenant="clinic"), firing(rule_version="2", calls=3)]
    groups = figures(rows, [], choice(), {}, {}).groups
    assert [(key, calls.calls) for key, calls in groups] == [
        (("2", "general"), 3),
        (("1", "general"), 1),
        (("1", "clinic"), 1),
    ]


def test_outcomes_are_by_topic_and_quarantined_events_stay_apart() -> None:
    events = [
        event(),
        event(outcome="accepted", suggestion="s"),
        event(topic="allMrd", outcome="accepted", suggestion="s"),
        event(topic="", status="quarantined"),
        event(received_at=AT - timedelta(days=8)),
    ]
    found = figures([], events, choice(), {"allFinding": "Finding"}, {})
    assert [(row.topic, row.accepted, row.overridden, row.acceptance) for row in found.outcomes] == [
        ("Finding", 1, 1, 0.5),
        ("allMrd", 1, 0, 1.0),
    ]
    assert (found.accepted, found.overridden, found.quarantined) == (2, 1, 1)


def test_an_ehrs_own_words_for_a_reason_are_not_shown() -> None:
    events = [
        event(reason_code="goals-of-care", reason_system=OURS),
        event(reason_code="goals-of-care"),
        event(reason_code="goals-of-care", reason_system="https://ehr.example.org/reasons"),
        event(reason_code="7", reason_display="Mrs Example says no"),
        event(),
    ]
    reasons = dict(figures([], events, choice(), {}, REASONS).reasons)
    assert reasons == {"Does not fit the goals of care": 2, OTHER_REASON: 2, NO_REASON: 1}


@pytest.fixture
def guarded(knowledge: Knowledge, tmp_path: Path) -> Iterator[Flask]:
    """A service with authorisation, two tenants and figures of both."""
    (tmp_path / "general.json").write_bytes(forge.key_set(forge.ES.jwk()))
    (tmp_path / "clinic.json").write_bytes(forge.key_set(forge.OTHER.jwk()))
    settings = Settings(
        public_url=forge.BASE,
        store="sqlite://",
        operator_token=SecretStr(TOKEN),
        tenants=(
            Tenant(id="general", iss=forge.ISS, jwks_file=tmp_path / "general.json"),
            Tenant(id="clinic", iss=forge.OTHER_ISS, jwks_file=tmp_path / "clinic.json"),
        ),
    )
    app = create_app(settings, clock=lambda: forge.AT, knowledge=knowledge)
    calls = [
        Call(forge.AT, tenant, "all-relapse", f"rules-{tenant}", "none", False, 20.0, 0)
        for tenant in ("general", "clinic")
    ]
    parts_of(app).store.firings.add(calls)
    yield app
    parts_of(app).close()


def opened(app: Flask, authorization: str = "", query: str = "") -> tuple[int, str]:
    headers = {"Authorization": authorization} if authorization else {}
    answer = app.test_client().get(f"/operator/{query}", headers=headers)
    return answer.status_code, answer.text


def basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"anyone:{password}".encode()).decode()


def test_the_operators_token_opens_everything(guarded: Flask) -> None:
    for authorization in (basic(TOKEN), f"Bearer {TOKEN}"):
        status, text = opened(guarded, authorization)
        assert status == 200
        assert "rules-general" in text
        assert "rules-clinic" in text


@pytest.mark.parametrize(
    "authorization",
    ["", basic(""), basic("wrong"), basic(TOKEN + "x"), "Bearer wrong", f"Token {TOKEN}", "Basic not-base64"],
)
def test_nobody_else_gets_in(guarded: Flask, authorization: str) -> None:
    status, text = opened(guarded, authorization)
    assert status == 401
    assert "rules-" not in text
    answer = guarded.test_client().get("/operator/", headers={"Authorization": authorization or "x"})
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")


def test_a_tenant_sees_its_own_figures_only(guarded: Flask) -> None:
    audience = f"{forge.BASE}/operator/"
    for query in ("", "?tenant=clinic"):
        token = forge.bearer(forge.token(forge.ES, aud=audience))
        status, text = opened(guarded, token, query)
        assert status == 200
        assert "rules-general" in text
        assert "rules-clinic" not in text
        assert ">clinic<" not in text


def test_a_token_for_another_address_does_not_open_it(guarded: Flask) -> None:
    assert opened(guarded, forge.bearer(forge.token(forge.ES)))[0] == 401


def test_without_a_token_of_the_operator_an_empty_password_opens_nothing(make_app: AppMaker) -> None:
    app = make_app(auth="optional")
    for authorization in ("", basic(""), "Bearer "):
        assert opened(app, authorization)[0] == 401


def test_where_authorisation_is_off_the_page_is_open(client: FlaskClient) -> None:
    assert client.get("/operator/").status_code == 200


@pytest.mark.parametrize("query", ["?days=abc", "?days=-1", "?days=100000", "?tenant=<b>x</b>&version='"])
def test_any_query_is_answered(client: FlaskClient, query: str) -> None:
    answer = client.get(f"/operator/{query}")
    assert answer.status_code == 200
    assert "<b>x</b>" not in answer.text


def test_the_choice_begins_at_midnight_of_its_first_day() -> None:
    chosen = Choice(date(2026, 11, 20), 7)
    assert chosen.since.isoformat() == "2026-11-14T00:00:00+00:00"


def test_a_call_refused_for_want_of_data_is_counted_as_incomplete(client: FlaskClient) -> None:
    assert client.post("/cds-services/all-relapse", json=charts.request()).status_code == 412
    text = " ".join(client.get("/operator/").text.split())
    assert "<dt>Calls answered</dt><dd>1</dd>" in text
    assert "<dt>Incomplete</dt><dd>100.0 %</dd>" in text
    assert charts.PATIENT_ID not in text
