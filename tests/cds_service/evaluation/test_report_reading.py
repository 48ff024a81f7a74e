"""Attachments are fetched at the same server and nowhere else, within bounds, and never stop a call."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from cds_service.evaluation.report_reading import (
    MOST_ATTACHMENTS,
    MOST_BYTES,
    NoSuchReader,
    fetched,
    policy_of,
    unfetched,
)
from cds_service.fhir_client.access import Reading
from cds_service.fhir_client.transport import Failed, Reply
from cds_service.http.fhir_base import FhirBase, parse_base
from cds_service.settings.model import NOBODY, Tenant
from fhir_mappings.clinical.facts import Facts, WrittenReport

BASE = parse_base("https://ehr.example.org/fhir")


@dataclass
class OneServer:
    """Answers every Binary with the same body, and remembers what was asked."""

    answer: Reply | Failed
    base: FhirBase = BASE
    asked: list[str] = field(default_factory=list)

    def get(self, target: str) -> Reply | Failed:
        self.asked.append(target)
        return self.answer


def named(*urls: str) -> list[WrittenReport]:
    return [
        WrittenReport(f"DiagnosticReport/{n}", "presentedForm[0]", "marrow", "", None, url=url)
        for n, url in enumerate(urls)
    ]


def binary(text: str) -> Reply:
    data = base64.b64encode(text.encode()).decode()
    body = {"resourceType": "Binary", "id": "b", "contentType": "text/plain", "data": data}
    return Reply(200, {"Content-Type": "application/fhir+json"}, json.dumps(body).encode())


def read(server: OneServer, *urls: str) -> list[Any]:
    return fetched(named(*urls), cast(Reading, server))


def test_a_binary_is_read_as_fhir_or_as_its_bytes() -> None:
    server = OneServer(binary("Blasts 62 %"))
    [entry] = read(server, "Binary/b")
    assert entry.full_url == "Binary/b"
    assert server.asked == ["/fhir/Binary/b"]
    plain = OneServer(Reply(200, {"content-type": "text/plain"}, b"Blasts 62 %"))
    [entry] = read(plain, "https://ehr.example.org/fhir/Binary/b")
    assert entry.resource.resource_type == "Binary"


@pytest.mark.parametrize(
    "url",
    [
        "https://other.example.org/fhir/Binary/b",
        "http://ehr.example.org/fhir/Binary/b",
        "https://ehr.example.org:8443/fhir/Binary/b",
        "https://ehr.example.org/other/Binary/b",
        "//other.example.org/fhir/Binary/b",
        "Binary/../Patient/7",
        "Binary/b?x=1",
        "Patient/7",
        "Binary/",
        "file:///etc/passwd",
        "Binary/b#x",
        "Binary/%2e%2e/Patient/7",
    ],
)
def test_nothing_but_a_binary_of_the_same_server_is_asked_for(url: str) -> None:
    server = OneServer(binary("Blasts 62 %"))
    assert read(server, url) == []
    assert server.asked == []


@pytest.mark.parametrize(
    "answer",
    [
        Failed("timed-out"),
        Reply(404, {}, b""),
        Reply(200, {"content-type": "application/json"}, b"{"),
        Reply(200, {"content-type": "application/json"}, b'{"resourceType": "Patient", "id": "7"}'),
    ],
)
def test_an_attachment_that_does_not_come_is_left_out(answer: Reply | Failed) -> None:
    assert read(OneServer(answer), "Binary/b") == []


def test_attachments_are_bounded_in_number_and_size() -> None:
    server = OneServer(binary("Blasts 62 %"))
    read(server, *(f"Binary/b{number}" for number in range(40)))
    assert len(server.asked) == MOST_ATTACHMENTS
    large = OneServer(Reply(200, {"content-type": "text/plain"}, b"x" * (MOST_BYTES // 2 + 1)))
    read(large, *(f"Binary/b{number}" for number in range(10)))
    assert len(large.asked) == 2


def test_only_what_is_not_at_hand_is_fetched() -> None:
    here = WrittenReport("DiagnosticReport/1", "conclusion", "marrow", "Blasts 2 %", None)
    facts = Facts(reports=(here, *named("Binary/b", "Binary/b")))
    assert [report.url for report in unfetched(facts, NOBODY)] == ["Binary/b"]
    assert unfetched(facts, Tenant(id="general", report_text="named")) == []


def test_a_reader_that_is_not_installed_is_told_when_the_service_starts() -> None:
    with pytest.raises(NoSuchReader, match=r"relapse_cds\.report_reader"):
        policy_of(Tenant(id="general", report_reader="of-nobody"))
    assert policy_of(Tenant(id="general", report_text="named")).mode == "named"
