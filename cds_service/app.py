"""The application: puts the parts together and decides nothing."""

from __future__ import annotations

import gc
import re
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from flask import Flask, Response, g, request

from cds_service.api import cors, hook_calls, operations, problems
from cds_service.api.openapi import api_document
from cds_service.app_state import Clock, Parts, attach, parts_of, software_version
from cds_service.auth import Verifier
from cds_service.evaluation.audit_trail import Recorder
from cds_service.evaluation.evaluator import Evaluator, concept_needs
from cds_service.evaluation.prefetch import templates
from cds_service.evaluation.site_knowledge import knowledge_in_use, known_names
from cds_service.feedback.routes import feedback
from cds_service.fhir_client import FhirReader
from cds_service.fhir_client.access import Reader
from cds_service.hooks import HOOKS
from cds_service.http.rate_limit import CallRate
from cds_service.observability import metrics, shared_metrics, tracing
from cds_service.pages.clinical import clinical
from cds_service.pages.operator import operator
from cds_service.pages.rendering import frame
from cds_service.pages.source_attributes import attributes
from cds_service.pages.start import start
from cds_service.settings.loading import check_names
from cds_service.settings.model import NO_TENANT, Settings
from cds_service.store import Store, open_store
from cds_service.timeline import routes as timeline
from cds_service.trials.referral import TrialReferrals
from cds_service.trials.stored import StoredTrialCache
from cds_service.wire.discovery import discovery
from cds_service.wire.source_attributes import source_attributes
from fhir_mappings.assess import Knowledge
from fhir_mappings.trials import load_trial_knowledge

_REQUEST_ID = re.compile(r"(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")
"""A UUID, or 32 hexadecimal digits as nginx writes: of any other form it might name a patient."""


def utc_now() -> datetime:
    """The one clock of the product; everything below is handed its value."""
    return datetime.now(UTC)


def create_app(
    settings: Settings,
    *,
    clock: Clock = utc_now,
    reader: Reader | None = None,
    store: Store | None = None,
    knowledge: Knowledge | None = None,
    rate: CallRate | None = None,
) -> Flask:
    """The WSGI application of one configuration.

    ``reader``, ``store``, ``knowledge`` and ``rate`` default to the real ones of this process. Raises
    KnowledgeError where the knowledge is not sound, SettingsError where a tenant's codes do not fit it,
    StoreMisconfigured or StoreUnavailable where the store is not.
    """
    if knowledge is None:
        knowledge = knowledge_in_use(settings)
    check_names(settings, known_names(knowledge))
    parts = _parts(settings, clock, reader, store, knowledge, rate or call_rate(settings))
    app = Flask("cds_service", static_folder=None)
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    attach(app, parts)
    _register(app, parts)
    tracing.start(software_version())
    metrics.content(knowledge.digest, knowledge.version)
    _settle()
    return app


def _settle() -> None:
    """Keeps what lives as long as the process out of every later garbage collection; once is enough."""
    if gc.get_freeze_count() == 0:
        gc.collect()
        gc.freeze()


def _parts(
    settings: Settings,
    clock: Clock,
    reader: Reader | None,
    store: Store | None,
    knowledge: Knowledge,
    rate: CallRate,
) -> Parts:
    store = store or store_of(settings)
    reader = reader or FhirReader(settings)
    trials = load_trial_knowledge(settings.knowledge_dir)
    knowledge = replace(knowledge, words={**knowledge.words, **trials.words})
    services = {name: service for name, service in HOOKS.items() if name in settings.hooks}
    offered = templates(knowledge.needs, settings.tenants, concept_needs(knowledge))
    document = source_attributes(knowledge)
    return Parts(
        settings=settings,
        clock=clock,
        knowledge=knowledge,
        store=store,
        verifier=Verifier(settings, store),
        reader=reader,
        evaluator=Evaluator(knowledge, settings, reader),
        recorder=Recorder(store, knowledge),
        trials=TrialReferrals.started(settings, trials, clock, StoredTrialCache(store)),
        rate=rate,
        services=services,
        discovery=discovery(services.values(), offered, settings, document),
        attributes=document,
        metrics_dir=shared_metrics.directory(),
    )


def call_rate(settings: Settings) -> CallRate:
    """The buckets of every tenant, and one for all callers who are none."""
    names = [*(tenant.id for tenant in settings.tenants), NO_TENANT]
    return CallRate(names, settings.rate_limit_per_minute)


def store_of(settings: Settings) -> Store:
    """The store that the configuration names, its tables brought up to date. Raises as ``open_store``."""
    secrets = (settings.pseudonym_secret, settings.audit_secret)
    pseudonyms, audit_seals = (one.get_secret_value().encode() if one else None for one in secrets)
    retention = timedelta(days=settings.feedback_retention_days)
    return open_store(settings.store, pseudonyms, retention, audit_seals)


def _register(app: Flask, parts: Parts) -> None:
    problems.register(app)
    app.before_request(_begin)
    app.after_request(_finish)
    app.register_blueprint(hook_calls.hooks)
    app.register_blueprint(feedback)
    app.register_blueprint(attributes)
    app.register_blueprint(api_document)
    app.register_blueprint(operations.operations)
    app.register_blueprint(frame)
    timeline.register(app)
    app.register_blueprint(start)
    app.register_blueprint(operator)
    app.register_blueprint(clinical)
    if parts.settings.metrics_port == 0:
        app.add_url_rule("/metrics", view_func=operations.exposition, endpoint="metrics")


def _begin() -> Response | None:
    g.started = time.monotonic()
    asked = request.headers.get("X-Request-Id", "")
    g.request_id = asked if _REQUEST_ID.fullmatch(asked) else str(uuid4())
    g.tenant = NO_TENANT
    g.span = tracing.RequestSpan.begun(
        request.headers.get("traceparent", ""),
        http__request__method=metrics.known_method(request.method),
        relapse_cds__request=g.request_id,
    )
    return Response(status=204) if cors.is_preflight() else None


def _finish(response: Response) -> Response:
    response.headers["X-Request-Id"] = g.request_id
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    cors.add_headers(response, parts_of().settings)
    route = request.url_rule.rule if request.url_rule else "unmatched"
    metrics.answered(route, request.method, response.status_code, g.tenant, time.monotonic() - g.started)
    if g.span is not None:
        g.span.end(response.status_code, http__route=route, relapse_cds__tenant=g.tenant)
    return response
