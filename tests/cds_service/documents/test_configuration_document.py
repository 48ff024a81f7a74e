"""docs/configuration.md names every key with its shape, its default and its meaning."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel, Field

from cds_service.documents import configuration
from cds_service.documents.configuration import configuration_md
from cds_service.settings.loading import load_settings
from cds_service.settings.model import Settings, Tenant, TrialSettings

ROOT = Path(__file__).parents[3]


def rows(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def test_every_key_has_a_row_with_a_meaning() -> None:
    found = rows(configuration_md(ROOT))
    keys = [*Settings.model_fields, *TrialSettings.model_fields, *Tenant.model_fields]
    assert [row[0].strip("`") for row in found] == keys
    assert [row[0] for row in found if len(row[3]) < 10] == []


@pytest.mark.parametrize(
    ("key", "value", "default"),
    [
        ("deadline_ms", "whole number, 100 to 30000", "2000"),
        ("rate_limit_per_minute", "whole number, from 0", "0"),
        ("auth", "required or optional or off", "required"),
        ("allow_private", "true or false", "false"),
        ("id", "text", "required"),
        ("codes", "table of list of text", "none"),
        ("site_latitude", "number, -90 to 90", ""),
        ("operator_token", "secret text", ""),
    ],
)
def test_shapes_and_defaults_are_those_of_the_settings(key: str, value: str, default: str) -> None:
    (row,) = [row for row in rows(configuration_md(ROOT)) if row[0] == f"`{key}`"]
    assert row[1:3] == [value, default]


def test_a_key_without_a_meaning_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent(BaseModel):
        nameless: int = Field(default=1)

    monkeypatch.setattr(configuration, "_TABLES", (("Keys", "", Silent),))
    with pytest.raises(ValueError, match="nameless: a key of the configuration needs a docstring"):
        configuration_md(ROOT)


def test_the_example_of_the_guide_is_a_configuration(tmp_path: Path) -> None:
    guide = (ROOT / "docs" / "connecting.md").read_text(encoding="utf-8")
    example = "\n".join(line[7:] for line in guide.splitlines() if line.startswith("       "))
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "general.jwks.json").write_text('{"keys": []}', encoding="utf-8")
    path = tmp_path / "config.toml"
    path.write_text(example, encoding="utf-8")
    settings = load_settings({"RELAPSE_CDS_CONFIG": str(path)})
    assert [tenant.id for tenant in settings.tenants] == ["general-hospital"]
    assert settings.tenants[0].codes == {"mrd": ("http://general.example.org/labs|MRD-FLOW",)}
