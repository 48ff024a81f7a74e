"""The checked contract of a response."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from pydantic import ValidationError

from cds_service.wire.response import CdsResponse, check_response

Json = dict[str, Any]
UUID = "4e0a3a1e-3283-4575-ab82-028d55fe2719"


def full_card() -> Json:
    return {
        "uuid": UUID,
        "summary": "x" * 139,
        "detail": "- one",
        "indicator": "critical",
        "source": {
            "label": "Guideline",
            "url": "https://example.org/guideline",
            "topic": {"system": "https://example.org/topics", "code": "finding", "display": "Finding"},
        },
        "suggestions": [
            {
                "label": "Refer",
                "uuid": UUID,
                "isRecommended": True,
                "actions": [
                    {
                        "type": "create",
                        "description": "Draft a referral",
                        "resource": {"resourceType": "ServiceRequest", "id": "a"},
                    }
                ],
            }
        ],
        "selectionBehavior": "at-most-one",
        "overrideReasons": [{"code": "known", "system": "https://example.org/r", "display": "Known"}],
        "links": [{"label": "App", "url": "https://example.org/app", "type": "smart", "appContext": "x"}],
        "extension": {"org.example": {"a": 1}},
    }


def test_a_full_response_comes_back_unchanged() -> None:
    body = {"cards": [full_card()], "systemActions": [{"type": "delete", "resourceId": "Task/1"}]}
    assert CdsResponse.model_validate(body).model_dump(exclude_none=True) == body


def test_no_cards_is_a_response() -> None:
    check_response({"cards": []})
    with pytest.raises(ValidationError, match="cards"):
        check_response({})


def test_a_card_is_an_object() -> None:
    with pytest.raises(ValidationError, match="valid dictionary"):
        check_response({"cards": ["text"]})


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"summary": "x" * 140}, "139"),
        ({"summary": "\U0001f469" * 70}, "139"),
        ({"summary": "a\nb"}, "one line"),
        ({"summary": " "}, "pattern"),
        ({"summary": 5}, "valid string"),
        ({"detail": ""}, "empty"),
        ({"detail": None}, "null"),
        ({"indicator": "hard-stop"}, "indicator"),
        ({"uuid": UUID.upper()}, "pattern"),
        ({"unknown": 1}, "Extra"),
        ({"source": {}}, "empty"),
        ({"source": {"label": "a", "url": "example.org"}}, "absolute"),
        ({"source": {"label": "a", "url": "https://user:x@example.org"}}, "user information"),
        ({"source": {"label": "a", "topic": {"code": "b"}}}, "system"),
        ({"suggestions": [{"label": "a", "isRecommended": True}] * 2}, "cds-resp-1"),
        (
            {"suggestions": [{"label": "a", "actions": [{"type": "delete", "description": "d"}]}]},
            "cds-resp-2",
        ),
        (
            {"suggestions": [{"label": "a", "actions": [{"type": "create", "description": "d"}]}]},
            "FHIR resource",
        ),
        (
            {"links": [{"label": "a", "url": "https://x.org", "type": "absolute", "appContext": "c"}]},
            "cds-resp-3",
        ),
        ({"overrideReasons": [{"code": "a", "system": "b"}]}, "display"),
        ({"overrideReasons": [{"code": "a", "system": "b", "display": "c"}] * 2}, "stands twice"),
        (
            {"suggestions": [{"label": "a", "actions": [{"type": "delete", "resourceId": "T/1"}]}]},
            "description",
        ),
        ({"selectionBehavior": "all"}, "selectionBehavior"),
        ({"suggestions": [{"label": "a", "actionSelectionBehavior": "some"}]}, "actionSelectionBehavior"),
        ({"suggestions": []}, "empty"),
        ({"links": [{"label": "a", "url": "https://x.org", "type": "relative"}]}, "type"),
        ({"extension": {"org.example": []}}, "empty"),
    ],
)
def test_breaking_the_specification_is_refused(changes: Json, fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        check_response({"cards": [full_card() | changes]})


def test_suggestions_need_a_selection_behaviour() -> None:
    card = copy.deepcopy(full_card())
    del card["selectionBehavior"]
    with pytest.raises(ValidationError, match="cds-resp-6"):
        check_response({"cards": [card]})


def test_a_delete_names_no_resource() -> None:
    action = {"type": "delete", "resourceId": "Task/1", "resource": {"resourceType": "Task"}}
    with pytest.raises(ValidationError, match="cds-resp-2"):
        check_response({"cards": [], "systemActions": [action]})


def test_the_schema_describes_the_whole_response() -> None:
    schema = CdsResponse.model_json_schema()
    assert schema["required"] == ["cards"]
    assert {"Card", "Source", "Suggestion", "Link", "OverrideReason"} <= schema["$defs"].keys()
