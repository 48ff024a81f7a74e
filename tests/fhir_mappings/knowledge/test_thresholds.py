"""A threshold keeps its past, and a name nobody declared is found before a patient meets it."""

from __future__ import annotations

import ast
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from fhir_mappings.knowledge.assembly import PACKAGED_KNOWLEDGE, load_knowledge
from fhir_mappings.knowledge.errors import KnowledgeError
from fhir_mappings.knowledge.model import Knowledge
from fhir_mappings.knowledge.thresholds import REQUIRED, ThresholdName

ROOT = Path(__file__).parents[3]


def with_past(folder: Path, past: str) -> Path:
    """A copy of the knowledge whose number for suspect marrow has this past."""
    copy = folder / "knowledge"
    shutil.copytree(PACKAGED_KNOWLEDGE, copy)
    file = copy / "thresholds.toml"
    head, table, rest = file.read_text("utf-8").partition("[suspect_marrow_at_least]")
    assert 'since = "2026.11.1"' in rest
    file.write_text(head + table + rest.replace('since = "2026.11.1"', past, 1), encoding="utf-8")
    return copy


def test_every_number_has_a_version_and_a_change_its_earlier_value(tmp_path: Path) -> None:
    past = 'since = "2026.12.1"\nwas = [{ value = 4, since = "2026.11.1" }]'
    found = load_knowledge(with_past(tmp_path, past)).thresholds["suspect_marrow_at_least"]
    assert found.since == "2026.12.1"
    assert [(str(one.value), one.since) for one in found.was] == [("4", "2026.11.1")]
    assert all(one.since for one in load_knowledge().thresholds.values())


@pytest.mark.parametrize(
    ("past", "fault"),
    [
        ("", "missing key"),
        ('since = "soon"', "since: wrong value"),
        ('since = "2026.11.1"\nwas = [{ value = 4, since = "2026.12.1" }]', "versions do not go back"),
        ('since = "2026.12.1"\nwas = [{ value = 5, since = "2026.11.1" }]', "changes nothing"),
        ('since = "2026.12.1"\nwas = [{ value = 4 }]', "missing key"),
    ],
)
def test_a_past_that_cannot_have_been_is_refused(tmp_path: Path, past: str, fault: str) -> None:
    with pytest.raises(KnowledgeError, match=fault):
        load_knowledge(with_past(tmp_path, past))


def names_asked_for(source: str) -> Iterator[str]:
    """Every constant that a module asks the knowledge for as a number."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in ("number", "whole") and node.args and isinstance(node.args[0], ast.Constant):
                yield str(node.args[0].value)
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            if isinstance(node.value, ast.Attribute) and node.value.attr == "thresholds":
                yield str(node.slice.value)


def test_only_declared_numbers_are_asked_for() -> None:
    asked = {
        name
        for path in sorted((ROOT / "fhir_mappings").rglob("*.py"))
        for name in names_asked_for(path.read_text("utf-8"))
    }
    assert len(asked) > 30
    assert asked - set(REQUIRED) == set()
    assert list(names_asked_for('k.number("remision"); k.thresholds["adult"]')) == ["remision", "adult"]


def test_the_type_checker_knows_the_names() -> None:
    for method in (Knowledge.number, Knowledge.whole):
        assert get_type_hints(method)["key"] == ThresholdName
    assert set(get_args(ThresholdName)) == REQUIRED
