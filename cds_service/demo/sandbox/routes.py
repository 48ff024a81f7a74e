"""The sandbox over HTTP: a Flask blueprint (FHIR R4 http)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.utils import format_datetime
from time import sleep as pause
from typing import Any

from flask import Blueprint, Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from cds_service.demo.sandbox.access import Access
from cds_service.demo.sandbox.bundles import process
from cds_service.demo.sandbox.capability import capability_statement
from cds_service.demo.sandbox.json_text import decode_object, encode
from cds_service.demo.sandbox.outcomes import FhirError, JsonObject, not_found
from cds_service.demo.sandbox.repository import Stored
from cds_service.demo.sandbox.server import Sandbox

MEDIA_TYPE = "application/fhir+json"
_FORM = "application/x-www-form-urlencoded"
_DRIP_BYTES = 256
_MAXIMUM_BYTES = 16 * 1024 * 1024


def sandbox_blueprint(sandbox: Sandbox, date: str) -> Blueprint:
    """The blueprint to be mounted at ``/demo/fhir``. ``date`` goes into /metadata."""
    routes = Blueprint("demo_sandbox", __name__)
    interactions = _Interactions(sandbox)
    routes.before_request(interactions.fault)
    routes.register_error_handler(FhirError, interactions.refusal)

    def metadata() -> Response:
        return interactions.reply(capability_statement(sandbox.base, date))

    def unknown(rest: str = "") -> Response:
        raise not_found("The address")

    add = routes.add_url_rule
    add("/metadata", "metadata", metadata, methods=["GET"])
    add("/", "base", interactions.bundle, methods=["POST"], strict_slashes=False)
    add("/<kind>", "search", interactions.search, methods=["GET"])
    add("/<kind>", "create", interactions.create, methods=["POST"])
    add("/<kind>/_search", "search_form", interactions.search, methods=["POST"])
    add("/<kind>/<name>", "read", interactions.read, methods=["GET"])
    add("/<kind>/<name>", "update", interactions.update, methods=["PUT"])
    add("/", "no_search", unknown, methods=["GET", "PUT", "PATCH", "DELETE"], strict_slashes=False)
    add("/<path:rest>", "unknown", unknown, methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    return routes


class _Interactions:
    """The request handlers of one sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def fault(self) -> None:
        """The faults that hit a request before it is looked at."""
        faults = self._sandbox.repository.faults.now
        if faults.slow_seconds > 0:
            pause(faults.slow_seconds)
        if faults.down:
            raise FhirError(503, "transient", "The server is down. Try again later.")

    def search(self, kind: str) -> Response:
        """Type search by GET, or by POST to _search with the parameters in URL and form."""
        if request.method == "POST" and request.mimetype not in ("", _FORM):
            raise FhirError(415, "not-supported", f"Send the parameters as {_FORM}.")
        pairs = [*request.args.items(multi=True), *request.form.items(multi=True)]
        access, strict = self._access(), _prefers("handling=strict")
        return self.reply(self._sandbox.search(kind, pairs, access, strict=strict))

    def read(self, kind: str, name: str) -> Response:
        """Read of one resource."""
        return self._stored(self._sandbox.read(kind, name, self._access()), 200)

    def create(self, kind: str) -> Response:
        """Create; the server chooses the id."""
        access = self._access()
        resource = self._body()
        if resource.get("resourceType") != kind:
            raise FhirError(400, "invalid", "resourceType of the resource must be the type of the address.")
        return self._stored(self._sandbox.create(resource, access), 201)

    def update(self, kind: str, name: str) -> Response:
        """Update, or create under the given id."""
        access = self._access()
        stored = self._sandbox.update(kind, name, self._body(), access)
        return self._stored(stored, 201 if stored.version == 1 else 200)

    def bundle(self) -> Response:
        """Batch or transaction."""
        access = self._access()
        return self.reply(process(self._sandbox, self._body(), access))

    def refusal(self, refused: FhirError) -> Response:
        """The OperationOutcome of a refused request."""
        response = self.reply(refused.outcome(), refused.status)
        if refused.status == 401:
            response.headers["WWW-Authenticate"] = "Bearer"
        return response

    def reply(self, resource: JsonObject, status: int = 200) -> Response:
        """A response with a FHIR resource as its body."""
        body = encode(resource)
        seconds = self._sandbox.repository.faults.now.drip_seconds
        content: Any = self._drip(body, seconds) if seconds > 0 else body
        response = Response(content, status, mimetype=MEDIA_TYPE)
        response.headers["Content-Type"] = MEDIA_TYPE
        response.headers["Cache-Control"] = "no-store"
        return response

    def _access(self) -> Access:
        return self._sandbox.tokens.check(request.headers.get("Authorization"))

    def _body(self) -> JsonObject:
        if request.mimetype not in (MEDIA_TYPE, "application/json"):
            raise FhirError(415, "not-supported", f"Send the body as {MEDIA_TYPE}.")
        request.max_content_length = _MAXIMUM_BYTES
        try:
            return decode_object(request.get_data())
        except RequestEntityTooLarge:
            raise FhirError(413, "too-long", f"A body may have at most {_MAXIMUM_BYTES} bytes.") from None

    def _stored(self, stored: Stored, status: int) -> Response:
        response = self.reply(stored.resource, status)
        response.headers["ETag"] = stored.etag
        response.headers["Last-Modified"] = format_datetime(stored.last_updated, usegmt=True)
        if status == 201:
            location = f"{self._sandbox.base}/{stored.reference}/_history/{stored.version}"
            response.headers["Location"] = location
        return response

    def _drip(self, body: bytes, seconds: float) -> Iterator[bytes]:
        for start in range(0, len(body), _DRIP_BYTES):
            yield body[start : start + _DRIP_BYTES]
            pause(seconds)


def _prefers(wish: str) -> bool:
    """Whether the Prefer header (RFC 7240) holds that wish."""
    return wish in re.split(r"[\s,;]+", ",".join(request.headers.getlist("Prefer")))
