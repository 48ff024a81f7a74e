"""The safety file: every control has a test that exists, and every kind of fault stands in a hazard."""

from __future__ import annotations

import ast
import re
import tomllib
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from cds_service.documents.risk import pinned
from cds_service.evaluation.site_knowledge import knowledge_in_use
from cds_service.settings.model import Settings
from cds_service.wire.source_attributes import source_attributes

ROOT = Path(__file__).parents[2]
RISK = ROOT / "docs" / "risk"
HAZARDS: list[dict[str, Any]] = tomllib.loads((RISK / "hazards.toml").read_text("utf-8"))["hazard"]


def numbered(kind: str, last: int, form: str = "d") -> list[str]:
    return [f"{kind}-{number:{form}}" for number in range(1, last + 1)]


KINDS = {
    *numbered("inv", 8),
    *numbered("D", 19, "02d"),
    *(f"clinical-A{number}" for number in range(1, 11)),
    *(f"clinical-B{number}" for number in range(1, 3)),
    *(f"clinical-C{number}" for number in range(1, 10)),
    *(f"clinical-D{number}" for number in range(1, 3)),
    *(f"field-K{number}" for number in range(1, 17)),
    *numbered("hooks", 9),
    *numbered("security", 17),
    *numbered("smart", 13),
    "use-setup", "use-service", "use-library", "use-library-numbers", "use-clinician-probable",
    "use-clinician-long", "use-clinician-order",
    "use-alert-fatigue", "use-over-trust", "use-wrong-patient-open",
}  # fmt: skip
"""Invariants, decisions, kinds of faults that were found, and those of use."""


@cache
def names_of_tests(path: str) -> set[str]:
    """The names of the test functions of a file."""
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    return {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def fault_of(proof: str) -> str:
    """Why a proof proves nothing; empty where it does."""
    path, _, name = proof.partition("::")
    if not (ROOT / path).is_file():
        return "no such file"
    if path.endswith(".toml"):
        return (
            ""
            if path.startswith("tests/clinical/relapsed_all/") and not name
            else "no file of clinical cases"
        )
    if not path.startswith("tests/") or not Path(path).name.startswith("test_"):
        return "no file of tests"
    if name and name not in names_of_tests(path):
        return "no such test"
    return "" if names_of_tests(path) else "a file without tests"


PROOFS = [(hazard["id"], proof) for hazard in HAZARDS for one in hazard["controls"] for proof in one["proof"]]


@pytest.mark.parametrize(("hazard", "proof"), PROOFS)
def test_what_proves_a_control_exists(hazard: str, proof: str) -> None:
    assert fault_of(proof) == ""


@pytest.mark.parametrize(
    ("proof", "fault"),
    [
        ("tests/house/test_risk_file.py::test_that_was_renamed", "no such test"),
        ("tests/house/test_gone.py::test_x", "no such file"),
        ("tests/clinical/conventions.py", "no such file"),
        ("docs/risk/hazards.toml", "no file of clinical cases"),
        ("cds_service/app.py", "no file of tests"),
    ],
)
def test_a_renamed_test_is_found(proof: str, fault: str) -> None:
    assert fault_of(proof) == fault


def test_every_kind_stands_in_a_hazard_and_no_other_does() -> None:
    covered = list(chain.from_iterable(hazard["covers"] for hazard in HAZARDS))
    assert set(covered) == KINDS
    assert [kind for kind in covered if covered.count(kind) > 1] == []


@pytest.mark.parametrize("hazard", HAZARDS, ids=lambda hazard: str(hazard["id"]))
def test_a_hazard_is_whole(hazard: dict[str, Any]) -> None:
    assert set(hazard) - {"open"} == {
        "id", "hazard", "sequence", "harm", "severity", "before", "after", "covers", "controls",
    }  # fmt: skip
    assert all(1 <= hazard[key] <= 5 for key in ("severity", "before", "after"))
    assert hazard["after"] <= hazard["before"]
    assert hazard["controls"]
    assert all(one["control"] and one["proof"] for one in hazard["controls"])
    assert set(hazard.get("open", [])) <= set(hazard["covers"])


def test_hazards_have_ids_of_their_own_in_order() -> None:
    assert [hazard["id"] for hazard in HAZARDS] == [
        f"HZ-{number:02d}" for number in range(1, len(HAZARDS) + 1)
    ]


@pytest.mark.parametrize("path", sorted(RISK.glob("*.md")), ids=lambda path: path.name)
def test_hazards_that_a_document_names_exist(path: Path) -> None:
    named = set(re.findall(r"HZ-\d\d", path.read_text("utf-8")))
    assert named <= {hazard["id"] for hazard in HAZARDS}


@pytest.mark.parametrize("path", sorted(RISK.glob("*.md")), ids=lambda path: path.name)
def test_places_that_a_document_names_exist(path: Path) -> None:
    text = path.read_text("utf-8")
    places = re.findall(r"`((?:fhir_mappings|cds_service|tests|docs|deploy|\.ci)/[\w./-]+)`", text)
    links = [
        (RISK / link).resolve().relative_to(ROOT).as_posix() for link in re.findall(r"\]\(([^)#:]+)\)", text)
    ]
    assert [place for place in [*places, *links] if not (ROOT / place).exists()] == []


def test_every_room_of_the_code_is_a_software_item() -> None:
    text = (RISK / "software-items.md").read_text("utf-8")
    rooms = {
        f"{top}/{path.name}"
        for top in ("cds_service", "fhir_mappings")
        for path in (ROOT / top).iterdir()
        if path.is_dir() and (path / "__init__.py").exists()
    }
    assert {room for room in rooms if f"`{room}`" not in text} == set()


def test_every_library_that_is_shipped_is_listed_and_no_other() -> None:
    listed = tomllib.loads((RISK / "soup.toml").read_text("utf-8"))
    assert set(listed) == set(pinned(ROOT))
    assert all(entry["purpose"] and entry["anomalies"].startswith("https://") for entry in listed.values())


def test_the_thirteen_and_the_thirty_one_attributes_are_served() -> None:
    document = source_attributes(knowledge_in_use(Settings.embedded()))
    body = document.as_json()
    assert (len(body["evidenceBased"]), len(body["predictive"])) == (13, 31)
