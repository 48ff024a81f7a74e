"""What the service asks of an EHR, as rows of a table: prefetch keys, scopes, codes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from fhir_mappings.assess import Knowledge, Need

_SYSTEMS = {
    "http://loinc.org": "LOINC",
    "http://snomed.info/sct": "SNOMED CT",
    "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl": "NCI Thesaurus",
}
_REQUIREMENTS = {
    "always": "always",
    "with-all": "in a chart with ALL",
    "degradable": "if there is any",
}


@dataclass(frozen=True, slots=True)
class AskedCode:
    """One code for which results are asked."""

    system: str
    code: str
    display: str


@dataclass(frozen=True, slots=True)
class Asked:
    """One need. ``template`` is empty where the service has no query to offer for it.

    ``scopes`` are the SMART scopes that open it, in the second and the first version of SMART.
    """

    key: str
    title: str
    resource_type: str
    requirement: str
    scopes: tuple[str, str]
    template: str
    codes: tuple[AskedCode, ...]


def asked_of_an_ehr(knowledge: Knowledge, templates: Mapping[str, str]) -> tuple[Asked, ...]:
    """Every need with its prefetch template, in the order of the knowledge."""
    displays = {(row.system, row.code): row.display for rows in knowledge.value_sets.values() for row in rows}
    return tuple(_asked(need, templates.get(need.key, ""), displays) for need in knowledge.needs)


def scopes_of(asked: Sequence[Asked]) -> str:
    """All scopes in one line, as an EHR's registration form takes them."""
    return " ".join(dict.fromkeys(row.scopes[0] for row in asked))


def _asked(need: Need, template: str, displays: Mapping[tuple[str, str], str]) -> Asked:
    kind = need.resource_type
    return Asked(
        key=need.key,
        title=need.title,
        resource_type=kind,
        requirement=_REQUIREMENTS[need.requirement],
        scopes=(f"patient/{kind}.rs", f"patient/{kind}.read"),
        template=template,
        codes=tuple(_codes(need, displays)),
    )


def _codes(need: Need, displays: Mapping[tuple[str, str], str]) -> Iterator[AskedCode]:
    for token in need.codes:
        system, _, code = token.partition("|")
        yield AskedCode(_SYSTEMS.get(system, system), code, displays.get((system, code), ""))
