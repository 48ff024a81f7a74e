"""The WSGI server of ``relapse-cds serve``: gunicorn with threads, started in this process.

Why gunicorn: of the servers measured it reads HTTP most strictly, finishes what is in flight on SIGTERM,
and is the fastest with bodies of 10 MB. It needs nginx in front against slow clients (deploy/). granian
reads bodies up to 2 MB more cheaply, but has no request time-out. The choice stands in this file only.
"""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger
from gunicorn.http.wsgi import Response
from gunicorn.workers.base import Worker

from cds_service.observability.shared_metrics import directory, require_shared

if TYPE_CHECKING:
    from flask import Flask

    from cds_service.settings.model import Settings

GRACE_SECONDS = 25
"""What is in flight on SIGTERM may take this long; orchestrators kill after 30 seconds."""

_LOOPBACK = "127.0.0.1"


class _QuietLogger(Logger):  # type: ignore[misc]
    """Start, stop and faults go through our own log; request lines would hold paths, and are not kept."""

    def setup(self, cfg: Any) -> None:
        self.error_log.handlers[:] = []
        self.error_log.propagate = True
        self.error_log.setLevel(logging.WARNING)

    def access(self, *_: Any, **__: Any) -> None:
        return


class _Server(BaseApplication):  # type: ignore[misc]
    """gunicorn, configured from the settings instead of its own files and arguments."""

    def __init__(self, make_app: Callable[[], Flask], options: dict[str, Any]) -> None:
        self._make_app = make_app
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Flask:
        """The application, made in the worker: threads and database connections do not survive a fork."""
        from cds_service.server.bad_requests import answer_in_json

        answer_in_json()
        return self._make_app()


def serve(settings: Settings) -> None:
    """Serves until SIGTERM or SIGINT. ``shared_metrics`` is entered before, and before most imports.

    Raises KnowledgeError, SettingsError, PortUnusable or a fault of the store before anything is served.
    """
    from cds_service.app import call_rate, create_app, store_of
    from cds_service.evaluation.site_knowledge import knowledge_in_use, known_names
    from cds_service.observability import log
    from cds_service.server.sockets import listen_on
    from cds_service.settings.loading import check_names
    from fhir_mappings.trials import load_trial_knowledge

    log.configure_logging(settings.log_level)
    _check_tracing()
    knowledge = knowledge_in_use(settings)
    check_names(settings, known_names(knowledge))
    load_trial_knowledge(settings.knowledge_dir)
    # Migrates the tables once, before any worker uses them.
    store_of(settings).close()
    gc.collect()
    gc.freeze()
    _hide_server_name()
    rate = call_rate(settings)
    if settings.metrics_port:
        # Opened again below, by the process that serves it; here only to tell a busy port before.
        listen_on(_LOOPBACK, settings.metrics_port, "choose another metrics_port").close()
    listener = listen_on(settings.host, settings.port)
    require_shared()
    port = listener.getsockname()[1]
    _warn(settings)
    log.event("serving", port=port, workers=settings.workers, digest=knowledge.digest)
    # Detached, because gunicorn closes what it is given.
    options = _options(settings, f"fd://{listener.detach()}")
    _Server(lambda: create_app(settings, knowledge=knowledge, rate=rate), options).run()


def _warn(settings: Settings) -> None:
    """Says once what an operator should not have missed."""
    from cds_service.observability import log

    if settings.open_to_anybody:
        log.event("anybody-may-call", logging.WARNING)
    if os.geteuid() == 0:
        log.event("running-as-root", logging.WARNING)


def _check_tracing() -> None:
    """Raises SettingsError where traces are asked for that this installation cannot make."""
    from cds_service.observability import tracing
    from cds_service.settings.faults import Fault, SettingsError

    try:
        tracing.is_asked_for()
    except tracing.NotInstalled:
        remedy = "install relapse-cds[otel], or unset it"
        raise SettingsError((Fault(tracing.ENDPOINTS[1], "tracing is not installed", remedy),)) from None


def _options(settings: Settings, bind: str) -> dict[str, Any]:
    return {
        "bind": [bind],
        "workers": settings.workers,
        "worker_class": "gthread",
        "threads": settings.threads,
        "timeout": 60,
        "graceful_timeout": GRACE_SECONDS,
        "keepalive": 30,
        "limit_request_line": 4094,
        "limit_request_fields": 64,
        "limit_request_field_size": 16_384,
        "logger_class": _QuietLogger,
        "control_socket_disable": True,
        "forwarded_allow_ips": "",
        "proc_name": "relapse-cds",
        "when_ready": lambda _: _serve_metrics(settings),
        "worker_exit": lambda _, worker: _close(worker),
        "child_exit": lambda _, worker: _forget(worker),
    }


def _serve_metrics(settings: Settings) -> None:
    """The metrics on a port of their own, on loopback, from the process that holds the workers."""
    if not settings.metrics_port:
        return
    from prometheus_client import CollectorRegistry, multiprocess, start_http_server

    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry, path=directory())  # type: ignore[no-untyped-call]
    start_http_server(settings.metrics_port, addr=_LOOPBACK, registry=registry)


def _close(worker: Worker) -> None:
    """The worker has answered everything: what it noted is written."""
    from cds_service.app_state import parts_of

    app = getattr(worker, "wsgi", None)
    if app is not None:
        parts_of(app).close()


def _forget(worker: Worker) -> None:
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid, path=directory())  # type: ignore[no-untyped-call]


def _hide_server_name() -> None:
    """gunicorn names itself in every answer and offers no setting for it."""
    default = Response.default_headers

    def nameless(self: Response) -> list[str]:
        return [line for line in default(self) if not line.startswith("Server:")]

    Response.default_headers = nameless
