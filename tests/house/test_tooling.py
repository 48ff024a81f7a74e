"""The locks pin what pyproject.toml asks for, and the Makefile explains itself."""

from __future__ import annotations

import re

import pytest

from tests.house.locks import LOCKS, ROOT, lock_text, pins, project_table


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_carries_hashes(lock: str) -> None:
    blocks = re.split(r"^(?=\S)", lock_text(lock), flags=re.MULTILINE)
    requirements = [block for block in blocks if block.strip() and not block.startswith("#")]
    assert len(requirements) == len(pins(lock)) > 10
    assert [block.split()[0] for block in requirements if "--hash=sha256:" not in block] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_name_no_index_host_or_path(lock: str) -> None:
    text = lock_text(lock)
    assert "://" not in text
    assert not re.search(r"--(index-url|extra-index-url|find-links|trusted-host)", text)
    assert not re.search(r"(^|\s)/\w", text)


@pytest.mark.parametrize("lock", LOCKS)
def test_the_locks_agree(lock: str) -> None:
    shipped, dev = pins(lock), pins("dev.lock")
    assert {
        name: (version, dev.get(name)) for name, version in shipped.items() if dev.get(name) != version
    } == {}


def test_the_tracing_extra_is_asked_for_in_the_same_words() -> None:
    lines = (ROOT / "requirements" / "otel.in").read_text("utf-8").splitlines()
    asked = [line for line in lines if line and not line.startswith("#")]
    assert asked == project_table()["optional-dependencies"]["otel"]


def test_every_target_of_the_makefile_is_explained() -> None:
    text = (ROOT / "Makefile").read_text("utf-8")
    phony = re.search(r"^\.PHONY: (.+)$", text, re.MULTILINE)
    assert phony is not None
    explained = set(re.findall(r"^([a-z-]+):.*## \S", text, re.MULTILINE))
    assert set(phony[1].split()) == explained


def test_the_licence_is_the_whole_text() -> None:
    text = (ROOT / "LICENSE").read_text("utf-8")
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text
