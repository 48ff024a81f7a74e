"""Charts written by an attacker, the whole way: what is rendered has the marks of our own words alone."""

from __future__ import annotations

import re
from typing import Any

import cmarkgfm
import pytest
from cmarkgfm.cmark import Options
from flask import Flask
from flask.testing import FlaskClient
from markdown_it import MarkdownIt

from tests.cds_service.cards.test_markdown import HOSTILE
from tests.conformance.answering import RELAPSED, request_of, send, values_of
from tests.oracle.cds_response import assert_conformant

Json = dict[str, Any]

MARKDOWN_IT = MarkdownIt("gfm-like", {"html": True, "linkify": True})
NOTHING = {"resourceType": "Bundle", "type": "searchset", "total": 0}
TAG = re.compile(r"<\s*/?\s*([A-Za-z!?][A-Za-z0-9-]*)([^>]*)>?")


def attacked(value: Any, seed: str, key: str = "") -> Any:
    """The chart with a text behind every text that a person or a system may have typed in."""
    if isinstance(value, dict):
        return {name: attacked(item, seed, name) for name, item in value.items()}
    if isinstance(value, list):
        return [attacked(item, seed, key) for item in value]
    typed = key in ("display", "text", "title", "description", "family", "given", "unit")
    return f"{value} {seed}" if typed and isinstance(value, str) else value


def chart(seed: str) -> list[Json]:
    """The relapsed patient, attacked in every text and with a few texts more."""
    found = []
    for resource in RELAPSED.resources:
        copy: Json = attacked(resource, seed)
        if copy["resourceType"] != "Patient":
            copy["note"] = [{"text": seed}]
            copy["performer" if copy["resourceType"] == "Observation" else "recorder"] = {"display": seed}
        if copy["resourceType"] == "Observation":
            copy["performer"] = [copy["performer"]]
            copy["interpretation"] = [{"text": seed}]
            copy["bodySite"] = {"text": seed}
            copy["method"] = {"text": seed}
        found.append(copy)
    return found


def elements(markdown: str) -> list[list[str]]:
    """The tags in their order, with attributes, by two renderers that let raw HTML through."""
    pages = (
        MARKDOWN_IT.render(markdown),
        cmarkgfm.github_flavored_markdown_to_html(markdown, Options.CMARK_OPT_UNSAFE),
    )
    return [[found[0] for found in TAG.finditer(page)] for page in pages]


def answer(client: FlaskClient, profile: str, seed: str) -> Json:
    person = chart(seed)
    body = request_of(RELAPSED, profile)
    whole = {key: value for key, value in body["prefetch"].items() if value.get("total") == 0}
    by_type: dict[str, list[Json]] = {}
    for one in person:
        by_type.setdefault(one["resourceType"], []).append(one)
    for key, value in body["prefetch"].items():
        if key not in whole:
            kind = value["entry"][0]["resource"]["resourceType"] if "entry" in value else "Patient"
            entries = [{"resource": one} for one in by_type[kind]]
            whole[key] = {
                "resourceType": "Bundle",
                "type": "searchset",
                "total": len(entries),
                "entry": entries,
            }
    response = send(client, {**body, "prefetch": whole})
    assert response.status_code == 200
    found: Json = response.json
    return found


@pytest.fixture(scope="module")
def plain_answers(service: Flask) -> dict[str, Json]:
    """The same chart with harmless texts, for a client with full and one with short cards."""
    return {profile: answer(service.test_client(), profile, "plain") for profile in ("strict", "cerner")}


@pytest.mark.req("H4")
@pytest.mark.req("R1")
@pytest.mark.parametrize("seed", HOSTILE, ids=range(len(HOSTILE)))
def test_no_text_of_a_chart_becomes_markup(
    caller: FlaskClient, plain_answers: dict[str, Json], seed: str
) -> None:
    for profile, plain in plain_answers.items():
        body = answer(caller, profile, seed)
        assert_conformant(body)
        assert len(body["cards"]) == len(plain["cards"]) > 0
        for card, other in zip(body["cards"], plain["cards"], strict=True):
            # On a small panel a longer text of the chart may leave a line less; it never adds an element.
            found, expected = elements(card["detail"]), elements(other["detail"])
            if profile == "strict":
                assert found == expected, card["detail"]
            else:
                kinds = {kind for group in expected for kind in group}
                assert {kind for group in found for kind in group} <= kinds, card["detail"]
            assert len(card["summary"].encode("utf-16-le")) // 2 <= 139
        for path, value in values_of(body):
            if path.endswith("/url"):
                assert "evil" not in value
            if "/resource/" in path:
                assert seed not in str(value) or len(seed) < 4


@pytest.mark.req("I3")
@pytest.mark.parametrize("seed", HOSTILE[:10], ids=range(10))
def test_only_the_detail_and_summary_can_hold_text_of_a_chart(caller: FlaskClient, seed: str) -> None:
    def rest(body: Json) -> list[Json]:
        varying = ("detail", "summary", "uuid", "suggestions")
        return [{key: value for key, value in card.items() if key not in varying} for card in body["cards"]]

    assert rest(answer(caller, "strict", seed)) == rest(answer(caller, "strict", "plain"))
