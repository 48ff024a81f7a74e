"""The oracle itself: it accepts what the specification allows and names each thing it forbids."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.oracle.cds_response import assert_conformant, faults_of

UUID = "4e0a3a1e-3283-4575-ab82-028d55fe2719"
OTHER = "5e0a3a1e-3283-4575-ab82-028d55fe2719"

DETAIL = """**Finding**

- one &lt; two
- [page](https://example.org/a)

| a | b |
|---|---|
| 1 | 2 |
"""

Json = dict[str, Any]


def full_response() -> Json:
    return {
        "cards": [
            {
                "uuid": UUID,
                "summary": "x" * 139,
                "detail": DETAIL,
                "indicator": "warning",
                "source": {
                    "label": "Guideline",
                    "url": "https://example.org/guideline",
                    "icon": "https://example.org/icon.png",
                    "topic": {"system": "https://example.org/topics", "code": "finding"},
                },
                "suggestions": [
                    {
                        "label": "Refer",
                        "uuid": OTHER,
                        "isRecommended": True,
                        "actions": [
                            {
                                "type": "create",
                                "description": "Draft a referral",
                                "resource": {"resourceType": "ServiceRequest", "id": "a"},
                            },
                            {"type": "delete", "description": "Delete", "resourceId": "ServiceRequest/1"},
                        ],
                    }
                ],
                "selectionBehavior": "at-most-one",
                "overrideReasons": [{"code": "known", "system": "https://example.org/r", "display": "Known"}],
                "links": [
                    {"label": "Page", "url": "https://example.org/a", "type": "absolute"},
                    {"label": "App", "url": "https://example.org/app", "type": "smart", "appContext": "x"},
                ],
            },
            {"summary": "Small", "indicator": "info", "source": {"label": "Us"}},
        ],
        "systemActions": [
            {"type": "update", "resource": {"resourceType": "ServiceRequest", "id": "a"}},
        ],
        "extension": {"org.example.debug": {"a": 1}},
    }


@pytest.mark.parametrize(
    "response", [full_response(), {"cards": []}, json.dumps(full_response()), b'{"cards": []}']
)
def test_accepts_what_the_specification_allows(response: Any) -> None:
    assert_conformant(response)


def change(path: str, value: Any) -> Callable[[Json], None]:
    """Sets (or with ``...`` removes) the element at a dotted path."""

    def apply(response: Json) -> None:
        *way, last = (int(part) if part.isdigit() else part for part in path.split("."))
        target: Any = response
        for part in way:
            target = target[part]
        if value is ...:
            del target[last]
        else:
            target[last] = value

    return apply


CARD = "cards.0"
SUGGESTION = "cards.0.suggestions.0"
ACTION = "cards.0.suggestions.0.actions.0"
REASON = {"code": "known", "system": "https://example.org/r", "display": "Known again"}
RECOMMENDED = [{"label": label, "isRecommended": True} for label in "ab"]


@pytest.mark.parametrize(
    ("path", "value", "fault"),
    [
        ("cards", ..., ".cards: missing"),
        ("cards", {}, ".cards: not an array"),
        ("systemActions", [], "null or empty"),
        ("card", 1, "not an element"),
        ("extension", [1], "not an object"),
        ("cards.1", "text", "not an object"),
        (f"{CARD}.uuid", UUID.upper(), "lower-case UUID"),
        (f"{CARD}.uuid", f"urn:uuid:{UUID}", "lower-case UUID"),
        (f"{CARD}.uuid", OTHER, "a uuid stands twice"),
        (f"{CARD}.summary", ..., "missing"),
        (f"{CARD}.summary", "x" * 140, "140 characters"),
        (f"{CARD}.summary", "\U0001f469" * 70, "140 characters"),
        (f"{CARD}.summary", "one\ntwo", "more than one line"),
        (f"{CARD}.summary", "**bold**", "markup"),
        (f"{CARD}.summary", "<b>bold</b>", "markup"),
        (f"{CARD}.summary", " ", "blank"),
        (f"{CARD}.summary", 5, "not a string"),
        (f"{CARD}.summary", "half \ud83d", "surrogate"),
        (f"{CARD}.summary", "a\u202eb", "bidirectional"),
        (f"{CARD}.detail", None, "null or empty"),
        (f"{CARD}.detail", "<b>x</b>", "raw HTML"),
        (f"{CARD}.detail", "a <img src=x> b", "raw HTML"),
        (f"{CARD}.detail", "a\n\n<!-- x -->", "raw HTML"),
        (f"{CARD}.detail", "![x](https://example.org/x.png)", "image"),
        (f"{CARD}.detail", "[x](http://example.org)", "not https"),
        (f"{CARD}.detail", "see www.example.org", "not https"),
        (f"{CARD}.indicator", ..., "missing"),
        (f"{CARD}.indicator", "hard-stop", "not one of"),
        (f"{CARD}.source", ..., "missing"),
        (f"{CARD}.source", {}, "null or empty"),
        (f"{CARD}.source.label", ..., "missing"),
        (f"{CARD}.source.url", "example.org", "absolute"),
        (f"{CARD}.source.url", "http://example.org", "not https"),
        (f"{CARD}.source.url", "https://user@example.org", "user information"),
        (f"{CARD}.source.url", "https://example.org/<script>", "character"),
        (f"{CARD}.source.icon", "icon.png", "absolute"),
        (f"{CARD}.source.topic.system", ..., "missing"),
        (f"{CARD}.source.topic.code", ..., "missing"),
        (f"{CARD}.suggestions", [], "null or empty"),
        (f"{CARD}.suggestions", RECOMMENDED, "cds-resp-1"),
        (f"{CARD}.suggestions", ..., "without suggestions"),
        (f"{CARD}.selectionBehavior", ..., "cds-resp-6"),
        (f"{CARD}.selectionBehavior", "all", "not one of"),
        (f"{SUGGESTION}.label", ..., "missing"),
        (f"{SUGGESTION}.isRecommended", "yes", "not a boolean"),
        (f"{SUGGESTION}.actions", [], "null or empty"),
        (f"{SUGGESTION}.actionSelectionBehavior", "some", "not one of"),
        (f"{ACTION}.type", "CREATE", "not one of"),
        (f"{ACTION}.description", ..., "missing"),
        (f"{ACTION}.resource", ..., "missing"),
        (f"{ACTION}.resource", "Patient/1", "not a FHIR resource"),
        (f"{ACTION}.resource.id", ..., "requires an id"),
        (f"{ACTION}.resource.id", "a b", "requires an id"),
        (f"{ACTION}.resource.resourceType", ..., "resourceType"),
        (f"{CARD}.suggestions.0.actions.1.resourceId", ..., "cds-resp-2"),
        (f"{CARD}.suggestions.0.actions.1.resourceId", "https://x.org/a/1", "relative"),
        (f"{CARD}.suggestions.0.actions.1.resource", {"resourceType": "Patient", "id": "1"}, "cds-resp-2"),
        (f"{CARD}.overrideReasons.0.display", ..., "missing"),
        (f"{CARD}.overrideReasons.0.system", ..., "missing"),
        (f"{CARD}.overrideReasons", [REASON, REASON], "stands twice"),
        (f"{CARD}.links.0.type", ..., "missing"),
        (f"{CARD}.links.0.type", "relative", "not one of"),
        (f"{CARD}.links.0.url", ..., "missing"),
        (f"{CARD}.links.0.label", "", "null or empty"),
        (f"{CARD}.links.0.appContext", "x", "cds-resp-3"),
        (f"{CARD}.links.1.appContext", {"a": 1}, "not a string"),
        (f"{CARD}.links.1.url", "https://example.org/app?iss=x&launch=y", "iss and launch"),
        (f"{CARD}.links.1.autolaunchable", "true", "not a boolean"),
        (f"{CARD}.detail", "", "null or empty"),
    ],
)
def test_names_each_fault(path: str, value: Any, fault: str) -> None:
    response = copy.deepcopy(full_response())
    change(path, value)(response)
    found = faults_of(response)
    assert any(fault in line for line in found), found
    with pytest.raises(AssertionError, match="not a conformant"):
        assert_conformant(response)


@pytest.mark.parametrize(
    "body", ["", "{", '{"cards": [], "cards": []}', '{"cards": NaN}', "[]", "null", "\x00"]
)
def test_refuses_what_is_no_json_object(body: str) -> None:
    assert faults_of(body)
