"""The citations: complete, linkable over https, and honest about how they were read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import fhir_mappings.knowledge
from fhir_mappings.knowledge.errors import Fault
from fhir_mappings.knowledge.sources import Source, read_sources
from tests import reference

PATH = Path(fhir_mappings.knowledge.__file__).parent / "relapsed_all" / "sources.toml"
CLINICAL = reference.FOLDER / "clinical.md"
ENTRY = """\
[[source]]
id = "A"
label = "A"
title = "A title"
kind = "trial"
read = "full"
confirmed = true
"""


@pytest.fixture(scope="module")
def sources() -> dict[str, Source]:
    faults: list[Fault] = []
    found = dict(read_sources(PATH, faults))
    assert [str(fault) for fault in faults] == []
    return found


def faults_of(tmp_path: Path, text: str) -> list[Fault]:
    path = tmp_path / "sources.toml"
    path.write_text(text, encoding="utf-8")
    faults: list[Fault] = []
    read_sources(path, faults)
    return faults


def test_both_product_documents_and_the_reader_links_are_there(sources: dict[str, Source]) -> None:
    assert sources["seed-000"].kind == sources["seed-003"].kind == "seed"
    assert sources["PDQ"].url.startswith("https://www.cancer.gov/")
    assert sources["CTG-SEARCH"].url.startswith("https://clinicaltrials.gov/")


def test_links_are_https_and_safe_inside_markdown(sources: dict[str, Source]) -> None:
    for source in sources.values():
        assert source.url == "" or re.fullmatch(r"https://[^\s<>()\[\]]+", source.url), source.key


def test_labels_say_for_which_country(sources: dict[str, Source]) -> None:
    labels = {source.key: source.jurisdiction for source in sources.values() if source.kind == "label"}
    assert labels["BLIN"] == labels["NEL"] == labels["INO"] == "US"
    assert labels["OBE-EU"] == "EU"


def test_what_rests_on_general_knowledge_says_so(sources: dict[str, Source]) -> None:
    assert {key for key, source in sources.items() if not source.confirmed} == {"HR20", "REZ90", "PDQ"}


@pytest.mark.reference
def test_every_source_of_the_reference_is_there(sources: dict[str, Source]) -> None:
    text = CLINICAL.read_text(encoding="utf-8")
    cited = {word for tag in re.findall(r"\[V:([A-Za-z0-9, -]+)\]", text) for word in re.split(r", ?", tag)}
    single_words = {word for word in cited if " " not in word and word != "xx"}
    assert len(single_words) > 50
    assert single_words <= set(sources)


def test_a_good_entry_is_read(tmp_path: Path) -> None:
    assert faults_of(tmp_path, ENTRY) == []


@pytest.mark.parametrize(
    ("addition", "problem"),
    [
        (ENTRY, "listed twice"),
        (ENTRY.replace('"A"', '"B"').replace('"trial"', '"label"'), "jurisdiction"),
        ('jurisdiction = "US"', "jurisdiction"),
        ('url = "http://example.org"', "wrong value"),
        ('url = "https://example.org/a(b)"', "wrong value"),
        ("year = 1900", "wrong value"),
        ('year = "2020"', "wrong value"),
        ('doi = "10.1000/1"', "unknown key"),
    ],
)
def test_a_bad_entry_is_a_fault(tmp_path: Path, addition: str, problem: str) -> None:
    faults = faults_of(tmp_path, f"{ENTRY}{addition}\n")
    assert len(faults) == 1
    assert problem in faults[0].problem
