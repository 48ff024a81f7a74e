"""What docs/trials.md shows can be used as it stands."""

from __future__ import annotations

import json
import re
import textwrap
from pathlib import Path

import pytest

from cds_service.settings.model import TrialSettings
from cds_service.trials.catalogue import parse_toml
from cds_service.trials.clinicaltrials_gov import Search
from fhir_mappings.trials import TrialFact, load_trial_knowledge, read_research

TEXT = (Path(__file__).parents[3] / "docs" / "trials.md").read_text(encoding="utf-8")
VOCABULARY = load_trial_knowledge().vocabulary


def block(start: str) -> str:
    """The indented block that begins with ``start``."""
    lines = TEXT[TEXT.index(f"    {start}") :].splitlines()
    end = next(number for number, line in enumerate(lines) if line and not line.startswith("    "))
    return textwrap.dedent("\n".join(lines[:end]))


def test_the_example_of_a_list_is_read_without_a_fault() -> None:
    found = parse_toml(block("[list]"), "example.toml", VOCABULARY)
    assert found.faults == ()
    (study,) = found.list.studies
    assert [one.fact for one in study.criteria] == [
        TrialFact.AGE,
        TrialFact.PRIOR_THERAPIES,
        TrialFact.MRD,
    ]


def test_the_example_of_a_group_is_read_whole() -> None:
    group = json.loads(block("{\n"))
    study = {
        "resourceType": "ResearchStudy",
        "id": "s1",
        "status": "active",
        "title": "Fictional study in relapsed ALL",
        "enrollment": [{"reference": f"Group/{group['id']}"}],
    }
    (found,) = read_research([json.dumps(one).encode() for one in (study, group)], VOCABULARY).studies
    assert {TrialFact.LINEAGE, TrialFact.AGE} <= {one.fact for one in found.criteria}
    assert found.not_checked == ()


@pytest.mark.parametrize("fact", list(TrialFact))
def test_every_fact_is_described_with_its_values_and_unit(fact: TrialFact) -> None:
    (row,) = (line for line in TEXT.splitlines() if line.startswith("| `") and f"`{fact.value}`" in line)
    words = VOCABULARY.facts[fact]
    if fact is not TrialFact.PRIOR_THERAPIES:
        assert all(re.search(rf"\b{value}\b", row) for value in words.values)
    assert words.unit in row


def test_what_is_said_to_be_sent_is_what_is_sent() -> None:
    sent = Search(VOCABULARY.registry.query, 42.36, -71.06, 250, (0, 17), "female").parameters()
    table = TEXT[TEXT.index("| parameter") :]
    for key in sent:
        assert f"`{key}`" in table
    assert sent["query.cond"] in table
    assert sent["filter.overallStatus"] in table.replace("\\|", "|")


def test_the_settings_are_those_there_are() -> None:
    named = re.findall(r"^(\w+) = ", block("[trials]"), re.MULTILINE)
    assert set(named) == TrialSettings.model_fields.keys() - {"cache_file"}
