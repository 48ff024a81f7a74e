"""``call`` acts as an EHR against a FHIR server that is a table of answers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, get_args
from urllib.parse import urlsplit

import pytest
import responses
from requests import PreparedRequest

from cds_service.cli import main
from cds_service.cli.presets import HABITS, PRESETS
from cds_service.fhir_client.capability import NAMED
from cds_service.http.fhir_base import parse_base
from cds_service.settings.model import Habits
from tests.cds_service.charts import FHIR_SERVER, asthma, bundle, patient

Capture = pytest.CaptureFixture[str]


def serve_chart(fhir: responses.RequestsMock, chart: dict[str, Any]) -> None:
    """Answers every search from the chart by resource type."""

    def answer(request: PreparedRequest) -> tuple[int, dict[str, str], str]:
        kind = urlsplit(request.url or "").path.split("/")[2]
        return 200, {"Content-Type": "application/fhir+json"}, json.dumps(chart.get(kind, bundle()))

    fhir.add_callback("GET", re.compile(re.escape(FHIR_SERVER)), callback=answer)


@pytest.fixture
def fhir() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mocked:
        yield mocked


def test_a_call_in_process_prints_the_answer(fhir: responses.RequestsMock, capsys: Capture) -> None:
    serve_chart(fhir, {"Patient": patient(), "Condition": bundle(asthma())})
    assert main(["call", "--fhir-server", FHIR_SERVER, "--patient", "p1"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("HTTP 200")
    assert "conditions" in out
    assert "No cards." in out


def test_a_server_that_does_not_answer_is_told(fhir: responses.RequestsMock, capsys: Capture) -> None:
    assert (
        main(["call", "--fhir-server", FHIR_SERVER, "--patient", "p1", "--service", "http://none.example"])
        == 1
    )
    assert "does not answer" in capsys.readouterr().err


def test_a_fhir_server_that_does_not_answer_is_told(fhir: responses.RequestsMock, capsys: Capture) -> None:
    assert main(["call", "--fhir-server", FHIR_SERVER, "--patient", "p1"]) == 1
    told = capsys.readouterr().out
    assert told.startswith("HTTP 412")
    assert "Check --fhir-server and --token." in told
    assert main(["call", "--fhir-server", FHIR_SERVER, "--patient", "p1", "--no-prefetch"]) == 1
    assert "Check --fhir-server" not in capsys.readouterr().out


def test_presets_are_listed_without_a_call(capsys: Capture) -> None:
    assert main(["call", "--list-presets"]) == 0
    told = capsys.readouterr().out
    for preset in PRESETS.values():
        assert preset.name in told
        assert parse_base(preset.fhir_server).url == preset.fhir_server
        assert preset.fhir_server in told


def test_the_habits_are_those_of_the_settings_and_the_reader() -> None:
    assert get_args(Habits) == HABITS
    assert set(HABITS) == {"none", *NAMED}


def test_a_preset_names_the_server_and_its_habits(capsys: Capture) -> None:
    preset = PRESETS["cerner-sandbox"]
    asked: list[str] = []

    def answer(request: PreparedRequest) -> tuple[int, dict[str, str], str]:
        asked.append(request.url or "")
        chart = {"Patient": patient(), "Condition": bundle(asthma())}
        kind = urlsplit(request.url or "").path.split("/")[3]
        return 200, {"Content-Type": "application/fhir+json"}, json.dumps(chart.get(kind, bundle()))

    with responses.RequestsMock() as fhir:
        fhir.add_callback("GET", re.compile(re.escape(preset.fhir_server)), callback=answer)
        assert main(["call", "--preset", preset.name, "--patient", "p1", "--no-prefetch"]) == 0
    assert "No cards." in capsys.readouterr().out
    # Its Conditions cannot be narrowed by code nor sorted, and hold at most 100 on a page.
    assert asked == [f"{preset.fhir_server}/Condition?patient=p1&_count=100"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--preset", "nowhere", "--patient", "p1"], "smart-r4, hapi-r4, cds-sandbox"),
        (["--preset", "epic-sandbox", "--patient", "p1"], "--token"),
        (["--preset", "hapi-r4"], "--patient"),
        (["--patient", "p1"], "--list-presets"),
        (["--preset", "hapi-r4", "--fhir-server", FHIR_SERVER, "--patient", "p1"], "give one of them"),
    ],
)
def test_a_call_that_says_too_little_or_too_much_is_unusable(
    words: list[str], message: str, capsys: Capture
) -> None:
    assert main(["call", *words]) == 2
    assert message in capsys.readouterr().err


def test_a_bad_address_is_unusable(capsys: Capture) -> None:
    assert main(["call", "--fhir-server", "nonsense", "--patient", "p1"]) == 2
    assert "--fhir-server" in capsys.readouterr().err
