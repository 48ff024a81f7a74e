"""The page of security promises names code and tests that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
PROMISES = [
    cells
    for line in PAGE.splitlines()
    if len(cells := [cell.strip() for cell in line.strip("|").split("|")]) == 3
    and cells[0] not in ("promise", "---")
]


def test_promises_were_found() -> None:
    assert len(PROMISES) >= 40


@pytest.mark.parametrize("promise", PROMISES, ids=range(len(PROMISES)))
def test_a_promise_has_code_and_a_test(promise: list[str]) -> None:
    folder = ROOT
    for name in re.findall(r"`([^`]+)`", promise[1]):
        path = ROOT / name if "/" in name else folder / name
        assert path.exists(), name
        folder = path.parent
    links = re.findall(r"\[([^]]+)\]\(\.\./([^)]+)\)", promise[2])
    assert links
    for title, place in links:
        path = ROOT / place
        assert path.exists(), place
        if title.startswith("test_"):
            assert f"\ndef {title}(" in path.read_text(encoding="utf-8"), title


THREATS = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")


def test_every_role_of_the_threat_model_says_what_is_stopped_by_a_test() -> None:
    roles = THREATS.split("\n## ")[3:]
    assert len(roles) >= 8
    for role in roles:
        assert re.search(r"\]\(\.\./tests/", role), role.splitlines()[0]


@pytest.mark.parametrize(("title", "place"), re.findall(r"\[([^]]+)\]\(\.\./([^)]+)\)", THREATS))
def test_the_tests_of_the_threat_model_exist(title: str, place: str) -> None:
    text = (ROOT / place).read_text(encoding="utf-8")
    assert not title.startswith("test_") or f"\ndef {title}(" in text, title
