"""The tutorials are followed word by word in a copy of the tree."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TUTORIAL = (ROOT / "docs" / "tutorials" / "add-a-criterion.md").read_text(encoding="utf-8")
_STEP = re.compile(
    r"(?:Write|end of) `(?P<path>[\w/]+\.(?:py|toml))`.*?```(?:python|toml)\n(?P<text>.*?)```", re.DOTALL
)
COMMAND = ("-c", "import sys; from cds_service.cli import main; sys.exit(main(sys.argv[1:]))")
_LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "node_modules", "vendor", "mutants", "img", "servers")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree in which the three steps were followed."""
    folder = tmp_path_factory.mktemp("tutorial") / "copy"
    shutil.copytree(ROOT, folder, ignore=_LEFT_OUT)
    for step in _STEP.finditer(TUTORIAL):
        file = folder / step["path"]
        before = file.read_text(encoding="utf-8") + "\n" if file.exists() else ""
        file.write_text(before + step["text"], encoding="utf-8")
    return folder


def run(copy: Path, *words: str) -> str:
    """What a command prints, run with the copy's own packages; it must succeed."""
    place = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, *words],
        cwd=copy,
        env=place,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


def test_it_touches_one_module_one_data_file_and_one_file_of_cases() -> None:
    assert [Path(step["path"]).as_posix() for step in _STEP.finditer(TUTORIAL)] == [
        "fhir_mappings/knowledge/relapsed_all/criteria/blood_single.py",
        "fhir_mappings/knowledge/relapsed_all/criteria_sets.toml",
        "tests/clinical/relapsed_all/criterion_f.toml",
    ]


def test_the_loader_knows_the_set_and_leaves_it_off(copy: Path) -> None:
    found = run(
        copy, "-c",
        "import fhir_mappings; from fhir_mappings.assess import load_knowledge, choose; k = load_knowledge();"
        "print(fhir_mappings.__file__); print([one.id for one in k.criteria_sets]);"
        "print([one.id for one in choose(k, 'blood-20').criteria_sets])",
    ).splitlines()  # fmt: skip
    assert found[0].startswith(str(copy))
    assert "blood-20" not in found[1]
    assert found[2].startswith("['blood-20', 'seed-000'")


def test_the_cases_are_answered_and_every_sentence_has_a_case(copy: Path) -> None:
    case = "tests/clinical/test_cases.py::test_the_case_is_answered_as_written"
    nodes = [f"{case}[F-{name}]" for name in ("below", "at", "bound")]
    assert "3 passed" in run(copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", *nodes)
    run(
        copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/clinical/test_traceability.py",
        "tests/fhir_mappings/knowledge/test_criterion.py",
    )  # fmt: skip


def test_the_timeline_asks_for_it_and_draws_its_line(copy: Path) -> None:
    found = run(
        copy, "-c",
        "from fhir_mappings.assess import CRITERION, choose, load_knowledge;"
        "from fhir_mappings.timeline.threshold_lines import levels_of;"
        "from cds_service.timeline.page_rows import asked_by;"
        "k = choose(load_knowledge(), 'blood-20');"
        "print(asked_by('F', k.default_set, k));"
        "print([str(l.value) for l in levels_of(k) for u in l.uses if l.panel == 'blood' and u.id == 'F'])",
    ).splitlines()  # fmt: skip
    assert found == ["Blood lymphoblasts ≥ 20 % in one smear", "['20']"]


def test_the_rule_can_be_read_and_signed(copy: Path) -> None:
    found = run(copy, *COMMAND, "knowledge", "review", "criterion-F")
    for part in ("Criterion F, blood of 20 % or more", "blood-20", "F-at", "criterion.F"):
        assert part in found


def test_the_documents_follow(copy: Path) -> None:
    run(copy, *COMMAND, "docs")
    written = "".join(
        path.read_text(encoding="utf-8") for path in sorted((copy / "docs" / "clinical").rglob("*.md"))
    )
    for part in (
        "at least 20 % lymphoblasts in one blood smear",
        "Blood lymphoblasts ≥ 20 % in one smear",
        "20.0% in the blood is at the threshold",
    ):
        assert part in written


THRESHOLD = (ROOT / "docs" / "tutorials" / "add-a-threshold.md").read_text(encoding="utf-8")
_NAME, _NUMBER, _LINE_BEFORE, _LINE_AFTER, _CASES, _COMMANDS = re.findall(
    r"```(?:text|toml|sh)\n(.*?)```", THRESHOLD, re.DOTALL
)


@pytest.fixture(scope="module")
def with_threshold(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree in which a threshold was added as the page says."""
    folder = tmp_path_factory.mktemp("threshold") / "copy"
    shutil.copytree(ROOT, folder, ignore=_LEFT_OUT)
    names = folder / "fhir_mappings/knowledge/thresholds.py"
    head, names_end, rest = names.read_text("utf-8").partition("]  # fmt: skip")
    names.write_text(head + _NAME + names_end + rest, encoding="utf-8")
    numbers = folder / "fhir_mappings/knowledge/relapsed_all/thresholds.toml"
    numbers.write_text(numbers.read_text("utf-8") + "\n" + _NUMBER, encoding="utf-8")
    rule = folder / "fhir_mappings/relapse/undiagnosed.py"
    assert _LINE_BEFORE in rule.read_text("utf-8")
    rule.write_text(rule.read_text("utf-8").replace(_LINE_BEFORE, _LINE_AFTER), encoding="utf-8")
    (folder / "tests/clinical/relapsed_all/undiagnosed_window.toml").write_text(_CASES, encoding="utf-8")
    return folder


def test_a_threshold_decides_and_its_cases_are_answered(with_threshold: Path) -> None:
    case = "tests/clinical/test_cases.py::test_the_case_is_answered_as_written"
    nodes = [f"{case}[undiagnosed-{name}]" for name in ("inside", "outside")]
    run(
        with_threshold, "-m", "pytest", "-q", "-p", "no:cacheprovider", *nodes,
        "tests/fhir_mappings/knowledge/test_thresholds.py",
        "tests/clinical/test_traceability.py::test_every_case_has_one_home_rule_and_every_rule_a_case",
    )  # fmt: skip


def test_a_threshold_stands_on_a_page_and_in_the_difference(with_threshold: Path) -> None:
    run(with_threshold, *COMMAND, "docs")
    page = (with_threshold / "docs/clinical/rules/status.md").read_text("utf-8")
    assert "`threshold undiagnosed_window_days`: 60 d, " in page
    told = run(with_threshold, *COMMAND, "knowledge", "diff", str(with_threshold))
    assert told == "No number, criterion, option, sentence or code changed.\n"


def test_a_misspelt_threshold_is_found(with_threshold: Path) -> None:
    rule = with_threshold / "fhir_mappings/relapse/undiagnosed.py"
    right = rule.read_text("utf-8")
    rule.write_text(right.replace("undiagnosed_window_days", "undiagnosed_windw_days"), encoding="utf-8")
    try:
        with pytest.raises(AssertionError, match="undiagnosed_windw_days"):
            run(
                with_threshold, "-m", "pytest", "-q", "-p", "no:cacheprovider",
                "tests/fhir_mappings/knowledge/test_thresholds.py",
            )  # fmt: skip
    finally:
        rule.write_text(right, encoding="utf-8")
