"""Every word that a clinician reads stands in a data file: no text in the code that says and shows."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = (
    "fhir_mappings/statements",
    "fhir_mappings/timeline",
    "fhir_mappings/relapse",
    "fhir_mappings/clinical",
    "cds_service/timeline",
    "cds_service/cards",
)
"""Where it is decided, said and shown."""

NOT_CLINICAL = {
    "cds_service/timeline/launching.py",
    "cds_service/timeline/problem.py",
    "cds_service/timeline/routes.py",
    "cds_service/timeline/sealing.py",
}
"""What these say is said of a sign-in or a browser, not of a patient."""

DESCRIBED_DATA = {
    "cds_service/cards/brief.py": "how many lines more there are",
    "cds_service/cards/deciding_table.py": "a comparator in words, and a date that is not on record",
    "cds_service/timeline/unread.py": "what an empty part of the page means",
    "fhir_mappings/clinical/quantities.py": "a laboratory's own word for a weak result",
    "fhir_mappings/clinical/samples.py": "the name of a datum that no result concept has",
    "fhir_mappings/clinical/timing.py": "the arithmetic of dates, shown with each class",
    "fhir_mappings/relapse/evidence.py": "the names of procedures as evidence",
    "fhir_mappings/relapse/lineage_switch.py": "a date that is not on record",
    "fhir_mappings/relapse/situation.py": "a date that is not on record, and a history of leukaemia",
    "fhir_mappings/relapse/usable_results.py": "a datum in a few words: name, value, original, date",
    "fhir_mappings/relapse/weighing.py": "the names of written reports",
    "fhir_mappings/relapse/words.py": "the names of sites that reports speak of",
    "fhir_mappings/statements/finding.py": "short values of the deciding table",
    "fhir_mappings/statements/headlines.py": "a pointer to what stands below",
    "fhir_mappings/statements/options.py": "short states of the table of agents",
    "fhir_mappings/statements/statement.py": "the names of months",
}
"""Files that name data in words of their own. The list may get shorter, not longer."""

_TWO_WORDS = re.compile(r"[A-Za-z]{2,},? +\(?[A-Za-z]{2,}")
_GLUED = re.compile(r"^[;,.]? ?\(?[a-z]{2,} $|^[;,.]? [a-z]{3,}\)?$| [a-z]{3,} $|^ [a-z]{2,} ")
_LABEL = re.compile(r"[A-Z][a-z]{2,}")


def texts(source: str) -> Iterator[tuple[int, str]]:
    """Line and text of every piece of prose that is no docstring, no message of an error and no type."""
    tree = ast.parse(source)
    silent = {id(leaf) for node in ast.walk(tree) for part in _silent(node) for leaf in ast.walk(part)}
    glued = {id(value) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for value in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in silent:
            text = node.value
            prose = _TWO_WORDS.search(text) or _LABEL.fullmatch(text)
            if prose or (id(node) in glued and _GLUED.search(text)):
                yield node.lineno, text


def _silent(node: ast.AST) -> Iterator[ast.AST]:
    """The parts below a node that nobody reads on a screen."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        yield node.value
    elif isinstance(node, ast.Raise):
        yield node
    elif isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in (
        "TypeVar",
        "cast",
        "compile",
    ):
        yield node
    elif isinstance(node, ast.AnnAssign) and node.annotation is not None:
        yield node.annotation
    elif isinstance(node, ast.Assign) and any(
        isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets
    ):
        yield node.value


def found() -> dict[str, list[tuple[int, str]]]:
    paths = (path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py")))
    read = ((path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")) for path in paths)
    texts_of = {name: list(texts(source)) for name, source in read if name not in NOT_CLINICAL}
    return {name: hits for name, hits in texts_of.items() if hits}


def test_what_a_clinician_reads_is_written_in_no_code() -> None:
    assert {name: hits for name, hits in found().items() if name not in DESCRIBED_DATA} == {}


def test_no_exception_outlives_its_reason() -> None:
    assert [name for name in NOT_CLINICAL if not (ROOT / name).is_file()] == []
    assert [name for name in DESCRIBED_DATA if name not in found()] == []


@pytest.mark.parametrize(
    "line",
    [
        'say(words, date="an unknown date")',
        'yield "Event", day',
        'site = f"isolated extramedullary ({named})"',
        'tempo = f"{x} relapse"',
        'age = f"age {years}"',
        'text = f"{text} (recorded as {value})"',
    ],
)
def test_the_search_for_text_finds_it(line: str) -> None:
    assert list(texts(f"def f():\n    {line}\n"))


@pytest.mark.parametrize(
    "line",
    [
        'say("hsct.cr2.late.positive", key=f"{key}.intro")',
        'raise ValueError("this status stands on an episode")',
        'pattern = re.compile("an unknown date")',
        '"""A docstring of several words."""',
        'what = f"{day} ({met})"',
    ],
)
def test_the_search_for_text_leaves_keys_errors_and_docstrings(line: str) -> None:
    assert not list(texts(f"def f():\n    {line}\n"))
