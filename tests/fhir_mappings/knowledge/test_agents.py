"""Every medication code leads to exactly one agent, and text finds the right one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

import fhir_mappings.knowledge
from fhir_mappings.knowledge.agents import (
    CLASSES,
    MEDICATION_SETS,
    Agent,
    compile_name_patterns,
    read_agents,
)
from fhir_mappings.knowledge.code_rows import Code
from fhir_mappings.knowledge.errors import Fault
from fhir_mappings.knowledge.loader import read_value_sets

ALL = Path(fhir_mappings.knowledge.__file__).parent / "relapsed_all"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ATC = "http://www.whocc.no/atc"
IMMUNOSUPPRESSANT = (ATC, "L04AX03")


@pytest.fixture(scope="module")
def value_sets() -> Mapping[str, tuple[Code, ...]]:
    return read_value_sets(ALL / "value_sets", [])


@pytest.fixture(scope="module")
def agents(value_sets: Mapping[str, tuple[Code, ...]]) -> tuple[Agent, ...]:
    faults: list[Fault] = []
    found = read_agents(ALL / "agents.toml", value_sets, faults)
    assert [str(fault) for fault in faults] == []
    return found


def agent_of(agents: tuple[Agent, ...], system: str, code: str) -> str:
    (found,) = [agent.id for agent in agents if (system, code) in agent.codes]
    return found


def test_every_medication_code_has_exactly_one_agent(
    agents: tuple[Agent, ...], value_sets: Mapping[str, tuple[Code, ...]]
) -> None:
    listed = {(code.system, code.code) for name in MEDICATION_SETS for code in value_sets[name]}
    owners = Counter(code for agent in agents for code in agent.codes)
    assert set(owners) == listed - {IMMUNOSUPPRESSANT}
    assert set(owners.values()) == {1}


@pytest.mark.parametrize(
    ("system", "code", "agent"),
    [
        (RXNORM, "1597258", "blinatumomab"),
        (RXNORM, "1651253", "blinatumomab"),
        (ATC, "L01FX07", "blinatumomab"),
        (ATC, "L01XC19", "blinatumomab"),
        (RXNORM, "603566", "nelarabine"),
        (RXNORM, "3041", "cytarabine"),
        (RXNORM, "2017575", "cytarabine-daunorubicin-liposomal"),
        (ATC, "L01XY01", "cytarabine-daunorubicin-liposomal"),
        (RXNORM, "968804", "cytarabine-liposomal"),
        (RXNORM, "2372199", "daratumumab"),
        (RXNORM, "1433764", "filgrastim"),
        (ATC, "L01XL12", "obecabtagene-autoleucel"),
        (ATC, "L01XX86", "calaspargase-pegol"),
        (ATC, "L01XX87", "revumenib"),
    ],
)
def test_codes_lead_to_their_agent(agents: tuple[Agent, ...], system: str, code: str, agent: str) -> None:
    assert agent_of(agents, system, code) == agent


def test_agents_agree_with_the_class_sets(
    agents: tuple[Agent, ...], value_sets: Mapping[str, tuple[Code, ...]]
) -> None:
    by_id = {agent.id: agent for agent in agents}
    for name, agent_class in (
        ("rx_cd19_directed", "cd19-directed"),
        ("rx_cd22_directed", "cd22-directed"),
        ("rx_car_t", "car-t"),
        ("rx_bcr_abl_tki", "bcr-abl-tki"),
        ("rx_asparaginase", "asparaginase"),
    ):
        for code in value_sets[name]:
            assert agent_class in by_id[agent_of(agents, code.system, code.code)].classes


def test_every_class_is_used(agents: tuple[Agent, ...]) -> None:
    assert {name for agent in agents for name in agent.classes} == CLASSES


def test_an_agents_displays_are_found_by_its_names(
    agents: tuple[Agent, ...], value_sets: Mapping[str, tuple[Code, ...]]
) -> None:
    patterns = compile_name_patterns(agents)
    for name in MEDICATION_SETS:
        for code in value_sets[name]:
            if (code.system, code.code) != IMMUNOSUPPRESSANT:
                first = next(agent for pattern, agent in patterns if pattern.search(code.display))
                assert first == agent_of(agents, code.system, code.code), code.display


@pytest.mark.parametrize(
    ("text", "agent"),
    [
        ("BLINCYTO 35 mcg in NaCl", "blinatumomab"),
        ("Cytarabine and daunorubicin liposome", "cytarabine-daunorubicin-liposomal"),
        ("cytarabine 100 mg IT", "cytarabine"),
        ("Methylprednisolone sodium succinate", "methylprednisolone"),
        ("prednisoLONE 5 mg tablet", "prednisolone"),
        ("PEG-asparaginase 2500 U/m2", "pegaspargase"),
        ("Asparaginase Erwinia (Rylaze)", "asparaginase-erwinia"),
        ("pegfilgrastim 6 mg", "pegfilgrastim"),
        ("hydrocortisone\nintrathecal", "hydrocortisone"),
        ("Hydrocortisone 1 % cream", ""),
        ("dexamethasone 0.1% ophthalmic drops", ""),
        ("depomethotrexatex", ""),
        ("", ""),
    ],
)
def test_text_finds_whole_names_only(agents: tuple[Agent, ...], text: str, agent: str) -> None:
    found = [name for pattern, name in compile_name_patterns(agents) if pattern.search(text)]
    assert (found or [""])[0] == agent


def test_mistakes_in_the_file_are_faults(tmp_path: Path, value_sets: Mapping[str, tuple[Code, ...]]) -> None:
    text = (ALL / "agents.toml").read_text(encoding="utf-8")
    text = text.replace(f'"{RXNORM}|1597258"', f'"{RXNORM}|1597259"')
    text = text.replace('names = ["nelarabine", ', 'names = ["nelarabine", "blincyto", ')
    path = tmp_path / "agents.toml"
    path.write_text(text, encoding="utf-8")
    faults: list[Fault] = []
    read_agents(path, value_sets, faults)
    assert sorted((fault.key, fault.problem) for fault in faults) == [
        ("blincyto", "name given to both blinatumomab and nelarabine"),
        (f"{RXNORM}|1597258", "code leads to no agent"),
        (f"{RXNORM}|1597259", "code is in no medication value set"),
    ]


def test_an_unknown_class_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "agents.toml"
    path.write_text(
        '[[agent]]\nid = "x"\ntitle = "X"\nclasses = ["cure"]\ncodes = []\nnames = ["x"]\n', "utf-8"
    )
    faults: list[Fault] = []
    assert read_agents(path, {}, faults) == ()
    assert [(fault.line, fault.key) for fault in faults] == [(4, "agent[0].classes[0]")]
