"""The words of trial referral: complete, cited, and never a verdict on a whole study."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from fhir_mappings.knowledge.errors import KnowledgeError
from fhir_mappings.trials.knowledge import DEFAULT_DIRECTORY, load_trial_knowledge
from fhir_mappings.trials.study import TrialFact

CITABLE = re.compile(r"S-00[03]-\d{2}")


def test_every_fact_is_described() -> None:
    assert set(load_trial_knowledge().vocabulary.facts) == set(TrialFact)


def test_every_sentence_is_cited() -> None:
    sources = set(re.findall(r'^id = "([^"]+)"', (DEFAULT_DIRECTORY / "sources.toml").read_text(), re.M))
    for words in load_trial_knowledge().words.values():
        assert words.cites
        assert all(CITABLE.fullmatch(cite) or cite in sources for cite in words.cites)


def test_no_word_says_that_a_patient_may_join() -> None:
    assert "eligible" not in (DEFAULT_DIRECTORY / "trials.toml").read_text().lower()


def test_the_concepts_of_facts_are_those_of_the_rules_where_they_have_them() -> None:
    known = set(re.findall(r'^id = "([^"]+)"', (DEFAULT_DIRECTORY / "concepts.toml").read_text(), re.M))
    vocabulary = load_trial_knowledge().vocabulary
    for fact in ("cd19", "cd22", "bcr-abl1", "kmt2a", "mrd", "ecog", "karnofsky", "lansky"):
        assert vocabulary.facts[TrialFact(fact)].concepts & known


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(DEFAULT_DIRECTORY, tmp_path / "relapsed_all")
    return tmp_path / "relapsed_all"


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("[facts.age]", "[facts.height]", "facts.height.[key]"),
        ('kind = "age"', 'kind = "odd"', "facts.age.kind"),
        ("max_studies = 5", "max_studies = 0", "limits.max_studies"),
        ("relapse = '", "relapse = '(", "registry.relapse"),
        ('female = "female"\n', 'female = "female"\n', ""),
        ('"http://snomed.info/sct|248153007" = "male"', '"x|y" = "odd"', "facts.sex.value_codes.x|y"),
        ('jak-inhibitor = "JAK inhibitor"', 'odd-class = "odd"', "facts.prior-therapies.values.odd-class"),
        ("[review]\n", "[review]\nodd = 1\n", "review.odd"),
        ('value_sets = ["loinc_alt"]', 'value_sets = ["absent"]', "file"),
    ],
)
def test_a_fault_is_named_by_its_key(copy: Path, old: str, new: str, named: str) -> None:
    path = copy / "trials.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    if not named:
        load_trial_knowledge(copy)
        return
    with pytest.raises(KnowledgeError) as caught:
        load_trial_knowledge(copy)
    assert named in {fault.key for fault in caught.value.faults}
    assert all(fault.remedy for fault in caught.value.faults)
