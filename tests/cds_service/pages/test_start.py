"""The start page tells the truth about the service that runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cds_service.pages.rendering import policy
from cds_service.settings.model import Tenant

AppMaker = Callable[..., Flask]


def text_of(app: Flask) -> str:
    answer = app.test_client().get("/")
    assert answer.status_code == 200
    assert answer.content_type == "text/html; charset=utf-8"
    return " ".join(answer.text.split())


def test_it_says_what_runs(make_app: AppMaker) -> None:
    text = text_of(make_app(public_url="https://cds.example.org", snooze_days=12))
    assert "https://cds.example.org/cds-services/all-relapse" in text
    assert "anybody may call; for demonstrations only" in text
    assert "stays away for 12 days" in text


def test_a_service_in_use_offers_no_demonstration(make_app: AppMaker) -> None:
    text = text_of(make_app())
    assert 'href="/demo/' not in text
    assert 'href="/operator/"' in text


def test_authorisation_is_told_as_it_is(make_app: AppMaker, tmp_path: Path) -> None:
    unread = Tenant(id="secret-name", iss="https://ehr.example.org/fhir", jku="http://127.0.0.1:9/keys")
    text = text_of(make_app(auth="required", tenants=(unread,)))
    assert "every call needs a signed token" in text
    assert "not readable for 1; their calls are answered 503" in text
    assert "secret-name" not in text


def test_content_that_is_held_back_is_told(make_app: AppMaker) -> None:
    assert "draft, not approved by a clinician; no cards are made" in text_of(
        make_app(require_approved_content=True)
    )


def test_without_services_the_page_says_what_to_do(make_app: AppMaker) -> None:
    assert "No service is switched on." in text_of(make_app(hooks=()))


def test_shared_files_are_served_as_what_they_are(client: FlaskClient) -> None:
    kinds = {"site.css": "text/css", "icon.svg": "image/svg+xml", "vendor/markdown-it.js": "text/javascript"}
    for name, kind in kinds.items():
        with client.get(f"/static/{name}") as answer:
            assert (answer.status_code, answer.mimetype) == (200, kind)


def test_unknown_paths_below_the_pages_are_refused(client: FlaskClient) -> None:
    for path in ("/static/../app.py", "/static/nothing.css", "/clinical/nothing", "/clinical/../x"):
        assert client.get(path).status_code == 404


def test_other_origins_are_named_only_where_a_page_calls_them() -> None:
    assert "connect-src 'self';" in policy()
    assert "connect-src 'self' https://ehr.example.org;" in policy(["https://ehr.example.org"])


PAGES = ["/", "/clinical/", "/operator/", "/timeline/"]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_of_an_open_service_in_production_says_so(make_app: AppMaker, path: str) -> None:
    warning = "Anybody may call this service"
    opened = {"environment": "production", "public_url": "https://cds.example.org", "auth": "off"}
    app = make_app(**opened, allow_unauthenticated=True)
    assert warning in app.test_client().get(path).text
    assert warning not in make_app().test_client().get(path).text


def test_the_callers_of_an_open_service_in_production_are_a_fault(make_app: AppMaker) -> None:
    app = make_app(environment="production", public_url="https://cds.example.org", auth="off")
    assert "anybody may call, although this is production" in text_of(app)
