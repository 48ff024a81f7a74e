"""``call`` acts as an EHR against a FHIR server that is a table of answers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import responses
from requests import PreparedRequest

from cds_service.cli import main
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


def test_a_bad_address_is_unusable(capsys: Capture) -> None:
    assert main(["call", "--fhir-server", "nonsense", "--patient", "p1"]) == 2
    assert "--fhir-server" in capsys.readouterr().err
