"""The client of the registry: polite, patient, and silent about patients."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import responses

from cds_service.trials.clinicaltrials_gov import (
    ADDRESS,
    MAX_PAGES,
    MAX_TRIES,
    PAUSE_SECONDS,
    ClinicalTrialsGov,
    RegistryUnavailable,
    Search,
)
from cds_service.trials.registry_answers import FIELDS, UnknownShape
from tests.cds_service.trials.registry_pages import page, record

SEARCH = Search(
    "acute lymphoblastic leukemia AND (relapsed OR recurrent OR refractory)", 42.36, -71.06, 250.0
)


@pytest.fixture
def registry() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=True) as mock:
        yield mock


class Waiting:
    """A sleep that only remembers."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def asked(call: responses.Call) -> dict[str, str]:
    query = parse_qs(urlsplit(str(call.request.url)).query, strict_parsing=True)
    assert all(len(values) == 1 for values in query.values())
    return {key: values[0] for key, values in query.items()}


def ids(client: ClinicalTrialsGov, search: Search = SEARCH) -> int:
    return sum(len(found.studies) for _, found in client.pages(search))


def test_the_request(registry: responses.RequestsMock) -> None:
    registry.get(ADDRESS, body=page(record()))
    assert ids(ClinicalTrialsGov(sleep=Waiting())) == 1
    assert asked(registry.calls[0]) == {
        "query.cond": "acute lymphoblastic leukemia AND (relapsed OR recurrent OR refractory)",
        "filter.overallStatus": "RECRUITING|NOT_YET_RECRUITING",
        "filter.geo": "distance(42.3600,-71.0600,250km)",
        "fields": ",".join(FIELDS),
        "sort": "LastUpdatePostDate",
        "pageSize": "100",
        "countTotal": "true",
    }


def test_age_band_and_sex_go_into_the_advanced_filter() -> None:
    narrow = Search("ALL", ages=(0, 17), sex="female").parameters()
    assert narrow["filter.advanced"] == (
        "AREA[MinimumAge]RANGE[MIN, 17 years] AND AREA[MaximumAge]RANGE[0 years, MAX]"
        " AND (AREA[Sex]ALL OR AREA[Sex]FEMALE)"
    )
    assert "filter.geo" not in narrow


def test_there_is_no_phase_filter() -> None:
    assert "filter.phase" not in Search("ALL", 1.0, 2.0, 3.0, (0, 17), "male").parameters()


def test_pages_follow_with_all_other_parameters_unchanged(registry: responses.RequestsMock) -> None:
    registry.get(ADDRESS, body=page(record("NCT99990001"), token="t1", total=2))
    registry.get(ADDRESS, body=page(token="t2"))
    registry.get(ADDRESS, body=page(record("NCT99990002")))
    waiting = Waiting()
    assert ids(ClinicalTrialsGov(sleep=waiting)) == 2
    first, second, third = (asked(call) for call in registry.calls)
    assert second == {**first, "pageToken": "t1"}
    assert third == {**first, "pageToken": "t2"}
    assert waiting.seconds == [PAUSE_SECONDS, PAUSE_SECONDS]


def test_an_empty_answer_is_an_answer(registry: responses.RequestsMock) -> None:
    registry.get(ADDRESS, body=page(total=0))
    assert ids(ClinicalTrialsGov(sleep=Waiting())) == 0


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_busy_registry_is_asked_again_after_a_growing_wait(
    registry: responses.RequestsMock, status: int
) -> None:
    registry.get(ADDRESS, status=status)
    registry.get(ADDRESS, status=status)
    registry.get(ADDRESS, body=page(record()))
    waiting = Waiting()
    assert ids(ClinicalTrialsGov(sleep=waiting)) == 1
    assert waiting.seconds == [1.0, 2.0]


@pytest.mark.parametrize(
    ("header", "seconds"), [("30", 30.0), ("86400", 60.0), ("soon", 1.0), ("-5", 1.0), ("", 1.0)]
)
def test_retry_after_is_followed_within_reason(
    registry: responses.RequestsMock, header: str, seconds: float
) -> None:
    registry.get(ADDRESS, status=429, headers={"Retry-After": header})
    registry.get(ADDRESS, body=page())
    waiting = Waiting()
    ids(ClinicalTrialsGov(sleep=waiting))
    assert waiting.seconds == [seconds]


def test_a_registry_that_stays_busy_is_given_up(registry: responses.RequestsMock) -> None:
    for _ in range(MAX_TRIES):
        registry.get(ADDRESS, status=429)
    with pytest.raises(RegistryUnavailable, match="status-429"):
        ids(ClinicalTrialsGov(sleep=Waiting()))
    assert len(registry.calls) == MAX_TRIES


@pytest.mark.parametrize("status", [301, 302, 307, 400, 403, 404])
def test_other_answers_are_final_and_redirects_are_not_followed(
    registry: responses.RequestsMock, status: int
) -> None:
    registry.get(ADDRESS, status=status, headers={"Location": "https://elsewhere.example.org/"})
    with pytest.raises(RegistryUnavailable, match=f"status-{status}"):
        ids(ClinicalTrialsGov(sleep=Waiting()))
    assert len(registry.calls) == 1


def test_a_broken_connection_is_tried_again_and_says_nothing_of_its_text(
    registry: responses.RequestsMock,
) -> None:
    for _ in range(MAX_TRIES):
        registry.get(ADDRESS, body=requests.ConnectionError("secret of a proxy"))
    with pytest.raises(RegistryUnavailable) as caught:
        ids(ClinicalTrialsGov(sleep=Waiting()))
    assert str(caught.value) == "ClinicalTrials.gov: no-connection"


def test_a_malformed_page_ends_the_search(registry: responses.RequestsMock) -> None:
    registry.get(ADDRESS, body=page(record(), token="t1"))
    registry.get(ADDRESS, body=b"<html>")
    with pytest.raises(UnknownShape):
        ids(ClinicalTrialsGov(sleep=Waiting()))


def test_paging_that_goes_round_is_not_followed(registry: responses.RequestsMock) -> None:
    registry.get(ADDRESS, body=page(token="t1"))
    registry.get(ADDRESS, body=page(token="t1"))
    with pytest.raises(RegistryUnavailable, match="paging-loops"):
        ids(ClinicalTrialsGov(sleep=Waiting()))


def test_paging_without_end_is_given_up(registry: responses.RequestsMock) -> None:
    for number in range(MAX_PAGES):
        registry.get(ADDRESS, body=page(token=f"t{number}"))
    with pytest.raises(RegistryUnavailable, match="too-many-pages"):
        ids(ClinicalTrialsGov(sleep=Waiting()))


def test_an_answer_without_end_is_cut_off(
    registry: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cds_service.trials.clinicaltrials_gov.MAX_PAGE_BYTES", 1000)
    registry.get(ADDRESS, body=b" " * 5000)
    with pytest.raises(RegistryUnavailable, match="answer-too-large"):
        ids(ClinicalTrialsGov(sleep=Waiting()))


def test_a_search_has_no_room_for_a_patient() -> None:
    assert {field.name for field in fields(Search)} == {
        "query",
        "latitude",
        "longitude",
        "radius_km",
        "ages",
        "sex",
    }


def test_netrc_proxies_and_cookies_stay_out(
    registry: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.org:1")
    registry.get(ADDRESS, body=page(token="t1"), headers={"Set-Cookie": "a=b"})
    registry.get(ADDRESS, body=page())
    ids(ClinicalTrialsGov(sleep=Waiting()))
    for call in registry.calls:
        assert not {"Authorization", "Cookie"} & set(call.request.headers)
        assert call.request.req_kwargs["proxies"] == {}  # type: ignore[attr-defined]
