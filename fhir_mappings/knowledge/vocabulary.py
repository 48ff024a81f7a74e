"""Concepts and value sets together make the vocabulary the FHIR readers are handed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from fhir_mappings.clinical.code_systems import CodeSystems, CodeTable
from fhir_mappings.clinical.disease_names import DiseaseNames
from fhir_mappings.clinical.facts import DiagnosisKind, Lineage, Phase, Specimen
from fhir_mappings.clinical.quantities import Presence
from fhir_mappings.clinical.units import UnitMeaning, UnitTable
from fhir_mappings.clinical.vocabulary import (
    CertaintyCodes,
    DiagnosisMeaning,
    ResultConcept,
    TextRule,
    Vocabulary,
)
from fhir_mappings.knowledge.agents import Agent, compile_name_patterns
from fhir_mappings.knowledge.code_rows import Code
from fhir_mappings.knowledge.code_systems import read_code_systems
from fhir_mappings.knowledge.concepts import ConceptsFile, DiagnosisEntry, ResultEntry, TextEntry, UnitEntry
from fhir_mappings.knowledge.disease_names import read_disease_names
from fhir_mappings.knowledge.errors import Fault
from fhir_mappings.knowledge.loader import read_toml

Meaning = TypeVar("Meaning")
Table = dict[str, dict[str, Meaning]]


def read_vocabulary(
    path: Path, value_sets: Mapping[str, Sequence[Code]], agents: Sequence[Agent], faults: list[Fault]
) -> Vocabulary | None:
    """The vocabulary of ``concepts.toml`` and the files of spellings and names beside it.

    A code outside every value set is a fault.
    """
    file = read_toml(path, ConceptsFile, faults)
    systems = read_code_systems(path.with_name("code_systems.toml"), faults)
    if file is None:
        return None
    known = {entry.id for entry in file.diagnosis}
    names = read_disease_names(path.with_name("disease_names.toml"), known, faults)
    if names is None:
        return None
    builder = _Builder(path, value_sets, systems, faults)
    try:
        return builder.build(file, agents, names)
    except re.error as error:
        faults.append(Fault(str(path), 0, "pattern", f"is no regular expression: {error}", "correct it"))
    except ValueError as error:
        faults.append(Fault(str(path), 0, "concepts", str(error), "use a word of the closed list"))
    return None


class _Builder:
    def __init__(
        self,
        path: Path,
        value_sets: Mapping[str, Sequence[Code]],
        systems: CodeSystems,
        faults: list[Fault],
    ) -> None:
        self._path = path
        self._systems = systems
        self._sets = value_sets
        self._faults = faults
        self._known = {f"{code.system}|{code.code}" for codes in value_sets.values() for code in codes}

    def build(self, file: ConceptsFile, agents: Sequence[Agent], disease_names: DiseaseNames) -> Vocabulary:
        diagnoses = {entry.id: _diagnosis(entry) for entry in file.diagnosis}
        patterns = compile_name_patterns(agents)
        names = sorted({name for agent in agents for name in agent.names}, key=len, reverse=True)
        return Vocabulary(
            results=self._table(
                (entry.id, entry.value_sets, entry.codes, _concept(entry)) for entry in file.result
            ),
            result_concepts={entry.id: _concept(entry) for entry in reversed(file.result)},
            diagnoses=self._table(
                (entry.id, (), self._stated_by(entry), diagnoses[entry.id]) for entry in file.diagnosis
            ),
            procedures=self._table(
                (entry.id, entry.value_sets, entry.codes, entry.id) for entry in file.procedure
            ),
            agents=CodeTable(_agent_table(agents), self._systems),
            agent_names=patterns,
            agent_hint=re.compile("|".join(re.escape(name) for name in names) or r"(?!)"),
            answers=self._answers(file),
            remission_answers=frozenset(_pair(code) for code in file.answers.full_remission),
            specimens=self._table(
                (entry.material, entry.value_sets, (), Specimen(entry.material)) for entry in file.specimen
            ),
            specimen_texts=tuple(
                TextRule(re.compile(entry.pattern), entry.material) for entry in file.specimen_text
            ),
            result_texts=tuple(
                self._text(entry, {one.id for one in file.result}) for entry in file.result_text
            ),
            disease_names=disease_names,
            blood_cancer_codes=re.compile(file.blood_cancer.codes),
            blood_cancer_words=re.compile(file.blood_cancer.words),
            marrow_tumour_codes=re.compile(file.marrow_tumour.codes),
            marrow_tumour_words=re.compile(file.marrow_tumour.words),
            diagnosis_texts=tuple(self._text(entry, set(diagnoses)) for entry in file.diagnosis_text),
            diagnosis_text_meanings=diagnoses,
            referral_codes=self._table((entry.id, entry.value_sets, (), entry.id) for entry in file.referral),
            referral_texts=tuple(TextRule(re.compile(entry.pattern), entry.id) for entry in file.referral),
            diagnosis_course_text=re.compile(file.words.diagnosis_course),
            leukaemia_text=re.compile(file.words.leukaemia),
            donor_text=re.compile(file.words.donor),
            absent_text=re.compile(file.words.absent),
            present_text=re.compile(file.words.present),
            value_nouns=re.compile(file.words.value_nouns, re.IGNORECASE),
            sensitivity_text=re.compile(file.words.sensitivity),
            units={
                entry.dimension: UnitTable(self._units(entry), re.compile(file.words.unit_annotation))
                for entry in file.unit
            },
            genes=file.genes,
            certainty=CertaintyCodes(
                extensions=frozenset(file.certainty.extensions),
                letters=file.certainty.letters,
                refuted=frozenset(file.certainty.refuted),
                unproven=frozenset(file.certainty.unproven),
                past=frozenset(file.certainty.past),
            ),
            systems=self._systems,
            body_sites=self._table((entry.id, (), entry.codes, entry.id) for entry in file.body_site),
            intrathecal=frozenset(
                (code.system, code.code) for code in self._codes(file.answers.intrathecal_route)
            ),
        )

    def _table(self, rows: Iterable[tuple[str, Sequence[str], Sequence[str], Meaning]]) -> CodeTable[Meaning]:
        table: Table[Meaning] = {}
        for key, sets, codes, meaning in rows:
            pairs = [(code.system, code.code) for name in sets for code in self._codes(name)]
            for text in codes:
                if text not in self._known:
                    self._fault(
                        key, f"code {text} stands in no value set", "add it to a value set with its source"
                    )
                pairs.append(_pair(text))
            for system, code in pairs:
                known = table.setdefault(code, {})
                if known.get(system, meaning) != meaning:
                    self._fault(key, f"code {system}|{code} has two meanings", "keep it in one concept")
                known[system] = meaning
        return CodeTable(table, self._systems)

    def _stated_by(self, entry: DiagnosisEntry) -> Sequence[str]:
        """Every code of an entry, as ``system|code``, less those it leaves to another entry."""
        listed = [f"{code.system}|{code.code}" for name in entry.value_sets for code in self._codes(name)]
        for text in entry.without:
            if text not in listed:
                self._fault(entry.id, f"code {text} is in none of its value sets", "remove it from without")
        return [*(text for text in listed if text not in entry.without), *entry.codes]

    def _codes(self, name: str) -> Sequence[Code]:
        if name not in self._sets:
            self._fault(name, "no such value set", "name a file of value_sets/ without .csv")
            return ()
        return self._sets[name]

    def _answers(self, file: ConceptsFile) -> CodeTable[Presence]:
        named = {
            file.answers.present: Presence.PRESENT,
            file.answers.weak: Presence.WEAK,
            file.answers.absent: Presence.ABSENT,
            file.answers.indeterminate: Presence.INDETERMINATE,
        }
        return self._table((name, (name,), (), presence) for name, presence in named.items())

    def _text(self, entry: TextEntry, known: set[str]) -> TextRule:
        if entry.means not in known:
            self._fault(entry.means, "the text names no concept", "use an id of this file")
        refuse = re.compile(entry.refuse) if entry.refuse else None
        return TextRule(
            re.compile(entry.pattern),
            entry.means,
            refuse,
            entry.hint,
            entry.said_only,
            entry.harmless_below,
        )

    def _units(self, entry: UnitEntry) -> Mapping[str, UnitMeaning]:
        found = {}
        sets = [name for name in (entry.value_set, *entry.text_sets) if name]
        for code in (code for name in sets for code in self._codes(name)):
            if code.factor is None:
                self._fault(entry.dimension, f"unit {code.code} has no factor", "add its factor")
                continue
            found[code.code] = UnitMeaning(code.factor, entry.untrusted.get(code.code, ""))
        found.update({text: UnitMeaning(factor) for text, factor in entry.seen.items()})
        return found

    def _fault(self, key: str, problem: str, remedy: str) -> None:
        self._faults.append(Fault(str(self._path), 0, key, problem, remedy))


def _concept(entry: ResultEntry) -> ResultConcept:
    return ResultConcept(
        entry.id, entry.title, entry.need, entry.dimension, Specimen(entry.material), Specimen(entry.only_on)
    )


def _diagnosis(entry: DiagnosisEntry) -> DiagnosisMeaning:
    return DiagnosisMeaning(
        kind=DiagnosisKind(entry.kind),
        phase=Phase(entry.phase),
        lineage=Lineage(entry.lineage),
        bcr_abl1=entry.bcr_abl1,
        kmt2a=entry.kmt2a,
        site=entry.site,
        history=entry.history,
        names_all=entry.kind == "all",
    )


def _agent_table(agents: Sequence[Agent]) -> Mapping[str, Mapping[str, str]]:
    table: Table[str] = {}
    for agent in agents:
        for system, code in agent.codes:
            table.setdefault(code, {})[system] = agent.id
    return table


def _pair(text: str) -> tuple[str, str]:
    system, _, code = text.rpartition("|")
    return system, code
