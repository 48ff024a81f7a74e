"""Every key with its default, and the settings made in code."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from cds_service.settings.model import Settings, Tenant, masked

DEFAULTS = {
    "environment": "production",
    "auth": "required",
    "store": "sqlite:///relapse-cds.db",
    "deadline_ms": 2000,
    "on_incomplete": "412",
    "max_cards": 4,
    "explain": False,
    "discovery_auth": "optional",
    "jwt_algorithms": ("ES384", "RS384"),
    "max_body_bytes": 16_777_216,
    "max_resources": 20_000,
    "rate_limit_per_minute": 0,
    "snooze_days": 30,
    "metrics_port": 0,
    "cors_origins": ("https://sandbox.cds-hooks.org",),
    "require_approved_content": False,
    "tenants": (),
}


@pytest.mark.parametrize(("key", "value"), DEFAULTS.items())
def test_defaults(key: str, value: object) -> None:
    assert getattr(Settings(), key) == value


def test_settings_in_code_read_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELAPSE_CDS_AUTH", "off")
    monkeypatch.setenv("AUTH", "off")
    assert Settings().auth == "required"


def test_unknown_keys_are_refused() -> None:
    with pytest.raises(ValidationError):
        Settings(surprise=1)  # type: ignore[call-arg]
    with pytest.raises(ValidationError):
        Tenant(id="a", surprise=1)  # type: ignore[call-arg]


@pytest.mark.parametrize("name", ["", "a b", "a/b", "-a", "a" * 65, "a\n"])
def test_a_tenants_id_is_a_word(name: str) -> None:
    with pytest.raises(ValidationError):
        Tenant(id=name)


@pytest.mark.parametrize(
    "url",
    [
        "ehr.example.org",
        "ftp://ehr.example.org",
        "https://user@ehr.example.org/fhir",
        "https://ehr.example.org/fhir?x=1",
        "https://ehr.example.org/fhir#x",
        "https://evil.example\\@ehr.example.org/fhir",
        "https://ehr.example.org/a/../b",
        "https:///fhir",
    ],
)
def test_a_fhir_server_is_one_plain_url(url: str) -> None:
    with pytest.raises(ValidationError):
        Tenant(id="a", fhir_servers=(url,))


def test_equal_spellings_become_one() -> None:
    tenant = Tenant(id="a", fhir_servers=("HTTPS://EHR.example.org:443/fhir/",))
    assert tenant.fhir_servers == ("https://ehr.example.org/fhir",)


def test_embedded_and_demo_need_no_file() -> None:
    embedded = Settings.embedded()
    assert (embedded.auth, embedded.store, embedded.development) == ("off", "sqlite://", True)
    demo = Settings.demo("http://127.0.0.1:8080", "http://127.0.0.1:8080/demo/fhir", max_cards=2)
    assert demo.explain
    assert demo.max_cards == 2
    assert demo.tenants[0].open_fhir
    assert demo.tenants[0].fhir_servers == ("http://127.0.0.1:8080/demo/fhir",)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql+psycopg://user:SECRET@host/db?password=SECRET", "postgresql+psycopg://user:***@host/db"),
        ("postgresql+psycopg://user@host/db", "postgresql+psycopg://user@host/db"),
        ("sqlite:///relapse-cds.db", "sqlite:///relapse-cds.db"),
        ("SECRET", "***"),
    ],
)
def test_secrets_are_masked(url: str, shown: str) -> None:
    assert masked(url) == shown
    settings = Settings(store=url, pseudonym_secret="SECRET")  # type: ignore[arg-type]
    assert "SECRET" not in repr(settings)
    assert "SECRET" not in str(settings)
    assert "SECRET" not in f"{settings}"
