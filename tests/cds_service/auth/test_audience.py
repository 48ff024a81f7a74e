"""A token is for the endpoint that was called, however often a slash was joined."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from cds_service.app import create_app
from cds_service.app_state import parts_of
from cds_service.auth.callers import Reason, Refused
from cds_service.auth.claims import check_audience
from cds_service.settings.model import Settings, Tenant
from fhir_mappings.assess import Knowledge
from tests.cds_service.auth import forge
from tests.cds_service.auth.forge import AT, BASE, DISCOVERY, ENDPOINT, ES, FEEDBACK, claims, compact, header
from tests.cds_service.auth.test_service import FEEDBACK_BODY, HOOK

CLINIC = Tenant(id="clinic", audiences=("https://alias.example.org/cds/",))
TAKEN = [
    ENDPOINT,
    f"{ENDPOINT}/",
    f"{ENDPOINT}//",
    f"{BASE}//cds-services/all-relapse",
    f"{BASE}/cds-services//all-relapse",
    f"{BASE}///cds-services////all-relapse//",
    "https://alias.example.org/cds",
    "https://alias.example.org//cds//",
]
REFUSED = [
    DISCOVERY,
    BASE,
    FEEDBACK,
    f"{BASE}/cds-services/all-relapse-encounter-start",
    "http://cds.example.org/cds-services/all-relapse",
    "HTTPS://cds.example.org/cds-services/all-relapse",
    "https://cds.example.com/cds-services/all-relapse",
    "https://CDS.example.org/cds-services/all-relapse",
    "https://cds.example.org:443/cds-services/all-relapse",
    "https:///cds.example.org/cds-services/all-relapse",
    "https:/cds.example.org/cds-services/all-relapse",
    "https://cds.example.org/cds-services%2Fall-relapse",
    "https://cds.example.org/cds-services/./all-relapse",
    "https://cds.example.org/x/../cds-services/all-relapse",
    "https://cds.example.org\\cds-services\\all-relapse",
    f"{ENDPOINT}?",
    f"{ENDPOINT}/?x=//",
    f"{ENDPOINT}#",
    f" {ENDPOINT}",
    f"{ENDPOINT}/ ",
    f"https://evil.example/{ENDPOINT}",
    f"https://evil.example@{ENDPOINT.removeprefix('https://')}",
    "/cds-services/all-relapse",
    "",
]


@pytest.mark.parametrize("found", TAKEN)
def test_slashes_say_nothing_of_whom_a_token_is_for(found: str) -> None:
    check_audience({"aud": found}, ENDPOINT, CLINIC)
    check_audience({"aud": ["https://elsewhere.example", found]}, ENDPOINT, CLINIC)


@pytest.mark.parametrize("found", REFUSED)
def test_everything_else_is_compared_as_it_is_written(found: str) -> None:
    with pytest.raises(Refused) as refused:
        check_audience({"aud": found}, ENDPOINT, CLINIC)
    assert refused.value.reason is Reason.AUDIENCE


@pytest.mark.parametrize("found", [None, 7, [ENDPOINT, 7], [[ENDPOINT]], {"aud": ENDPOINT}, []])
def test_an_audience_is_text(found: object) -> None:
    with pytest.raises(Refused):
        check_audience({"aud": found}, ENDPOINT, CLINIC)


@pytest.fixture
def guarded(tmp_path: Path, knowledge: Knowledge) -> Iterator[Flask]:
    (tmp_path / "keys.json").write_bytes(forge.key_set(ES.jwk()))
    tenant = Tenant(id="general", iss=forge.ISS, jwks_file=tmp_path / "keys.json")
    settings = Settings(public_url=BASE, store="sqlite://", discovery_auth="required", tenants=(tenant,))
    app = create_app(settings, clock=lambda: AT, knowledge=knowledge)
    yield app
    parts_of(app).close()


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/cds-services", None),
        ("/cds-services/", None),
        ("/cds-services/all-relapse", HOOK),
        ("/cds-services//all-relapse", HOOK),
        ("/cds-services/all-relapse/", HOOK),
        ("/cds-services/all-relapse/feedback", FEEDBACK_BODY),
        ("/cds-services//all-relapse/feedback", FEEDBACK_BODY),
    ],
)
def test_who_signs_what_it_calls_is_believed(guarded: Flask, path: str, body: object) -> None:
    def status(audience: str) -> int:
        token = compact(header(ES), claims(aud=audience), ES)
        method = "GET" if body is None else "POST"
        signed = {"Authorization": f"Bearer {token}"}
        return guarded.test_client().open(path, method=method, json=body, headers=signed).status_code

    assert status(BASE + path) not in (401, 403, 404, 405)
    assert status("https://other.example.org" + path) == 401
    assert status("http" + BASE.removeprefix("https") + path) == 401
    assert status(f"{BASE}/cds-services/another") == 401
