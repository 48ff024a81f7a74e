"""A service that decides by a site's own numbers says so wherever its version is read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from cds_service.cli import main
from cds_service.evaluation.site_knowledge import knowledge_in_use
from cds_service.settings.model import Settings
from fhir_mappings.assess import KnowledgeError, load_knowledge

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
        'public_url = "https://cds.example.org"\nauth = "off"\nknowledge_overlay = "site-knowledge"\n',
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
