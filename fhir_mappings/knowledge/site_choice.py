"""What a site may choose where the sources leave it open: the deciding set, the reading of criterion B."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from fhir_mappings.clinical.criteria_sets import CriteriaSet
from fhir_mappings.knowledge.errors import Fault, KnowledgeError
from fhir_mappings.knowledge.model import Knowledge
from fhir_mappings.knowledge.relapsed_all.criteria.repopulation import REPOPULATION, Parameters
from fhir_mappings.knowledge.review.signatures import DRAFT


def choose(knowledge: Knowledge, criteria_set: str = "", repopulation: str = "") -> Knowledge:
    """The same knowledge as a site reads it; an empty name keeps what is packaged.

    ``criteria_set`` names the set that decides RELAPSE (reference rules 2.3), ``repopulation`` a reading.
    What differs from the packaged choice was never signed, so it is a draft with a digest of its own.
    Raises KnowledgeError for a name nobody knows, an incomplete set, or a set without criterion B.
    """
    default = knowledge.default_set
    chosen = _deciding(knowledge, criteria_set) if criteria_set else default
    if repopulation:
        chosen = _as_read(knowledge, chosen, repopulation)
    if chosen == default:
        return knowledge
    others = tuple(one for one in knowledge.criteria_sets if one.id != chosen.id)
    named = f"{knowledge.digest} {chosen.id} {repopulation}".encode()
    return replace(
        knowledge,
        criteria_sets=(replace(chosen, default=True), *(replace(one, default=False) for one in others)),
        digest=f"sha256:{hashlib.sha256(named).hexdigest()}",
        review=DRAFT,
    )


def _deciding(knowledge: Knowledge, criteria_set: str) -> CriteriaSet:
    known = (*knowledge.criteria_sets, *knowledge.sets_off)
    found = {one.id: one for one in known}.get(criteria_set)
    if found is not None and found.complete:
        return found
    complete = ", ".join(one.id for one in known if one.complete)
    problem = "no such criteria set" if found is None else "an incomplete set cannot decide"
    raise _refused("criteria_set", criteria_set, problem, f"write one of: {complete}")


def _as_read(knowledge: Knowledge, chosen: CriteriaSet, reading: str) -> CriteriaSet:
    readings, letter = REPOPULATION.readings, REPOPULATION.letter
    if reading not in readings:
        raise _refused("repopulation", reading, "no such reading", f"write one of: {', '.join(readings)}")
    rule = chosen.part(REPOPULATION.key, Parameters)
    if rule is None:
        raise _refused(
            "repopulation", reading, f"{chosen.id} has no criterion {letter}", "remove repopulation"
        )
    if rule.mode == reading:
        return chosen
    label = f"{chosen.label}, {knowledge.words[f'criterion.{letter}.read-as.{reading}'].text}"
    read_so = chosen.with_part(REPOPULATION.key, rule.model_copy(update={"mode": reading}))
    return replace(read_so, label=label)


def _refused(key: str, value: str, problem: str, remedy: str) -> KnowledgeError:
    return KnowledgeError([Fault("configuration", 0, f'{key} = "{value}"', problem, remedy)])
