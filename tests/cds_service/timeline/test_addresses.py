"""Where the service is opened, what the launch names, and the words for what cannot be used."""

from __future__ import annotations

import pytest

from cds_service.timeline.public_address import is_elsewhere
from tests.cds_service.timeline.conftest import PUBLIC_URL, Visitor, asked, refused

_ELSEWHERE = "http://127.0.0.1:8080"


def test_a_launch_at_another_address_goes_to_the_public_one_first(visitor: Visitor) -> None:
    query = {"iss": visitor.ehr.iss, "launch": visitor.ehr.launch_for("early-marrow")}
    sent = visitor.client.get("/timeline/launch", base_url=_ELSEWHERE, query_string=query)
    assert sent.status_code == 303
    assert sent.headers.getlist("Set-Cookie") == []
    there = sent.headers["Location"]
    assert there.startswith(f"{PUBLIC_URL}/timeline/launch?iss=")
    arrived = visitor.client.get(visitor.sign_in(visitor.client.get(there.removeprefix(PUBLIC_URL))))
    assert arrived.status_code == 303


def test_a_card_link_at_another_address_goes_to_the_public_one_first(visitor: Visitor) -> None:
    sent = visitor.client.get("/timeline/", base_url=_ELSEWHERE, query_string={"iss": visitor.ehr.iss})
    assert sent.headers["Location"].startswith(f"{PUBLIC_URL}/timeline/launch?iss=")


def test_a_proxy_that_hides_the_host_leads_to_no_loop(visitor: Visitor) -> None:
    query = {"iss": visitor.ehr.iss, "launch": visitor.ehr.launch_for("early-marrow"), "moved": "1"}
    sent = visitor.client.get("/timeline/launch", base_url=_ELSEWHERE, query_string=query)
    assert sent.headers["Location"].startswith(visitor.ehr.url + "/authorize?")


def test_the_form_at_another_address_leads_over_a_page(visitor: Visitor) -> None:
    query = {"iss": visitor.ehr.iss, "form": "1"}
    answer = visitor.client.get("/timeline/launch", base_url=_ELSEWHERE, query_string=query)
    assert answer.status_code == 200
    assert f'content="0;url={PUBLIC_URL}/timeline/launch?iss=' in answer.get_data(as_text=True)


def test_an_unknown_launch_at_another_address_names_the_public_one(
    visitor: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    answer = visitor.client.get("/timeline/callback?code=a&state=b", base_url=_ELSEWHERE)
    refused(answer, 400, "This service is opened at")
    assert f'<a href="{PUBLIC_URL}/timeline/">' in answer.get_data(as_text=True)
    assert '"reason": "launch-elsewhere"' in caplog.text


def test_an_unknown_launch_at_the_public_address_does_not(visitor: Visitor) -> None:
    answer = visitor.client.get("/timeline/callback?code=a&state=b")
    refused(answer, 400, "not known to this browser")
    assert "This service is opened at" not in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    ("host", "public_url", "elsewhere"),
    [
        ("cds.example.org", "https://cds.example.org", False),
        ("CDS.example.org:443", "https://cds.example.org", False),
        ("cds.example.org", "https://cds.example.org:443", False),
        ("cds.example.org:8443", "https://cds.example.org:8443", False),
        ("cds.example.org", "https://cds.example.org:8443", True),
        ("localhost:8080", "http://127.0.0.1:8080", True),
        ("evil.example.org", "https://cds.example.org", True),
    ],
)
def test_hosts_are_compared_with_their_ports(host: str, public_url: str, elsewhere: bool) -> None:
    assert is_elsewhere(host, public_url) is elsewhere


def test_a_launch_without_iss_says_so(visitor: Visitor) -> None:
    refused(visitor.client.get("/timeline/launch?launch=x"), 400, "No FHIR server was named")
    refused(visitor.client.get("/timeline/launch?iss="), 400, "No FHIR server was named")


def test_the_longest_launch_context(visitor: Visitor) -> None:
    assert visitor.launch(launch="x" * 2048).status_code == 303
    refused(visitor.launch(launch="x" * 2049), 400, "The launch context is too long")


@pytest.mark.parametrize("written", ["{}/", " {} ", "{}"])
def test_a_slash_at_the_end_of_the_form_is_dropped(visitor: Visitor, written: str) -> None:
    query = {"iss": written.format(visitor.ehr.iss), "form": "1"}
    text = visitor.client.get("/timeline/launch", query_string=query).get_data(as_text=True)
    aud = visitor.ehr.iss.replace(":", "%3A").replace("/", "%2F")
    assert f"aud={aud}&amp;" in text


def test_the_iss_of_an_ehr_is_echoed_as_it_came(visitor: Visitor) -> None:
    assert asked(visitor.launch(iss=visitor.ehr.iss + "/"))["aud"] == visitor.ehr.iss + "/"


def test_a_patient_written_as_a_reference_is_taken(visitor: Visitor) -> None:
    visitor.ehr.behaviour.patient_form = "Patient/{}"
    assert "patient <strong>early-marrow</strong>" in visitor.open().get_data(as_text=True)


@pytest.mark.parametrize(
    "form", ["Group/{}", "Patient/Patient/{}", "{} x", "http://e.org/Patient/{}", "Patient/"]
)
def test_a_patient_that_is_no_plain_id_is_told(visitor: Visitor, form: str) -> None:
    visitor.ehr.behaviour.patient_form = form
    answer = visitor.client.get(visitor.sign_in(visitor.launch()))
    refused_words = "not a plain id"
    assert answer.status_code == 502
    assert refused_words in answer.get_data(as_text=True)
    assert visitor.ehr.fhir_requests == []
