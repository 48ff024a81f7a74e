"""Knowledge that is not sound stops the start, naming the file, the key and what to do."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from fhir_mappings import knowledge as package
from fhir_mappings.assess import KnowledgeError, load_knowledge

ORIGINAL = Path(package.__file__).parent / "relapsed_all"


@pytest.fixture
def broken(tmp_path: Path) -> Callable[[str, str, str], KnowledgeError]:
    """The error of the knowledge in which one text of one file was replaced."""

    def load(file: str, old: str, new: str) -> KnowledgeError:
        directory = tmp_path / "relapsed_all"
        shutil.copytree(ORIGINAL, directory)
        text = (directory / file).read_text()
        assert old in text, f"{file} no longer holds {old!r}"
        (directory / file).write_text(text.replace(old, new, 1))
        with pytest.raises(KnowledgeError) as error:
            load_knowledge(directory)
        return error.value

    return load


@pytest.mark.parametrize(
    ("file", "old", "new", "key"),
    [
        # a key that nobody knows
        ("thresholds.toml", "[remission_marrow_below]\n", "[remission_marrow_below]\nodd = 1\n", ".odd"),
        ("thresholds.toml", "[remission_marrow_below]", "[remission_marrow_under]", "remission_marrow_below"),
        # a number without a citation
        ("thresholds.toml", "cites = [", "sites = [", "cites"),
        # a code that fails its check digit
        ("value_sets/loinc_marrow_blasts_pct.csv", "11150-0", "11150-1", "11150-1"),
        # an option whose words do not exist
        ("options.toml", 'facts = "', 'facts = "absent.', "absent."),
        ("words.toml", "text = ", "texts = ", "texts"),
        # a value set that is not there
        ("concepts.toml", '"loinc_marrow_blasts_pct"', '"loinc_absent"', "loinc_absent"),
        ("needs.toml", 'requirement = "always"', 'requirement = "sometimes"', "requirement"),
        ("criteria_sets.toml", "complete = true", "finished = true", "finished"),
    ],
)  # fmt: skip
def test_a_fault_names_its_file_its_key_and_the_remedy(
    broken: Callable[[str, str, str], KnowledgeError], file: str, old: str, new: str, key: str
) -> None:
    faults = broken(file, old, new).faults
    named = [fault for fault in faults if key in fault.key or key in fault.problem]
    assert named, [str(fault) for fault in faults]
    assert any(fault.file.endswith(file) or fault.file.endswith("concepts.toml") for fault in named)
    assert all(fault.remedy for fault in faults)


def test_all_faults_come_at_once(tmp_path: Path) -> None:
    directory = tmp_path / "relapsed_all"
    shutil.copytree(ORIGINAL, directory)
    for file in ("thresholds.toml", "needs.toml"):
        (directory / file).write_text("odd = 1\n" + (directory / file).read_text())
    with pytest.raises(KnowledgeError) as error:
        load_knowledge(directory)
    assert {Path(fault.file).name for fault in error.value.faults} >= {"thresholds.toml", "needs.toml"}
    assert len(str(error.value).splitlines()) == len(error.value.faults)


def test_the_knowledge_of_the_package_has_no_fault() -> None:
    assert load_knowledge().disease == "all"
