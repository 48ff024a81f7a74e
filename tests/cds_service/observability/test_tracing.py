"""Traces: joined to the EHR's and to the FHIR server's, with listed names and plain values only."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import StatusCode

from cds_service.app import create_app
from cds_service.app_state import parts_of
from cds_service.observability import tracing
from cds_service.settings.model import Settings, Tenant
from tests.cds_service.charts import HOOK_INSTANCE, PATIENT_ID, Json, bundle, leukaemia, patient
from tests.faults.wire import Answer, Asked, LoopbackServer

AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{SPAN}-01"
CALL = "/cds-services/all-relapse"


class Kept(SpanExporter):
    """Keeps the spans that ended."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.spans.extend(spans)
        return SpanExportResult.SUCCESS

    def named(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.spans if span.name == name]


@pytest.fixture
def kept() -> Iterator[Kept]:
    exporter = Kept()
    tracing.start_with(exporter, "1.2.3", at_once=True)
    yield exporter
    tracing.stop()


def fhir_server(asked: Asked) -> Answer:
    kind = asked.target.split("/")[2].partition("?")[0]
    body: Json = (
        patient() if kind == "Patient" else bundle(*([leukaemia()] if kind == "Condition" else []), total=1)
    )
    return Answer(body=json.dumps(body).encode())


@pytest.fixture
def called(kept: Kept) -> Iterator[LoopbackServer]:
    """A call that reads everything from a FHIR server, arrived with a traceparent."""
    with LoopbackServer(fhir_server) as fhir:
        base = f"{fhir.url}/fhir"
        tenant = Tenant(id="north", fhir_servers=(base,), allow_private=True, open_fhir=True, habits="smart")
        app = create_app(Settings.embedded(tenants=(tenant,), deadline_ms=30_000), clock=lambda: AT)
        context = {"userId": "Practitioner/1", "patientId": PATIENT_ID}
        body = {"hook": "patient-view", "hookInstance": HOOK_INSTANCE, "context": context, "fhirServer": base}
        app.test_client().post(CALL, json=body, headers={"traceparent": TRACEPARENT})
        yield fhir
        parts_of(app).close()


def test_a_call_goes_on_with_the_ehrs_trace(kept: Kept, called: LoopbackServer) -> None:
    (call,) = kept.named("call")
    assert call.context is not None
    assert format(call.context.trace_id, "032x") == TRACE
    assert call.parent is not None
    assert format(call.parent.span_id, "016x") == SPAN


def test_every_span_of_a_call_is_of_its_trace(kept: Kept, called: LoopbackServer) -> None:
    assert {span.name for span in kept.spans} >= {"call", "read", "fhir", "rules", "cards"}
    assert {format(span.context.trace_id, "032x") for span in kept.spans if span.context} == {TRACE}
    assert len(kept.named("fhir")) > 3, "read in several threads, and none left the trace"


def test_the_fhir_server_is_told_the_span_that_asks_it(kept: Kept, called: LoopbackServer) -> None:
    spans = {format(span.context.span_id, "016x") for span in kept.named("fhir") if span.context}
    told = [asked.headers.get("traceparent", "") for asked in called.asked]
    assert {header.split("-")[1] for header in told} == {TRACE}
    assert {header.split("-")[2] for header in told} <= spans
    assert [
        asked for asked in called.asked if "tracestate" in asked.headers or "baggage" in asked.headers
    ] == []


def test_names_and_attributes_are_those_of_the_lists(kept: Kept, called: LoopbackServer) -> None:
    assert {span.name for span in kept.spans} <= set(tracing.SPANS)
    assert {key for span in kept.spans for key in span.attributes or ()} <= set(tracing.ATTRIBUTES)
    assert [span for span in kept.spans if span.events] == []
    (call,) = kept.named("call")
    assert call.attributes is not None
    assert call.attributes["http.route"] == "/cds-services/<service_id>"
    assert call.attributes["relapse_cds.tenant"] == "north"


@pytest.mark.parametrize(
    "header",
    [
        "",
        "CANARY",
        f"00-{TRACE}-{SPAN}",
        f"00-{'0' * 32}-{SPAN}-01",
        f"ff-{TRACE}-{SPAN}-01",
        "00-" + "x" * 9000,
    ],
)
def test_a_traceparent_that_is_none_begins_a_new_trace(kept: Kept, header: str) -> None:
    span = tracing.RequestSpan.begun(header, http__request__method="GET")
    assert span is not None
    span.end(200)
    assert kept.spans[0].parent is None


def test_a_value_that_is_no_plain_word_leaves_as_its_type(kept: Kept) -> None:
    with tracing.span("fhir", relapse_cds__resource="Patient?name=Doe, Jane") as mark:
        mark(relapse_cds__outcome="a b", relapse_cds__needs=3)
    assert dict(kept.spans[0].attributes or {}) == {
        "relapse_cds.resource": "<str>", "relapse_cds.outcome": "<str>", "relapse_cds.needs": 3,
    }  # fmt: skip


def test_an_exception_leaves_its_class_alone(kept: Kept) -> None:
    with pytest.raises(ValueError, match="CANARY"), tracing.span("rules"):
        raise ValueError("CANARY patient")
    (span,) = kept.spans
    assert dict(span.attributes or {}) == {"error.type": "ValueError"}
    assert (span.status.status_code, span.status.description, span.events) == (StatusCode.ERROR, None, ())


def test_names_outside_the_lists_are_a_programming_error(kept: Kept) -> None:
    with pytest.raises(KeyError), tracing.span("patient"):
        pass
    with pytest.raises(KeyError), tracing.span("rules", patient="x"):
        pass


def test_a_thread_of_another_pool_stays_in_the_span(kept: Kept) -> None:
    with ThreadPoolExecutor(2) as pool, tracing.span("read"):
        inside = tracing.trace_id()
        assert pool.submit(tracing.carried(tracing.trace_id)).result() == inside
        assert pool.submit(tracing.trace_id).result() == ""


def test_nothing_is_done_while_tracing_is_off() -> None:
    assert tracing.RequestSpan.begun(TRACEPARENT) is None
    assert (tracing.trace_id(), tracing.outgoing()) == ("", {})
    with tracing.span("no such span", whatever=1) as mark:
        mark(whatever=2)
    work = dict
    assert tracing.carried(work) is work


@pytest.mark.parametrize(
    ("environ", "asked"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318", "OTEL_SDK_DISABLED": "True"}, False),
    ],
)
def test_the_environment_switches_it_on(environ: dict[str, str], asked: bool) -> None:
    assert tracing.is_asked_for(environ) is asked


def test_a_missing_extra_is_told_before_anything_is_served(tmp_path: Path) -> None:
    """And without the extra the service works as long as nobody asks for traces."""
    program = (
        "import sys\n"
        "class Missing:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] == 'opentelemetry': raise ModuleNotFoundError(name=name)\n"
        "sys.meta_path.insert(0, Missing())\n"
        "from cds_service.cli import main\n"
        "sys.exit(main(['serve']))\n"
    )
    environ = {
        "PYTHONPATH": str(Path(__file__).parents[3]),
        "RELAPSE_CDS_AUTH": "off",
        "RELAPSE_CDS_ENVIRONMENT": "development",
        "RELAPSE_CDS_PORT": "0",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",
    }
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 2
    assert "relapse-cds[otel]" in done.stderr
    assert "Traceback" not in done.stderr
