"""A service that decides by a site's own numbers says so wherever its version is read."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask

from cds_service.cards import CardChoices, build_cards
from cds_service.cli import main
from cds_service.evaluation.site_knowledge import knowledge_in_use
from cds_service.settings.model import Settings
from fhir_mappings.assess import Knowledge, KnowledgeError, assess, decode, load_knowledge
from fhir_mappings.records import PatientHeader, build_resources, read_table

ENTRY = """
reason = "as the protocol of our group says"
name = "Dr Example"
date = 2026-11-20
cases = ["A-above"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "site-knowledge"
    folder.mkdir()
    text = f"[seed-000.marrow_single.percent]\nvalue = 90{ENTRY}"
    (folder / "criteria_sets.toml").write_text(text, encoding="utf-8")
    return folder


def test_the_version_of_the_site_is_told(folder: Path, make_app: Callable[..., Flask]) -> None:
    settings = Settings.embedded(knowledge_overlay=folder)
    client = make_app(knowledge=knowledge_in_use(settings)).test_client()
    told = client.get("/version").json
    assert told is not None
    knowledge = told["knowledge"]
    assert ", site version " in knowledge["version"]
    assert knowledge["siteDigest"].startswith("sha256:")
    assert knowledge["review"] == "draft"
    assert knowledge["version"] in client.get("/", headers={"Accept": "text/html"}).text
    plain = make_app().test_client().get("/version").json
    assert plain is not None
    assert "siteDigest" not in plain["knowledge"]


def test_the_golden_cases_are_those_of_the_packaged_knowledge(folder: Path) -> None:
    found = knowledge_in_use(Settings.embedded(knowledge_overlay=folder))
    assert found.site is not None
    assert found.digest != load_knowledge().digest


def test_a_choice_stays_possible_beside_the_folder(folder: Path) -> None:
    found = knowledge_in_use(Settings.embedded(knowledge_overlay=folder, criteria_set="protocol-m3"))
    assert found.default_set.id == "protocol-m3"
    assert ", site version " in found.version


def test_check_config_names_the_faults_of_the_folder(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "site.toml").write_text(
        'public_url = "https://cds.example.org"\nauth = "off"\nallow_unauthenticated = true\n'
        'knowledge_overlay = "site-knowledge"\n',
        "utf-8",
    )
    monkeypatch.setenv("RELAPSE_CDS_CONFIG", str(tmp_path / "site.toml"))
    assert main(["check-config"]) == 0
    assert ", site version " in capsys.readouterr().out
    (folder / "thresholds.toml").write_text(f"[no_such_number]\nvalue = 4{ENTRY}", encoding="utf-8")
    (folder / "words.toml").write_text(f"[no-such-sentence]\ntext = 'x'{ENTRY}", encoding="utf-8")
    assert main(["check-config"]) == 2
    told = capsys.readouterr().err
    assert "no_such_number" in told
    assert "no-such-sentence" in told
    with pytest.raises(KnowledgeError):
        knowledge_in_use(Settings.embedded(knowledge_overlay=folder))


RECORD = """
date       | concept             | value | unit
2021-03-10 | diagnosis B-ALL     |       |
2021-04-12 | remission           |       |
2024-06-03 | marrow lymphoblasts | 78    | %
"""


def keys_and_uuids(knowledge: Knowledge) -> tuple[dict[str, str], list[str]]:
    """Of the cards of one patient: the key under which each is kept quiet, and their identifiers."""
    header = PatientHeader("p", "female", "2016-08-08")
    resources = [
        decode(json.dumps(one).encode()).resource for one in build_resources(header, read_table(RECORD))
    ]
    found = assess(resources, datetime(2024, 6, 4, 9, tzinfo=UTC), knowledge)
    asked: dict[str, str] = {}

    def never_quiet(topic: str, key: str) -> bool:
        asked[topic] = key
        return False

    cards = build_cards(found, knowledge, CardChoices(quiet=never_quiet))
    assert build_cards(found, knowledge, CardChoices(quiet=lambda topic, key: asked.get(topic) == key)) == []
    return asked, [card["uuid"] for card in cards]


def test_a_quiet_card_stays_quiet_over_a_change_of_content(folder: Path) -> None:
    (folder / "criteria_sets.toml").unlink()
    (folder / "thresholds.toml").write_text(f"[hsct_referral_days]\nvalue = 21{ENTRY}", encoding="utf-8")
    text = f'["hsct.summary.active"]\ntext = "Plan the evaluation for allogeneic HSCT."{ENTRY}'
    (folder / "words.toml").write_text(text, encoding="utf-8")
    packaged, changed = load_knowledge(), load_knowledge(overlay=folder)
    assert packaged.digest != changed.digest
    keys, uuids = keys_and_uuids(packaged)
    assert len(keys) > 2
    assert keys_and_uuids(changed)[0] == keys
    assert set(uuids).isdisjoint(keys_and_uuids(changed)[1])
