"""Next links are confined to the server and its base."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.fhir_client.paging import MOST_PAGES, PagingBlocked, Trail, confined_target
from cds_service.http.fhir_base import parse_base
from fhir_mappings.fhir.bundles import next_url
from fhir_mappings.fhir.elements import Link

BASE = parse_base("https://ehr.example.org/fhir")
ROOT = parse_base("https://ehr.example.org")
CURRENT = "/fhir/Observation?patient=1"


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://ehr.example.org/fhir/Observation?page=2", "/fhir/Observation?page=2"),
        ("https://EHR.example.org:443/fhir?_getpages=1", "/fhir?_getpages=1"),
        ("/fhir?_getpages=1", "/fhir?_getpages=1"),
        ("/Observation?page=2", "/fhir/Observation?page=2"),
        ("Observation?page=2", "/fhir/Observation?page=2"),
        ("?page=2", "/fhir/Observation?page=2"),
        ("https://ehr.example.org/fhir/Observation?a=x|y&b=%2F..%2F&c=http://other/", None),
    ],
)
def test_links_of_the_server(url: str, target: str | None) -> None:
    assert confined_target(url, BASE, CURRENT) == (target or url.removeprefix("https://ehr.example.org"))


def test_a_base_at_the_root() -> None:
    assert confined_target("/Observation?page=2", ROOT, "/Observation") == "/Observation?page=2"
    with pytest.raises(PagingBlocked):
        confined_target("//evil.example/Observation", ROOT, "/Observation")


@pytest.mark.parametrize(
    "url",
    [
        "", "http://ehr.example.org/fhir?x", "https://ehr.example.org:444/fhir?x", "https://evil.example/fhir?x",
        "https://ehr.example.org/fhirevil?x", "https://ehr.example.org/?x", "/../admin", "a/../../b",
        "/fhir/%2e%2e/x", "https://ehr.example.org@evil.example/fhir?x", "\\\\evil.example\\x", "mailto:a@b",
        "?x#y", "?x y", "?x\ty", "?é", "https:///fhir", "https:ehr.example.org/fhir", "?" + "x" * 17_000,
    ],
)  # fmt: skip
def test_links_elsewhere(url: str) -> None:
    with pytest.raises(PagingBlocked):
        confined_target(url, BASE, CURRENT)


@given(st.text(max_size=80))
def test_no_text_at_all_leads_out_of_the_base(text: str) -> None:
    try:
        target = confined_target(text, BASE, CURRENT)
    except PagingBlocked:
        return
    path = target.partition("?")[0]
    assert path == "/fhir" or path.startswith("/fhir/")
    assert ".." not in path.split("/")
    assert target.isascii()


def test_which_link_is_the_next() -> None:
    assert next_url(()) is None
    assert next_url([Link(relation="self", url="?a")]) is None
    assert next_url([Link(relation="self", url="?a"), Link(relation="next", url="?b")]) == "?b"
    assert next_url([Link(relation="next")]) == ""


def test_a_trail_ends() -> None:
    trail = Trail("/a")
    assert not trail.admits("/a")
    assert all(trail.admits(f"/{number}") for number in range(MOST_PAGES - 1))
    assert not trail.admits("/one-more")
