"""No test fails because the machine is busy: waiting lasts minutes, examples have no deadline."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.house.locks import ROOT

LEAST_SECONDS = 60
EXPIRES = {
    # SQLite is asked once and has to answer that the database is locked.
    "tests/cds_service/store/test_opening.py",
}
"""Tests whose subject is a time-out that runs out."""


def impatient(source: str) -> Iterator[int]:
    """The lines of calls with a ``timeout`` that a busy machine may overrun, or an example's deadline."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        for keyword in node.keywords:
            value = keyword.value.value if isinstance(keyword.value, ast.Constant) else LEAST_SECONDS
            if keyword.arg == "timeout" and isinstance(value, int | float) and value < LEAST_SECONDS:
                yield node.lineno
            if keyword.arg == "deadline" and _is_settings(node) and value is not None:
                yield node.lineno


def _is_settings(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Name) and call.func.id == "settings"


def test_what_is_waited_for_has_time() -> None:
    found = []
    for path in sorted((ROOT / "tests").rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if name not in EXPIRES:
            found += [f"{name}:{line}" for line in impatient(path.read_text("utf-8"))]
    assert found == []


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("get(url, timeout=5)", [1]),
        ("get(url, timeout=59.9)", [1]),
        ("get(url, timeout=60)", []),
        ("get(url, timeout=PATIENCE)", []),
        ("@settings(deadline=200)\ndef f(): ...", [1]),
        ("@settings(deadline=None)\ndef f(): ...", []),
    ],
)
def test_impatience_is_found(source: str, lines: list[int]) -> None:
    assert list(impatient(source)) == lines


def test_examples_have_no_deadline() -> None:
    assert settings().deadline is None
    assert HealthCheck.too_slow in settings().suppress_health_check


def test_the_exceptions_exist() -> None:
    assert [name for name in EXPIRES if not (Path(ROOT) / name).is_file()] == []
