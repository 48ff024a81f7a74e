"""``GET /cds-services/{id}/source-attributes``: JSON for programs, a page for people, no token needed."""

from __future__ import annotations

import orjson
from flask import Blueprint, Response, request

from cds_service.api.problems import JSON
from cds_service.app_state import parts_of
from cds_service.http.problem import Problem, Refusal
from cds_service.pages.rendering import page

attributes = Blueprint("source_attributes", __name__)

_JSON = "application/json"
_HTML = "text/html"


@attributes.get("/cds-services/<service_id>/source-attributes")
def show(service_id: str) -> Response:
    """The 13 and the 31 attributes."""
    parts = parts_of()
    if service_id not in parts.services:
        raise Refusal(Problem.UNKNOWN_PATH)
    document = parts.attributes
    as_page = request.accept_mimetypes.best_match([_JSON, _HTML], default=_JSON) == _HTML
    if as_page:
        response = page("pages/source_attributes.html", document=document)
    else:
        response = Response(orjson.dumps(document.as_json()), 200, content_type=JSON)
    response.vary.add("Accept")
    response.headers["Cache-Control"] = "no-cache"
    response.set_etag(f"{document.digest}{'-page' if as_page else ''}")
    response.make_conditional(request)
    return response
