"""Versions as instants: what sorts after what, whatever the offset and the digits."""

from __future__ import annotations

import pytest

from fhir_mappings.fhir.elements import Meta
from fhir_mappings.fhir.versions import instant_key, version_key


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("2023-11-15T23:30:00-05:00", "2023-11-16T05:00:00Z"),
        ("2023-11-16T01:30:00+02:00", "2023-11-15T23:45:00Z"),
        ("2023-11-15T10:00:00.10Z", "2023-11-15T10:00:00.9Z"),
        ("2023-11-15T10:00:00Z", "2023-11-15T10:00:00.000000001Z"),
        ("2023-11-15", "2023-11-15T00:00:01Z"),
        ("2023-11-15T10:00Z", "2023-11-15T10:00:01Z"),
        ("2023-11-15T10:00:00+0100", "2023-11-15T09:30:00Z"),
    ],
)
def test_instants_sort_by_time(earlier: str, later: str) -> None:
    assert instant_key(earlier) < instant_key(later)


def test_the_same_instant_is_the_same_key() -> None:
    assert instant_key("2023-11-15T12:00:00+02:00") == instant_key(" 2023-11-15T10:00:00.000Z ")


@pytest.mark.parametrize("text", ["", "yesterday", "2023-13-45T10:00:00Z"])
def test_what_is_no_instant_stays_as_it_is(text: str) -> None:
    assert instant_key(text) == text


def test_without_a_time_the_number_of_the_version_decides() -> None:
    assert version_key(Meta(version_id="9")) < version_key(Meta(version_id="10"))
    assert version_key(None) == ""
    assert version_key(None) < version_key(Meta(version_id="1"))
