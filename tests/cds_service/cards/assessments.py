"""Hand-made assessments and a small knowledge of words for the tests of the cards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import fhir_mappings.knowledge
from fhir_mappings.assessment import (
    Assessment,
    CriterionResult,
    Indicator,
    KnowledgeStamp,
    NotEvaluated,
    Section,
    Statement,
    Status,
)
from fhir_mappings.clinical.criteria_sets import CriteriaSet
from fhir_mappings.clinical.facts import Lineage
from fhir_mappings.clinical.moments import Moment
from fhir_mappings.clinical.verdict import Evidence, Met
from fhir_mappings.knowledge.card_topics import CardTopic, read_card_topics
from fhir_mappings.knowledge.errors import Fault
from fhir_mappings.knowledge.sources import Source, read_sources
from fhir_mappings.knowledge.words import Words

CONTENT = Path(fhir_mappings.knowledge.__file__).parent / "relapsed_all"
AT = datetime(2024, 6, 4, 9, 30, tzinfo=UTC)
BASE = "https://cds.example.org"


RULE = ("S-000-01",)

WORDS: Mapping[str, Words] = {
    "finding.summary": Words("Relapsed ALL: {site}, {value} % lymphoblasts on {date}", RULE),
    "criterion.a": Words("Meets criterion A: marrow lymphoblasts {value} % (> 50 %) on {date}.", RULE),
    "timing.late": Words("Late: {months} months from diagnosis {date}; threshold 36.", ("S-003-10",)),
    "trial.preferred": Words("Clinical trial participation is preferred when available.", ("S-003-05",)),
    "trial.enrolled": Words("On study: {study}.", ("S-003-05",)),
    "option": Words("Options described in {source}: {agent}.", ("S-003-20",)),
    "figure": Words("Second remission {value} %.", ("S-003-39",), unconfirmed=True),
    "emscreen.csf": Words("CSF not examined within 14 days.", ("S-003-50",)),
    "workup.markers": Words("CD19 and CD22 at relapse are not on record.", ("S-003-16",)),
    "hsct.early": Words("Plan HSCT evaluation early.", ("S-003-07",)),
    "mrd.due": Words("MRD after reinduction is not on file.", ("S-003-30",)),
    "text": Words("{value}", RULE),
    "data.unit": Words("{resource}: value without unit, not used.", ("S-000-01",)),
}


def read_content() -> tuple[tuple[CardTopic, ...], Mapping[str, Source]]:
    faults: list[Fault] = []
    topics, sources = read_card_topics(CONTENT, faults), read_sources(CONTENT / "sources.toml", faults)
    assert faults == []
    return topics, sources


TOPICS, SOURCES = read_content()


@dataclass(frozen=True, slots=True)
class TinyKnowledge:
    words: Mapping[str, Words] = field(default_factory=lambda: WORDS)
    sources: Mapping[str, Source] = field(default_factory=lambda: SOURCES)
    card_topics: tuple[CardTopic, ...] = TOPICS
    criteria_sets: tuple[CriteriaSet, ...] = ()


KNOWLEDGE = TinyKnowledge()


def statement(words: str, **values: str) -> Statement:
    return Statement(words, values)


def section(
    name: str, *statements: Statement, indicator: Indicator = Indicator.INFO, summary: Statement | None = None
) -> Section:
    return Section(name, indicator, statements, summary)


FINDING = section(
    "RELAPSE",
    statement("criterion.a", value="78", date="2024-06-03"),
    indicator=Indicator.CRITICAL,
    summary=statement("finding.summary", site="isolated marrow", value="78", date="2024-06-03"),
)
TIMING = section("TIMING", statement("timing.late", months="38.8", date="2021-03-10"))
WORKUP = section("WORKUP", statement("workup.markers"))
EMSCREEN = section("EMSCREEN", statement("emscreen.csf"), indicator=Indicator.WARNING)
TRIAL = section("TRIAL", statement("trial.preferred"), summary=statement("trial.preferred"))
OPT_B = section(
    "OPT-B", statement("option", source="seed 003", agent="blinatumomab"), statement("figure", value="84")
)
OPT_T = section("OPT-T", statement("option", source="seed 003", agent="nelarabine"))
HSCT = section("HSCT", statement("hsct.early"), indicator=Indicator.WARNING)
MRD_DUE = section("MRD-DUE", statement("mrd.due"), indicator=Indicator.WARNING)
DATA = section("DATA", statement("data.unit", resource="Observation/y"))
EVERYTHING = (FINDING, TIMING, WORKUP, EMSCREEN, TRIAL, OPT_B, HSCT, MRD_DUE, DATA)


def assessment(*sections: Section, **changes: Any) -> Assessment:
    evidence = Evidence("Observation/x", "marrow lymphoblasts", "78", "%", date="2024-06-03")
    met = Met((evidence,), Moment.on(date(2024, 6, 3)))
    values: dict[str, Any] = {
        "patient": "patient-1",
        "at": AT,
        "knowledge": KnowledgeStamp("all", "0.1.0", "sha256:0123456789abcdef0123456789abcdef", "draft"),
        "status": Status.RELAPSE,
        "criteria": (CriterionResult("seed-000", "A", met, ("S-000-01",)),),
        "lineage": Lineage.B,
        "sections": sections,
        "not_evaluated": (NotEvaluated("CSF", "no result within 14 days"),),
        "evidence_digest": "digest-1",
    }
    return Assessment(**(values | changes))
