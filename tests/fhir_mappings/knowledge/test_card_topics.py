"""The content of the cards, and how mistakes in it are told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import fhir_mappings.knowledge
from fhir_mappings.knowledge.card_topics import CardTopic, read_card_topics
from fhir_mappings.knowledge.errors import Fault
from fhir_mappings.knowledge.sources import read_sources
from fhir_mappings.statements import SECTIONS

CONTENT = Path(fhir_mappings.knowledge.__file__).parent / "relapsed_all"
ORIGINAL = (CONTENT / "cards.toml").read_text(encoding="utf-8")


def read(text: str, directory: Path) -> tuple[tuple[CardTopic, ...], str]:
    (directory / "cards.toml").write_text(text, encoding="utf-8")
    faults: list[Fault] = []
    topics = read_card_topics(directory, faults)
    return topics, "\n".join(map(str, faults))


@pytest.fixture(scope="module")
def topics() -> tuple[CardTopic, ...]:
    faults: list[Fault] = []
    found = read_card_topics(CONTENT, faults)
    assert faults == []
    return found


def test_topics_come_by_rank_with_their_fixed_codes(topics: tuple[CardTopic, ...]) -> None:
    assert [topic.code for topic in topics] == [
        "allFinding",
        "allTrialReferral",
        "allBlinatumomab",
        "allNelarabine",
        "allHsctEvaluation",
        "allMrd",
        "allCnsDirected",
        "allTesticular",
        "allSafety",
        "allData",
        "allEvidence",
    ]
    assert {topic.system for topic in topics} == {"https://relapse-cds.org/CodeSystem/card-topic"}


def test_every_source_exists(topics: tuple[CardTopic, ...]) -> None:
    faults: list[Fault] = []
    sources = read_sources(CONTENT / "sources.toml", faults)
    assert faults == []
    for topic in topics:
        assert topic.source in sources
        for link in topic.links:
            assert not link.source or sources[link.source].url, link.key


def test_override_reasons_are_short_and_say_how_long_a_card_stays_away(topics: tuple[CardTopic, ...]) -> None:
    reasons = {reason.code: reason for topic in topics for reason in topic.override_reasons}
    assert {code: (reason.quiet, reason.quiet_days) for code, reason in reasons.items()} == {
        "already-known": ("snooze", 0),
        "already-referred": ("snooze", 0),
        "not-appropriate": ("snooze", 0),
        "goals-of-care": ("snooze", 0),
        "data-wrong": ("evidence", 0),
        "will-act-later": ("days", 7),
        "trial-enrolled": ("evidence", 0),
        "trial-referred": ("evidence", 0),
        "trial-declined": ("evidence", 0),
        "trial-unfit": ("evidence", 0),
        "trial-closed": ("evidence", 0),
    }
    assert all(len(topic.override_reasons) <= 7 for topic in topics)


def test_every_topic_can_be_set_aside(topics: tuple[CardTopic, ...]) -> None:
    assert all(topic.override_reasons for topic in topics)


def test_every_section_has_one_topic_and_a_title(topics: tuple[CardTopic, ...]) -> None:
    names = [name for topic in topics for name in topic.sections]
    assert sorted(names) == sorted(kind.name for kind in SECTIONS)
    assert topics[0].wording.titles.keys() == {kind.name for kind in SECTIONS}


def test_no_dose_and_no_order_to_the_clinician_is_written_anywhere() -> None:
    assert not re.search(r"\b[0-9.]+ ?(mg|ug|mcg|g|Gy|IU|units?)\b|\bgive\b", ORIGINAL)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('cites = ["S-003-05"]\n', "", "missing key"),
        ('cites = ["S-003-05"]', "cites = []", "at least 1"),
        ("rank = 2", "rank = 1", "rank 1 stands 2 times"),
        ('code = "allMrd"', 'code = "allFinding"', "code allFinding stands 2 times"),
        ('code = "allMrd"', 'code = "all-mrd"', "pattern"),
        ('sections = ["HSCT"]\nsource', 'sections = ["TRIAL"]\nsource', "section TRIAL stands 2 times"),
        ('sections = ["HSCT"]\nsource', 'sections = ["TRIAL"]\nsource', "section HSCT feeds no topic"),
        ('sections = ["HSCT"]\nsource', 'sections = ["HSTC"]\nsource', "section HSTC has no title"),
        ('sections = ["HSCT"]\nsource', 'sections = ["HSTC"]\nsource', "section HSCT feeds no topic"),
        ('sections = ["HSCT"]\nsource', 'sections = ["hsct"]\nsource', "wrong value"),
        ('sections = ["EMSCREEN"]\nonly', 'sections = ["EMSCREN"]\nonly', "no section EMSCREN"),
        ('HSCT = "Allogeneic HSCT"\n', "", "section HSCT has no title"),
        ('suggestions = ["mrd", "mrd-again"]', 'suggestions = ["mdr", "mrd-again"]', "mdr is not defined"),
        (
            'links = ["finding-source", "timeline"]',
            'links = ["finding-source", "time-line"]',
            "time-line is not defined",
        ),
        ('"goals-of-care", "data', '"goal-of-care", "data', "goal-of-care is not defined"),
        ('key = "nci-pdq"', 'key = "timeline"', "key timeline stands 2 times"),
        ('key = "mrd"', 'key = "trial-referral"', "key trial-referral stands 2 times"),
        ('code = "goals-of-care"', 'code = "data-wrong"', "code data-wrong stands 2 times"),
        ('joins = "allFinding"', 'joins = "allData"', "not another topic"),
        ('joins = "allFinding"', 'joins = "allOther"', "not another topic"),
        ("{count} further", "{number} further", "use: {count}"),
        ("{count} further", "{count further", "use: {count}"),
        ("[lines.doses]", "[lines.dose]", "missing sentence"),
        ("[lines.doses]", "[lines.dose]", "no card uses this sentence"),
        ('path = "/timeline/"', 'path = "timeline"', "pattern"),
        ('path = "/timeline/"', 'path = "/timeline/"\nsource = "PDQ"', "exactly one of"),
        ('source = "CTG-SEARCH"', 'url = "http://clinicaltrials.gov"', "https address"),
        ('source = "CTG-SEARCH"', 'url = "https://me@clinicaltrials.gov"', "https address"),
        ("quiet_days = 7", "", "quiet_days belongs to"),
        ('quiet = "evidence"', 'quiet = "evidence"\nquiet_days = 3', "quiet_days belongs to"),
        ("rank = 2", "rank = 2\ncolour = 3", "unknown key"),
    ],
)
def test_mistakes_are_named(old: str, new: str, fault: str, tmp_path: Path) -> None:
    assert old in ORIGINAL
    topics, faults = read(ORIGINAL.replace(old, new, 1), tmp_path)
    assert topics == ()
    assert fault in faults
    assert "cards.toml" in faults


def test_a_fixed_address_can_stand_in_the_file(tmp_path: Path) -> None:
    address = 'url = "https://clinicaltrials.gov/"'
    topics, faults = read(ORIGINAL.replace('source = "CTG-SEARCH"', address), tmp_path)
    assert faults == ""
    assert any(link.url == "https://clinicaltrials.gov/" for topic in topics for link in topic.links)


def test_a_missing_file_is_a_fault(tmp_path: Path) -> None:
    faults: list[Fault] = []
    assert read_card_topics(tmp_path, faults) == ()
    assert len(faults) == 1
