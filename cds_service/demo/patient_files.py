"""What a demonstration patient's file may hold, and where in the file a fault is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from fhir_mappings.assess import Status

_TEXTS = ("id", "given", "family", "sex", "born", "story", "record")
_KEYS = {*_TEXTS, "display_suffix", "expect"}
_EXPECT_KEYS = {"status", "cards"}
_SEXES = ("female", "male", "other", "unknown")
_STATUSES = tuple(status.value for status in Status)
_ID = re.compile(r"(?=.{1,20}$)[a-z0-9]+(-[a-z0-9]+)*")
_TOPIC = re.compile(r"all[A-Z][A-Za-z]+")


def content_faults(content: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Every (key, reason) for which a file's content is refused."""
    allowed = ", ".join(sorted(_KEYS))
    faults = [(key, f"unknown key '{key}'; allowed: {allowed}") for key in sorted(content.keys() - _KEYS)]
    for key in _TEXTS:
        if not isinstance(content.get(key), str) or not content[key].strip():
            faults.append((key, f"'{key}' must be a text that is not empty"))
    if not isinstance(content.get("display_suffix", ""), str):
        faults.append(("display_suffix", "'display_suffix' must be a text"))
    if not faults and not _ID.fullmatch(content["id"]):
        faults.append(("id", "'id' must be lower-case words joined by hyphens, at most 20 letters"))
    if not faults and content["sex"] not in _SEXES:
        faults.append(("sex", f"'sex' must be one of {', '.join(_SEXES)}"))
    return faults + _expect_faults(content.get("expect"))


def _expect_faults(expect: Any) -> list[tuple[str, str]]:
    if not isinstance(expect, dict) or expect.keys() != _EXPECT_KEYS:
        return [("[expect]", "[expect] must hold exactly 'status' and 'cards'")]
    faults = []
    if expect["status"] not in _STATUSES:
        faults.append(("status", f"'status' must be one of {', '.join(_STATUSES)}"))
    cards = expect["cards"]
    if not isinstance(cards, list) or not all(map(_is_topic, cards)):
        faults.append(("cards", "'cards' must be a list of card topics such as allFinding"))
    return faults


def _is_topic(card: Any) -> bool:
    return isinstance(card, str) and _TOPIC.fullmatch(card) is not None


def line_of(text: str, key: str) -> int:
    """The line of a key or table, 1 when it is not there."""
    pattern = re.escape(key) if key.startswith("[") else rf"{re.escape(key)}\s*="
    found = re.search(rf"^{pattern}", text, re.MULTILINE)
    return text.count("\n", 0, found.start()) + 1 if found else 1
