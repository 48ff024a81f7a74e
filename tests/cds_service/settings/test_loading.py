"""The configuration: all faults at once, by key, shape and remedy, and no value in any message."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cds_service.hooks import HOOKS
from cds_service.settings.faults import SettingsError
from cds_service.settings.loading import KnownNames, check_names, contradictions, load_settings
from cds_service.settings.model import Settings, Tenant

GOOD = """
public_url = "https://cds.example.org/"
[[tenants]]
id = "general-hospital"
iss = "https://ehr.example.org/fhir"
jwks_file = "keys/general.jwks.json"
fhir_servers = ["https://ehr.example.org:443/fhir/"]
timezone = "America/New_York"
prefetch_keys = { labs = "marrow" }
[tenants.codes]
mrd = ["http://general.example.org/labs|MRD-FLOW"]
"""


def from_file(directory: Path, text: str, **environ: str) -> Settings:
    path = directory / "relapse-cds.toml"
    path.write_text(text, encoding="utf-8")
    return load_settings({"RELAPSE_CDS_CONFIG": str(path), **environ})


def faults_of(directory: Path, text: str, **environ: str) -> dict[str, str]:
    with pytest.raises(SettingsError) as caught:
        from_file(directory, text, **environ)
    return {fault.key: f"{fault.shape}; {fault.remedy}" for fault in caught.value.faults}


def test_file_and_environment(tmp_path: Path) -> None:
    settings = from_file(tmp_path, GOOD, RELAPSE_CDS_MAX_CARDS="3", RELAPSE_CDS_EXPLAIN="true", OTHER="x")
    assert settings.public_url == "https://cds.example.org"
    assert (settings.max_cards, settings.explain) == (3, True)
    (tenant,) = settings.tenants
    assert tenant.fhir_servers == ("https://ehr.example.org/fhir",)
    assert tenant.jwks_file == tmp_path / "keys/general.jwks.json"
    assert tenant.codes["mrd"] == ("http://general.example.org/labs|MRD-FLOW",)


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    settings = from_file(tmp_path, "max_cards = 2\n" + GOOD, RELAPSE_CDS_MAX_CARDS="3")
    assert settings.max_cards == 3


@pytest.mark.parametrize(
    "text", ["https://a.example,https://b.example", '["https://a.example","https://b.example"]']
)
def test_lists_of_the_environment(tmp_path: Path, text: str) -> None:
    settings = from_file(tmp_path, GOOD, RELAPSE_CDS_CORS_ORIGINS=text)
    assert settings.cors_origins == ("https://a.example", "https://b.example")


def test_every_fault_is_named_at_once(tmp_path: Path) -> None:
    text = """
public_url = "http://SECRET.example.org"
port = "SECRET"
surprise = 1
[[tenants]]
id = "SECRET id"
timezone = "Mars/SECRET"
extra = 1
[[tenants]]
id = "second"
fhir_servers = ["https://ehr.example.org/../SECRET"]
codes = { mrd = ["SECRET"] }
"""
    found = faults_of(tmp_path, text, RELAPSE_CDS_MAX_CARDS="SECRET", RELAPSE_CDS_TYPO="SECRET")
    assert found.keys() == {
        "RELAPSE_CDS_TYPO",
        "public_url",
        "port",
        "surprise",
        "max_cards",
        "tenants[0].id",
        "tenants[0].timezone",
        "tenants[0].extra",
        "tenants[1].fhir_servers[0]",
        "tenants[1].codes.mrd[0]",
    }
    assert "SECRET" not in str(found)
    assert all("; " in told for told in found.values())


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('public_url = "http://cds.example.org"\nauth = "off"', "public_url"),
        ('public_url = "https://cds.example.org"\nauth = "off"', "auth"),
        ('public_url = "https://cds.example.org"\nauth = "off"\nallow_unauthenticated = false', "auth"),
        ('public_url = "https://cds.example.org"', "tenants"),
        ('public_url = "https://cds.example.org"\nauth = "off"\nmetrics_port = 8080', "metrics_port"),
        (GOOD.replace('iss = "https://ehr.example.org/fhir"', ""), "tenants[0].iss"),
        (GOOD.replace('jwks_file = "keys/general.jwks.json"', ""), "tenants[0].jwks_file"),
        (GOOD.replace("timezone", 'jku = "https://a.example/jwks"\ntimezone'), "tenants[0].jku"),
        (GOOD.replace("jwks_file", "jku").replace("keys/", "http://a.example/"), "tenants[0].jku"),
        (GOOD.replace("https://ehr.example.org:443", "http://ehr.example.org"), "tenants[0].fhir_servers[0]"),
        (GOOD + GOOD.partition('org/"')[2], "tenants[1].id"),
    ],
)
def test_keys_that_cannot_stand_together(tmp_path: Path, text: str, key: str) -> None:
    assert key in faults_of(tmp_path, text)


@pytest.mark.parametrize("more", [{"allow_unauthenticated": True}, {"environment": "development"}])
def test_nobody_is_asked_where_it_is_said(more: dict[str, Any]) -> None:
    settings = Settings(public_url="https://cds.example.org", auth="off", **more)
    assert contradictions(settings) == []
    assert settings.open_to_anybody is not settings.development


def test_development_admits_http() -> None:
    tenant = Tenant(id="a", iss="a", jku="http://127.0.0.1/jwks", fhir_servers=("http://127.0.0.1/fhir",))
    settings = Settings(environment="development", tenants=(tenant,))
    assert contradictions(settings) == []


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="RELAPSE_CDS_CONFIG"):
        load_settings({"RELAPSE_CDS_CONFIG": str(tmp_path / "none.toml")})


def test_broken_toml_is_placed(tmp_path: Path) -> None:
    (told,) = (value for key, value in faults_of(tmp_path, "a = = SECRET").items() if key.endswith(".toml"))
    assert "line 1" in told
    assert "SECRET" not in told


def test_a_broken_list_of_the_environment_is_named(tmp_path: Path) -> None:
    assert "not JSON" in faults_of(tmp_path, GOOD, RELAPSE_CDS_TENANTS="[{")["RELAPSE_CDS_TENANTS"]


def test_codes_of_an_unknown_concept_are_named() -> None:
    tenant = Tenant(id="a", codes={"mrd": ("urn:x|M",), "no-such": ("urn:x|N",)})
    with pytest.raises(SettingsError) as caught:
        check_names(Settings(tenants=(tenant,)), KnownNames(HOOKS, ["mrd", "marrow-blasts"], []))
    assert [fault.key for fault in caught.value.faults] == ["tenants[0].codes.no-such"]
    check_names(Settings(tenants=(tenant,)), KnownNames(HOOKS, ["mrd", "no-such"], []))


def test_a_prefetch_key_that_leads_nowhere_is_named() -> None:
    tenant = Tenant(id="a", prefetch_keys={"labs": "marrow", "problems": "nowhere"})
    with pytest.raises(SettingsError) as caught:
        check_names(Settings(tenants=(tenant,)), KnownNames(HOOKS, [], ["marrow", "conditions"]))
    assert [fault.key for fault in caught.value.faults] == ["tenants[0].prefetch_keys.problems"]
    assert "conditions, marrow" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('deadline_ms = "fast"', "deadline_ms: text of 4 characters stands here; write a whole number"),
        ("deadline_ms = 1", "deadline_ms: a number stands here; write a value greater than or equal to 100"),
        ('auth = "maybe"', "write 'required', 'optional' or 'off'"),
        ('explain = "perhaps"', "explain: text of 7 characters stands here; write true or false"),
        (
            'cors_origins = "x"',
            "text of 1 character stands here; write a list in square brackets",
        ),
        ("store = 1", "store: a number stands here; write a text in quotes"),
        ("trials = 1", "trials: a number stands here; write a table"),
        ('[[tenants]]\nid = "a b"', "letters, digits, dots"),
    ],
)
def test_a_remedy_speaks_of_the_file_and_not_of_programs(tmp_path: Path, text: str, says: str) -> None:
    told = "\n".join(f"{key}: {value}" for key, value in faults_of(tmp_path, text).items())
    assert says in told


def test_a_table_of_the_environment_is_json(tmp_path: Path) -> None:
    settings = from_file(tmp_path, GOOD, RELAPSE_CDS_TRIALS='{"max_studies": 3}')
    assert settings.trials.max_studies == 3
    assert "not JSON" in faults_of(tmp_path, GOOD, RELAPSE_CDS_TRIALS="{")["RELAPSE_CDS_TRIALS"]


def test_the_authorities_of_fhir_servers_must_be_readable(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("nothing")
    for name, shape in (("none.pem", "no such file"), ("empty.pem", "without certificates")):
        with pytest.raises(SettingsError) as caught:
            load_settings({"RELAPSE_CDS_AUTH": "off", "RELAPSE_CDS_CA_FILE": str(tmp_path / name)})
        assert [fault.key for fault in caught.value.faults if fault.key == "ca_file"] == ["ca_file"]
        assert shape in str(caught.value)


def test_the_habits_of_a_tenants_server_are_one_of_the_known(tmp_path: Path) -> None:
    config = tmp_path / "settings.toml"
    config.write_text(
        'auth = "off"\nallow_unauthenticated = true\n'
        'public_url = "https://cds.example.org"\n[[tenants]]\nid = "a"\nhabits = "medplum"\n'
    )
    assert load_settings({"RELAPSE_CDS_CONFIG": str(config)}).tenants[0].habits == "medplum"
    config.write_text(config.read_text().replace("medplum", "unheard-of"))
    with pytest.raises(SettingsError, match=r"tenants\[0\]\.habits"):
        load_settings({"RELAPSE_CDS_CONFIG": str(config)})
