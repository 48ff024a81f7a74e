"""Feedback bodies as the specification, Epic and the public sandbox write them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
CARD = "4e0a3a1e-3578-4447-8ed5-fae1cb32c0f6"
OTHER_CARD = "2fde6bcb-5f5b-4f7d-9ef7-1f2d8d5e2f0a"
SUGGESTION = "e56e1945-20b3-4393-8503-a1a20fd73152"
REASONS = "https://relapse-cds.org/CodeSystem/override-reason"
EPIC = "com.epic.cdshooks.feedback.overrideReason."

Json = dict[str, Any]


def item(**changes: Any) -> Json:
    """An overridden card; a change to None leaves the member out."""
    usual = {"card": CARD, "outcome": "overridden", "outcomeTimestamp": "2026-11-20T09:29:30Z"}
    return {name: value for name, value in {**usual, **changes}.items() if value is not None}


def accepted(*suggestions: str, **changes: Any) -> Json:
    """An accepted card."""
    ids = [{"id": one} for one in suggestions or (SUGGESTION,)]
    return item(outcome="accepted", acceptedSuggestions=ids, **changes)


def because(code: str, **members: Any) -> Json:
    """An override reason of ours."""
    return {"reason": {"code": code, "system": REASONS, **members}}


def body(*items: Json) -> bytes:
    """A request body."""
    return json.dumps({"feedback": list(items)}).encode()
