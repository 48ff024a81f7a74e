"""Traces of calls, for sites that collect them with OpenTelemetry; off unless the site names a collector.

``OTEL_EXPORTER_OTLP_ENDPOINT`` (or ``OTEL_EXPORTER_OTLP_TRACES_ENDPOINT``) names it, and needs the extra
``[otel]``. The spans are our own: ready-made instrumentation puts whole addresses into spans, and an address
names the patient. Names and attributes come from the lists below, values are plain words and numbers as in
the log, and an exception leaves its class only. Of what a caller sends, ``traceparent`` alone is taken and
handed on.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import Token, copy_context
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from cds_service.observability.plain_values import plain

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span, Tracer

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
"""Environment variables of OpenTelemetry that switch tracing on."""

SPANS: Mapping[str, str] = {
    "call": "one request to the service, from its first line to its answer",
    "read": "reading what the prefetch did not bring from the tenant's FHIR server",
    "fhir": "one request to a FHIR server, as the breaker and the retries let it through",
    "rules": "from the data to the assessment",
    "cards": "from the assessment to the cards",
    "store": "keeping the cards that are about to be sent",
}
"""Every span, and what it lasts for."""

ATTRIBUTES: Mapping[str, str] = {
    "http.request.method": "method of the request",
    "http.route": "rule of the URL map, never the path that was asked for",
    "http.response.status_code": "status of the answer",
    "error.type": "class of the exception that ended the span, or the problem that was answered",
    "relapse_cds.request": "the X-Request-Id, which stands in the log as well",
    "relapse_cds.tenant": "id of the tenant in the configuration",
    "relapse_cds.service": "id of the hook service",
    "relapse_cds.status": "status of the assessment (relapse, none ...)",
    "relapse_cds.cards": "number of cards",
    "relapse_cds.needs": "number of needs that were read from the FHIR server",
    "relapse_cds.resource": "resource type that was asked for",
    "relapse_cds.outcome": "how the request to the FHIR server ended",
}
"""Every attribute that a span may hold; all others are a programming error."""

Value = str | int | float | bool
_Given = ParamSpec("_Given")
_Made = TypeVar("_Made")


class NotInstalled(Exception):
    """Tracing is asked for, but the extra ``[otel]`` is not installed."""


class _Tracing:
    """What one process traces with; nothing while tracing is off."""

    tracer: Tracer | None = None
    provider: TracerProvider | None = None


_tracing = _Tracing()


def is_asked_for(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether the environment names a collector.

    Raises NotInstalled where it does and the extra is missing.
    """
    if not any(environ.get(name) for name in ENDPOINTS):
        return False
    if environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    try:
        found = find_spec("opentelemetry.exporter.otlp.proto.http")
    except ModuleNotFoundError:
        found = None
    if found is None:
        raise NotInstalled
    return True


def start(version: str) -> None:
    """Switches tracing on where the environment names a collector; once a process, after it was forked.

    Raises NotInstalled.
    """
    if _tracing.tracer is not None or not is_asked_for():
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    start_with(OTLPSpanExporter(), version)


def start_with(exporter: SpanExporter, version: str, *, at_once: bool = False) -> None:
    """Traces into that exporter; ``at_once`` sends each span when it ends, for tests."""
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor

    provider = TracerProvider(
        resource=Resource.create({"service.name": "relapse-cds", "service.version": version}),
        shutdown_on_exit=False,
    )
    provider.add_span_processor(SimpleSpanProcessor(exporter) if at_once else BatchSpanProcessor(exporter))
    _tracing.provider = provider
    _tracing.tracer = provider.get_tracer("relapse-cds", version)


def stop() -> None:
    """Sends what is left, waiting two seconds at most, and switches tracing off."""
    provider, _tracing.provider, _tracing.tracer = _tracing.provider, None, None
    if provider is not None:
        provider.force_flush(2_000)
        provider.shutdown()


def span(name: str, **attributes: Value) -> AbstractContextManager[Callable[..., None]]:
    """A span that lasts as long as the block; what it yields sets further attributes of it.

    Dots of attribute names are written as two underscores: ``relapse_cds__tenant="north"``.
    """
    if _tracing.tracer is None:
        return nullcontext(_nothing)
    return _span(_tracing.tracer, name, attributes)


def _nothing(**_: Value) -> None:
    return


@contextmanager
def _span(tracer: Tracer, name: str, attributes: Mapping[str, Value]) -> Iterator[Callable[..., None]]:
    if name not in SPANS:
        raise KeyError(f"not a span: {name}")
    made = tracer.start_as_current_span(name, record_exception=False, set_status_on_exception=False)
    with made as current:
        _set(current, attributes)
        try:
            yield lambda **more: _set(current, more)
        except BaseException as error:
            _failed(current, type(error).__name__)
            raise


def _set(current: Span, attributes: Mapping[str, Value]) -> None:
    for key, value in attributes.items():
        name = key.replace("__", ".")
        if name not in ATTRIBUTES:
            raise KeyError(f"not an attribute of a span: {name}")
        current.set_attribute(name, plain(value))


def _failed(current: Span, kind: str) -> None:
    from opentelemetry.trace import StatusCode

    current.set_attribute("error.type", str(plain(kind)))
    current.set_status(StatusCode.ERROR)


class RequestSpan:
    """The span of one request, which begins and ends in different functions of the framework."""

    def __init__(self, span: Span, token: Token[Context]) -> None:
        self._span, self._token = span, token

    @classmethod
    def begun(cls, traceparent: str, **attributes: Value) -> RequestSpan | None:
        """The span of a request that arrived with this ``traceparent``; None while tracing is off."""
        if _tracing.tracer is None:
            return None
        from opentelemetry import context, trace
        from opentelemetry.trace import SpanKind
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        parent = TraceContextTextMapPropagator().extract({"traceparent": traceparent} if traceparent else {})
        span = _tracing.tracer.start_span("call", parent, kind=SpanKind.SERVER)
        _set(span, attributes)
        return cls(span, context.attach(trace.set_span_in_context(span, parent)))

    def end(self, status: int, **attributes: Value) -> None:
        """Ends it with the status of the answer."""
        from opentelemetry import context

        _set(self._span, {"http.response.status_code": status, **attributes})
        if status >= 500:
            _failed(self._span, str(status))
        self._span.end()
        context.detach(self._token)


def outgoing() -> dict[str, str]:
    """The header that joins the FHIR server's trace to ours; nothing while tracing is off."""
    if _tracing.tracer is None:
        return {}
    from opentelemetry.trace import get_current_span
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier: dict[str, Any] = {}
    if get_current_span().get_span_context().is_valid:
        TraceContextTextMapPropagator().inject(carrier)
    return {"traceparent": carrier["traceparent"]} if "traceparent" in carrier else {}


def trace_id() -> str:
    """The id of the trace in which this happens, for the log; empty while tracing is off."""
    if _tracing.tracer is None:
        return ""
    from opentelemetry.trace import format_trace_id, get_current_span

    found = get_current_span().get_span_context()
    return format_trace_id(found.trace_id) if found.is_valid else ""


def carried(work: Callable[_Given, _Made]) -> Callable[_Given, _Made]:
    """The same work for another thread, in the span of this one."""
    if _tracing.tracer is None:
        return work
    kept = copy_context()

    def carried_work(*args: _Given.args, **kwargs: _Given.kwargs) -> _Made:
        return kept.copy().run(work, *args, **kwargs)

    return carried_work
