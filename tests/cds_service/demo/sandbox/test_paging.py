"""Pages: every resource once, in order, over next links that only the same bearer can follow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from cds_service.demo.sandbox.paging import Pages
from cds_service.demo.sandbox.query import parse_query
from cds_service.demo.sandbox.repository import Repository
from cds_service.demo.sandbox.server import Sandbox

Ask = Callable[..., TestResponse]
BASE = "http://ehr.test/demo/fhir"


def next_link(body: dict[str, Any]) -> str:
    return next((link["url"] for link in body["link"] if link["relation"] == "next"), "")


def follow(ask: Ask, path: str) -> list[list[str]]:
    pages = []
    while path:
        body = ask(path).get_json()
        assert body["total"] == 9
        pages.append([entry["resource"]["id"] for entry in body["entry"]])
        path = next_link(body)
    return pages


@pytest.mark.parametrize("count", [1, 2, 3, 4, 8, 9, 10, 5000])
def test_pages_hold_every_resource_once_and_in_order(ask: Ask, count: int) -> None:
    whole = follow(ask, "/Observation?patient=a&_sort=-date")[0]
    pages = follow(ask, f"/Observation?patient=a&_sort=-date&_count={count}")
    assert [identity for page in pages for identity in page] == whole
    assert [len(page) for page in pages[:-1]] == [count] * (len(pages) - 1)
    assert len(pages) == -(-9 // count)


def test_next_is_an_absolute_address_on_this_server_without_the_search_in_it(ask: Ask) -> None:
    link = next_link(ask("/Observation?patient=a&_count=2").get_json())
    assert link.startswith(f"{BASE}/Observation?_page=")
    assert "patient" not in link


def test_a_page_is_a_snapshot(ask: Ask, sandbox: Sandbox) -> None:
    first = ask("/Observation?patient=a&_count=8").get_json()
    late = dict(sandbox.repository.all_of("Observation")[0].resource) | {"id": "late"}
    sandbox.repository.write([late])
    assert ask(next_link(first)).get_json()["total"] == 9


def test_count_zero_asks_for_the_total_alone(ask: Ask) -> None:
    body = ask("/Observation?patient=a&_count=0").get_json()
    assert body["total"] == 9
    assert "entry" not in body
    assert next_link(body) == ""


def test_total_none_leaves_the_total_out(ask: Ask) -> None:
    assert "total" not in ask("/Observation?patient=a&_total=none").get_json()


@pytest.mark.parametrize("token", ["", "x", "x.2", ".", "x.-1", "x.9999999999"])
def test_an_unknown_page_is_gone(ask: Ask, token: str) -> None:
    assert ask(f"/Observation?_page={token}").status_code == 410


def test_a_page_cannot_be_moved_by_hand(ask: Ask) -> None:
    name = next_link(ask("/Observation?patient=a&_count=2").get_json()).rpartition(".")[0]
    assert ask(f"{name}.99").status_code == 410
    assert ask(f"{name}.2".replace("Observation", "Condition")).status_code == 410


def test_a_page_belongs_to_the_bearer_of_the_search(ask: Ask, client: FlaskClient, sandbox: Sandbox) -> None:
    link = next_link(ask("/Observation?patient=a&_count=2").get_json()).removeprefix("http://ehr.test")
    other = {"Authorization": f"Bearer {sandbox.tokens.issue('b')}"}
    assert client.get(link, headers=other).status_code == 410


def test_the_oldest_snapshots_are_given_up() -> None:
    pages = Pages()
    found = Repository({"resourceType": "Patient", "id": str(n)} for n in range(3)).all_of("Patient")
    query = parse_query("Patient", [("_count", "1")], BASE, strict=False)
    tokens = [pages.first(query, "", found).next for _ in range(300)]
    assert pages.following(tokens[-1], "Patient", "").entries == found[1:2]
    with pytest.raises(Exception, match="not kept"):
        pages.following(tokens[0], "Patient", "")
