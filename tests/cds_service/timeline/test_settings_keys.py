"""The timeline's keys of a tenant: read, refused where they contradict, never shown."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import get_args

import pytest

from cds_service.settings.faults import SettingsError
from cds_service.settings.loading import load_settings
from cds_service.settings.model import SmartType, Tenant
from fhir_mappings.assess import Knowledge

SECRET = "canary-client-secret"
FILE = """
public_url = "https://cds.example.org"
auth = "off"
allow_unauthenticated = true
[[tenants]]
id = "general"
fhir_servers = ["https://ehr.example.org/fhir"]
{keys}
"""


def load(tmp_path: Path, keys: str) -> Tenant:
    """The tenant of a file."""
    path = tmp_path / "config.toml"
    path.write_text(FILE.format(keys=keys), "utf-8")
    [tenant] = load_settings({"RELAPSE_CDS_CONFIG": str(path)}).tenants
    return tenant


def test_the_keys_are_read_and_the_secret_is_masked(tmp_path: Path) -> None:
    tenant = load(
        tmp_path,
        f'smart_client_id = "app-1"\nsmart_client_secret = "{SECRET}"\n'
        'smart_origins = ["https://login.example.org/"]',
    )
    assert tenant.smart_client_id == "app-1"
    assert tenant.smart_origins == ("https://login.example.org",)
    assert tenant.smart_client_secret is not None
    assert tenant.smart_client_secret.get_secret_value() == SECRET
    assert SECRET not in repr(tenant)
    assert SECRET not in tenant.model_dump_json()


@pytest.mark.parametrize(
    ("keys", "named"),
    [
        (f'smart_client_secret = "{SECRET}"', "tenants[0].smart_client_id"),
        ('smart_client_id = "two words"', "tenants[0].smart_client_id"),
        ('smart_origins = ["http://login.example.org"]', "tenants[0].smart_origins[0]"),
        ('smart_resource_types = ["Condition"]', "tenants[0].smart_resource_types"),
        ('smart_resource_types = ["Observation", "Patient"]', "tenants[0].smart_resource_types"),
        (
            'smart_resource_types = ["Condition", "Observation", "Account"]',
            "tenants[0].smart_resource_types[2]",
        ),
        ('smart_origins = ["login.example.org"]', "tenants[0].smart_origins[0]"),
    ],
)
def test_what_cannot_stand_is_named_without_its_value(tmp_path: Path, keys: str, named: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load(tmp_path, keys)
    [fault] = refused.value.faults
    assert fault.key == named
    for value in tomllib.loads(keys).values():
        assert str(value) not in str(fault)
    assert "Account" not in str(fault)


def test_the_types_that_may_be_asked_for_are_those_that_are_read(knowledge: Knowledge) -> None:
    assert set(get_args(SmartType)) == {need.resource_type for need in knowledge.needs}


def test_without_the_keys_nothing_changes(tmp_path: Path) -> None:
    tenant = load(tmp_path, "")
    assert (tenant.smart_client_id, tenant.smart_client_secret, tenant.smart_origins) == ("", None, ())
