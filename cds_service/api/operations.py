"""What an operator asks for: whether the process lives and can serve, what decides, and the metrics."""

from __future__ import annotations

from flask import Blueprint, Response
from prometheus_client import CONTENT_TYPE_LATEST

from cds_service.api.answers import json_response
from cds_service.app_state import parts_of, software_version
from cds_service.http.problem import Problem, Refusal
from cds_service.observability import metrics
from cds_service.store import StoreUnavailable
from cds_service.wire.discovery import SPECIFICATION

operations = Blueprint("operations", __name__)


@operations.get("/livez")
def livez() -> Response:
    """The process answers."""
    return json_response({"status": "alive"})


@operations.get("/readyz")
def readyz() -> Response:
    """The process can serve: its store can be written and every tenant can be verified.

    No hospital's FHIR server is asked: one that is down must not take the service from the others.
    """
    parts = parts_of()
    faults = [f"keys of {tenant}" for tenant in parts.verifier.without_keys()]
    try:
        parts.store.check_writable()
    except StoreUnavailable:
        faults.append("store")
    if parts.settings.require_approved_content and parts.knowledge.review != "approved":
        faults.append("knowledge is not approved")
    if faults:
        raise Refusal(Problem.OUT_OF_SERVICE, f"not ready: {', '.join(faults)}", {"Retry-After": "5"})
    return json_response({"status": "ready"})


@operations.get("/version")
def version_route() -> Response:
    """Which software and which knowledge decide."""
    knowledge = parts_of().knowledge
    stamp = {
        "disease": knowledge.disease,
        "version": knowledge.version,
        "digest": knowledge.digest,
        "review": knowledge.review,
    }
    if knowledge.site is not None:
        stamp["siteDigest"] = knowledge.site.digest
    body = {"name": "relapse-cds", "version": software_version(), "cdsHooks": SPECIFICATION, "fhir": "4.0.1"}
    return json_response({**body, "knowledge": stamp})


def exposition() -> Response:
    """The metrics in Prometheus text format; not registered where they have a port of their own."""
    return Response(metrics.exposition(parts_of().metrics_dir), content_type=CONTENT_TYPE_LATEST)
