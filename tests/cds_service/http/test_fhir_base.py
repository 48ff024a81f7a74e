"""Base URLs are compared as values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.fhir_client.allowed_server import allowed_base
from cds_service.fhir_client.problem import RefusedServer
from cds_service.http.fhir_base import FhirBase, MalformedUrl, checked_path, parse_base
from tests.faults.attacked_urls import ALLOWED, ATTACKS, EQUAL


@pytest.mark.parametrize("name", ATTACKS)
def test_no_attack_is_read_as_the_allowed_server(name: str) -> None:
    with pytest.raises(RefusedServer):
        allowed_base(ATTACKS[name], [ALLOWED], http_admitted=True)


@pytest.mark.parametrize("url", EQUAL)
def test_equal_spellings_have_one_value(url: str) -> None:
    assert allowed_base(url, [ALLOWED], http_admitted=False) == FhirBase(
        "https", "ehr.example.org", 443, "/fhir"
    )


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("http://[::1]:80/a/b/", "http://[::1]/a/b"),
        ("http://[0:0:0:0:0:0:0:1]/a", "http://[::1]/a"),
        (
            "https://launch.example.org/v/r4/sim/WzMsIiI=/fhir",
            "https://launch.example.org/v/r4/sim/WzMsIiI=/fhir",
        ),
    ],
)
def test_the_canonical_form(text: str, url: str) -> None:
    assert parse_base(text).url == url


@pytest.mark.parametrize(
    "host", ["256.1.1.1", "1.2.3", "01.2.3.4", "-a.example", "a-.example", "a..b", "[::g]"]
)
def test_odd_hosts_are_malformed(host: str) -> None:
    with pytest.raises(MalformedUrl):
        parse_base(f"https://{host}/fhir")


@pytest.mark.parametrize("path", ["/a//b", "/a/./b", "/a/../b", "/..", "//"])
def test_empty_and_dot_segments_are_malformed(path: str) -> None:
    with pytest.raises(MalformedUrl):
        checked_path(path)


@given(st.text(max_size=60))
def test_whatever_is_read_reads_the_same_again(text: str) -> None:
    try:
        base = parse_base("https://" + text)
    except MalformedUrl:
        return
    assert parse_base(base.url) == base
    assert "@" not in base.url
    assert base.url.isascii()


def test_what_lies_below_a_base() -> None:
    base = parse_base(ALLOWED)
    assert base.contains("/fhir")
    assert base.contains("/fhir/Observation")
    assert not base.contains("/fhirevil")
    assert not base.contains("/")
