"""SMART App Launch 2.2 against an authorisation server that follows it, and every way it can go wrong."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask

from cds_service.timeline.launch_cookies import launch_cookie
from tests.cds_service.timeline.conftest import (
    CALLBACK,
    ServiceMaker,
    Visitor,
    asked,
    cookies,
    refused,
)
from tests.smart.authorization_server import AuthorizationServer, s256


def test_an_ehr_launch_ends_at_the_chart(visitor: Visitor) -> None:
    page = visitor.open()
    text = page.get_data(as_text=True)
    assert page.status_code == 200
    assert "Relapsed ALL" in text
    assert "82" in text
    assert "picture-data" in text


def test_a_standalone_launch_lets_the_user_choose(visitor: Visitor) -> None:
    visitor.ehr.chosen_patient = "isolated-cns"
    sent = visitor.client.get("/timeline/launch", query_string={"iss": visitor.ehr.iss})
    assert "launch" not in asked(sent)
    assert "launch/patient" in asked(sent)["scope"].split()
    arrived = visitor.client.get(visitor.sign_in(sent))
    text = visitor.client.get(arrived.headers["Location"]).get_data(as_text=True)
    assert "patient <strong>isolated-cns</strong>" in text


def test_the_cards_link_is_a_launch_when_the_ehr_adds_its_parameters(visitor: Visitor) -> None:
    query = {"iss": visitor.ehr.iss, "launch": visitor.ehr.launch_for("early-marrow")}
    sent = visitor.client.get("/timeline/", query_string=query)
    assert sent.status_code == 303
    assert sent.headers["Location"].startswith(visitor.ehr.url + "/authorize?")


def test_what_is_asked_for(visitor: Visitor) -> None:
    sent = asked(visitor.launch())
    assert sent["response_type"] == "code"
    assert sent["aud"] == visitor.ehr.iss
    assert sent["redirect_uri"] == CALLBACK
    assert sent["code_challenge_method"] == "S256"
    scopes = sent["scope"].split()
    assert {"launch", "patient/Condition.rs", "patient/Observation.rs"} <= set(scopes)
    assert all(scope == "launch" or scope.endswith(".rs") for scope in scopes)
    assert len(sent["state"]) >= 43


def test_a_site_may_ask_for_less(make_service: ServiceMaker, ehr: AuthorizationServer) -> None:
    app = make_service(smart_resource_types=("Observation", "Condition"))
    visitor = Visitor(app.test_client(), ehr)
    scopes = asked(visitor.launch())["scope"].split()
    assert scopes == ["launch", "patient/Condition.rs", "patient/Observation.rs"]
    assert visitor.open().status_code == 200


def test_older_servers_are_asked_in_the_older_syntax(visitor: Visitor) -> None:
    visitor.ehr.behaviour.capabilities = ("launch-ehr", "permission-v1")
    assert "patient/Observation.read" in asked(visitor.launch())["scope"].split()
    assert visitor.open().status_code == 200


def test_every_launch_has_its_own_state_and_verifier(visitor: Visitor) -> None:
    first, second = asked(visitor.launch()), asked(visitor.launch())
    assert first["state"] != second["state"]
    assert first["code_challenge"] != second["code_challenge"]


def test_the_verifier_is_the_one_of_the_challenge(visitor: Visitor) -> None:
    sent = visitor.launch()
    visitor.client.get(visitor.sign_in(sent))
    [exchange] = visitor.ehr.token_requests
    assert s256(exchange["code_verifier"]) == asked(sent)["code_challenge"]
    assert exchange["client_id"] == visitor.ehr.client_id
    assert exchange["authorization"] == ""


def test_a_confidential_client_proves_itself(make_service: ServiceMaker, ehr: AuthorizationServer) -> None:
    ehr.client_secret = "s3cret-of-the-client"
    app = make_service(smart_client_secret=ehr.client_secret)
    assert Visitor(app.test_client(), ehr).open().status_code == 200
    assert "client_id" not in ehr.token_requests[0]


@pytest.mark.parametrize(
    ("plain", "sent"),
    [
        (False, "https%3A%2F%2Fapp.example%2Fx:a%2Bb%2Fc%3D%25"),
        (True, "https://app.example/x:a+b/c=%"),
    ],
)
def test_id_and_secret_are_form_encoded_unless_told_otherwise(
    make_service: ServiceMaker,
    ehr: AuthorizationServer,
    monkeypatch: pytest.MonkeyPatch,
    plain: bool,
    sent: str,
) -> None:
    monkeypatch.setattr(ehr, "client_id", "https://app.example/x")
    app = make_service(smart_client_secret="a+b/c=%", smart_secret_plain=plain)
    visitor = Visitor(app.test_client(), ehr)
    visitor.client.get(visitor.sign_in(visitor.launch()))
    [exchange] = ehr.token_requests
    assert exchange["authorization"] == "Basic " + base64.b64encode(sent.encode()).decode()


def test_a_wrong_client_secret_is_refused(make_service: ServiceMaker, ehr: AuthorizationServer) -> None:
    ehr.client_secret = "s3cret-of-the-client"
    visitor = Visitor(make_service(smart_client_secret="another").test_client(), ehr)
    refused(
        visitor.client.get(visitor.sign_in(visitor.launch())), 502, "client id or secret was not accepted"
    )


@pytest.mark.parametrize(
    "iss",
    [
        "https://evil.example.org/fhir",
        "{iss}/../admin",
        "{iss}@evil.example.org",
        "{iss}?x=1",
        "file:///etc/passwd",
        "{origin}\\@evil.example.org/fhir",
    ],
)
def test_an_unknown_server_is_never_contacted(
    visitor: Visitor, iss: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_network(*_: object, **__: object) -> None:
        raise AssertionError("contacted")

    monkeypatch.setattr("cds_service.fhir_client.transport.Transport.send", no_network)
    given = iss.format(iss=visitor.ehr.iss, origin=visitor.ehr.url)
    answer = visitor.client.get("/timeline/launch", query_string={"iss": given, "launch": "x"})
    refused(answer, 403, "is not known here")


def test_a_tenant_without_client_id_cannot_be_launched(
    make_service: ServiceMaker, ehr: AuthorizationServer
) -> None:
    visitor = Visitor(make_service(smart_client_id="").test_client(), ehr)
    refused(visitor.launch(), 501, "not set up for this EHR")


def test_a_server_without_s256_is_refused(visitor: Visitor) -> None:
    visitor.ehr.behaviour.pkce = ("plain",)
    refused(visitor.launch(), 502, "cannot be used")


def test_a_server_that_does_not_say_how_to_sign_in(visitor: Visitor) -> None:
    visitor.ehr.behaviour.discovery_status = 404
    refused(visitor.launch(), 502, "does not say how to sign in")


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint"])
def test_endpoints_elsewhere_are_refused(visitor: Visitor, name: str) -> None:
    setattr(visitor.ehr.behaviour, name, "https://evil.example.org/endpoint")
    refused(visitor.launch(), 502, "unknown place")


def test_endpoints_on_the_tenants_list_are_used(make_service: ServiceMaker, ehr: AuthorizationServer) -> None:
    ehr.behaviour.authorization_endpoint = "https://login.example.org/authorize?realm=a"
    app = make_service(smart_origins=("https://login.example.org",))
    sent = Visitor(app.test_client(), ehr).launch()
    assert sent.headers["Location"].startswith(
        "https://login.example.org/authorize?realm=a&response_type=code"
    )


def test_a_wrong_state_is_refused(visitor: Visitor) -> None:
    visitor.ehr.behaviour.answer_state = "A" * 43
    refused(visitor.client.get(visitor.sign_in(visitor.launch())), 400, "not known to this browser")
    assert visitor.ehr.token_requests == []


def test_a_missing_state_is_refused(visitor: Visitor) -> None:
    visitor.launch()
    refused(visitor.client.get("/timeline/callback?code=abc"), 400, "not known to this browser")


def test_an_answer_in_another_browser_is_refused(visitor: Visitor, service: Flask) -> None:
    back = visitor.sign_in(visitor.launch())
    refused(service.test_client().get(back), 400, "not known to this browser")
    assert visitor.ehr.token_requests == []


def test_the_cookie_of_another_launch_does_not_fit(visitor: Visitor) -> None:
    """A state of one launch under the cookie of another: the sealed state decides."""
    visitor.launch()
    [cookie] = [one for one in cookies(visitor) if one.key.startswith("relapse_launch_")]
    forged_state = "B" * 43
    visitor.client.set_cookie(launch_cookie(forged_state), cookie.value, path="/timeline/callback")
    answer = visitor.client.get(f"/timeline/callback?code=abc&state={forged_state}")
    refused(answer, 400, "not known to this browser")


def test_an_answer_is_taken_once(visitor: Visitor) -> None:
    back = visitor.sign_in(visitor.launch())
    assert visitor.client.get(back).status_code == 303
    refused(visitor.client.get(back), 400, "not known to this browser")
    assert len(visitor.ehr.token_requests) == 1


def test_a_wrong_verifier_is_refused_by_the_server(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cds_service.timeline.launching.challenge", lambda _: s256("x" * 60))
    refused(visitor.client.get(visitor.sign_in(visitor.launch())), 403, "refused to complete the sign-in")
    assert visitor.ehr.fhir_requests == []


def test_an_expired_code_is_refused_by_the_server(visitor: Visitor) -> None:
    visitor.ehr.behaviour.code_seconds = 0.0
    refused(visitor.client.get(visitor.sign_in(visitor.launch())), 403, "refused to complete the sign-in")
    assert visitor.ehr.fhir_requests == []


def test_an_invented_code_is_refused_by_the_server(visitor: Visitor) -> None:
    state = asked(visitor.launch())["state"]
    answer = visitor.client.get("/timeline/callback?" + urlencode({"code": "invented", "state": state}))
    refused(answer, 403, "refused to complete the sign-in")


def test_a_denied_access_is_told(visitor: Visitor) -> None:
    visitor.ehr.behaviour.denies = True
    refused(visitor.client.get(visitor.sign_in(visitor.launch())), 403, "Access was not granted")
    assert visitor.ehr.token_requests == []


def test_a_forged_launch_handle_is_told(visitor: Visitor) -> None:
    back = visitor.sign_in(visitor.launch(launch="forged"))
    refused(visitor.client.get(back), 502, "The EHR refused the sign-in")


@pytest.mark.parametrize(
    "granted",
    [
        "",
        "launch",
        "patient/Condition.rs",
        "patient/Observation.rs launch",
        "patient/Condition.rs patient/Observation.r",
        "patient/Condition.rs patient/Observation.rs?category=laboratory",
        "system/*.rs",
        "patient/Condition.cud patient/Observation.cud",
    ],
)
def test_missing_scopes_are_refused_before_anything_is_read(visitor: Visitor, granted: str) -> None:
    visitor.ehr.behaviour.grants = granted
    refused(visitor.client.get(visitor.sign_in(visitor.launch())), 403, "does not cover what is needed")
    assert visitor.ehr.fhir_requests == []


@pytest.mark.parametrize("granted", ["patient/*.rs", "patient/*.read", "user/*.cruds", "patient/*.*"])
def test_wider_scopes_are_enough(visitor: Visitor, granted: str) -> None:
    visitor.ehr.behaviour.grants = granted
    assert visitor.open().status_code == 200


def test_an_answer_without_patient_is_refused(visitor: Visitor) -> None:
    visitor.ehr.behaviour.names_patient = False
    refused(visitor.client.get(visitor.sign_in(visitor.launch())), 400, "No patient is chosen")


@pytest.mark.parametrize(
    ("name", "value"), [("token_type", "mac"), ("expires_in", 0), ("expires_in", -5), ("expires_in", [1])]
)
def test_an_odd_token_response_is_refused(visitor: Visitor, name: str, value: Any) -> None:
    setattr(visitor.ehr.behaviour, name, value)
    refused(visitor.client.get(visitor.sign_in(visitor.launch())), 502, "cannot be used")


def test_a_token_that_no_cookie_can_hold_is_told(visitor: Visitor) -> None:
    visitor.ehr.behaviour.token_padding = 9000
    refused(visitor.client.get(visitor.sign_in(visitor.launch())), 502, "too long")


def test_a_long_token_still_fits(visitor: Visitor) -> None:
    visitor.ehr.behaviour.token_padding = 5000
    arrived = visitor.client.get(visitor.sign_in(visitor.launch()))
    assert arrived.status_code == 303
    page = visitor.client.get(arrived.headers["Location"])
    assert page.status_code == 200
    assert "could not be read completely" in page.get_data(as_text=True)
