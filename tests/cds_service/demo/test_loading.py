"""Loading patients into a FHIR server over a real socket, and reading them back page by page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from threading import Thread
from typing import Any

import pytest
import requests
from flask import Flask
from werkzeug.serving import make_server

from cds_service.cli import main
from cds_service.demo.demo_patients import load_patients
from cds_service.demo.ehr import new_session
from cds_service.demo.loading import NotLoaded, load
from cds_service.demo.sandbox.access import AccessTokens
from cds_service.demo.sandbox.repository import Repository
from cds_service.demo.sandbox.routes import sandbox_blueprint
from cds_service.demo.sandbox.server import Sandbox

TODAY = date(2026, 11, 20)


@pytest.fixture
def empty_server() -> Iterator[Sandbox]:
    """A sandbox without patients that listens on a port of its own."""
    app = Flask("empty_server")
    server = make_server("127.0.0.1", 0, app, threaded=True)
    sandbox = Sandbox(Repository(), AccessTokens(b"k" * 32), f"http://127.0.0.1:{server.port}/fhir")
    app.register_blueprint(sandbox_blueprint(sandbox, "2026-01-01"), url_prefix="/fhir")
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield sandbox
    server.shutdown()
    thread.join()
    server.server_close()


def pages(session: requests.Session, url: str, sandbox: Sandbox) -> Iterator[dict[str, Any]]:
    headers = {"Authorization": f"Bearer {sandbox.tokens.issue()}"}
    while url:
        response = session.get(url, headers=headers, timeout=120)
        assert response.status_code == 200
        body: dict[str, Any] = response.json()
        yield body
        url = next((link["url"] for link in body["link"] if link["relation"] == "next"), "")


@pytest.mark.parametrize("slash", ["", "/"])
def test_what_was_loaded_is_found_page_by_page(empty_server: Sandbox, slash: str) -> None:
    patients = load_patients(TODAY)
    load(empty_server.base + slash, patients, empty_server.tokens.issue())
    patient = patients[0]
    expected = {r["id"] for r in patient.resources if r["resourceType"] == "Observation"}
    with new_session() as session:
        url = f"{empty_server.base}/Observation?patient={patient.id}&_sort=-date&_count=2"
        read = list(pages(session, url, empty_server))
    found = [entry["resource"]["id"] for page in read for entry in page["entry"]]
    assert len(read) == -(-len(expected) // 2)
    assert len(found) == len(set(found))
    assert set(found) == expected


def test_loading_again_replaces(empty_server: Sandbox) -> None:
    patients = load_patients(TODAY)
    for _ in range(2):
        load(empty_server.base, patients, empty_server.tokens.issue())
    stored = empty_server.repository.all_of("Patient")
    assert [one.id for one in stored] == [patient.id for patient in patients]
    assert {one.version for one in stored} == {2}


@pytest.mark.parametrize("answer", [405, 422, 501])
def test_a_server_without_transactions_is_written_one_by_one(empty_server: Sandbox, answer: int) -> None:
    patients = load_patients(TODAY)
    resources = [resource for patient in patients for resource in patient.resources]
    put: list[str] = []
    app = Flask("puts_only")

    @app.route("/fhir", methods=["POST"])
    def refuse() -> tuple[str, int]:
        return "", answer

    @app.route("/fhir/<kind>/<identity>", methods=["PUT"])
    def take(kind: str, identity: str) -> tuple[str, int]:
        put.append(f"{kind}/{identity}")
        return "", 201

    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        load(f"http://127.0.0.1:{server.port}/fhir", patients)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert sorted(put) == sorted(f"{one['resourceType']}/{one['id']}" for one in resources)
    assert put[: len(patients)] == [f"Patient/{patient.id}" for patient in patients]


def test_a_server_that_takes_neither_is_told(empty_server: Sandbox) -> None:
    app = Flask("reads_only")
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        with pytest.raises(NotLoaded, match="PUT Patient"):
            load(f"http://127.0.0.1:{server.port}/fhir", load_patients(TODAY))
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_refusal_is_told(empty_server: Sandbox) -> None:
    with pytest.raises(NotLoaded, match="401"):
        load(empty_server.base, load_patients(TODAY))
    assert empty_server.repository.all_of("Patient") == ()


def test_a_server_that_is_not_there_is_told() -> None:
    with pytest.raises(NotLoaded, match="does not answer"):
        load("http://127.0.0.1:9/fhir", load_patients(TODAY))


def test_the_command_prints_the_ids(empty_server: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    token = empty_server.tokens.issue()
    assert main(["load-demo", "--fhir-server", empty_server.base, "--token", token]) == 0
    printed = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert printed == [one.id for one in empty_server.repository.all_of("Patient")]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("--fhir-server", "http://127.0.0.1:9/fhir"), 1, "does not answer"),
        (("--fhir-server", "http://127.0.0.1:9/fhir", "--today", "now"), 2, "--today"),
        (("--fhir-server", "fhir.example.org"), 2, "--fhir-server"),
    ],
)
def test_the_command_fails_in_one_line(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], code: int, message: str
) -> None:
    assert main(["load-demo", *words]) == code
    told = capsys.readouterr()
    assert message in told.err
    assert told.err.count("\n") == 1
    assert told.out == ""
