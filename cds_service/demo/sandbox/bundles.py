"""Batch and transaction Bundles posted to the base (FHIR R4 http, 3.1.0.11)."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

from cds_service.demo.sandbox.access import Access
from cds_service.demo.sandbox.outcomes import FhirError, JsonObject, invalid
from cds_service.demo.sandbox.repository import Stored
from cds_service.demo.sandbox.server import Sandbox

_MAXIMUM_ENTRIES = 2000


def process(sandbox: Sandbox, bundle: JsonObject, access: Access) -> JsonObject:
    """The response Bundle of a batch or a transaction.

    A batch takes GET, POST and PUT; every entry stands for itself. A transaction takes POST and PUT,
    is stored as a whole or not at all, and ``urn:uuid`` references between its entries are rewritten.

    Raises:
        FhirError: 400 for any other Bundle; for a transaction also what its first bad entry raises.
    """
    kind = bundle.get("type")
    entries = bundle.get("entry", [])
    if bundle.get("resourceType") != "Bundle" or kind not in ("batch", "transaction"):
        raise invalid("Send a Bundle of type batch or transaction to the base of the server.")
    if not isinstance(entries, list) or len(entries) > _MAXIMUM_ENTRIES:
        raise invalid(f"entry must be a list of at most {_MAXIMUM_ENTRIES} entries.")
    run = _transaction if kind == "transaction" else _batch
    response: JsonObject = {"resourceType": "Bundle", "type": f"{kind}-response"}
    answers = run(sandbox, entries, access)
    return response | ({"entry": answers} if answers else {})


def _batch(sandbox: Sandbox, entries: list[Any], access: Access) -> list[JsonObject]:
    return [_batch_entry(sandbox, entry, access) for entry in entries]


def _batch_entry(sandbox: Sandbox, entry: Any, access: Access) -> JsonObject:
    try:
        method, url = _request(entry)
        if method == "GET":
            return {"resource": _get(sandbox, url, access), "response": {"status": "200 OK"}}
        resource = _with_id(method, url, _resource(entry))
        return _stored_entry(sandbox, sandbox.repository.write([sandbox.acceptable(resource, access)])[0])
    except FhirError as refusal:
        return {"response": {"status": str(refusal.status), "outcome": refusal.outcome()}}


def _get(sandbox: Sandbox, url: str, access: Access) -> JsonObject:
    parts = urlsplit(url.removeprefix(f"{sandbox.base}/"))
    steps = parts.path.split("/")
    if len(steps) == 1 and not parts.scheme:
        return sandbox.search(steps[0], parse_qsl(parts.query, keep_blank_values=True), access)
    if len(steps) == 2 and not parts.scheme and not parts.query:
        return sandbox.read(steps[0], steps[1], access).resource
    raise invalid("request.url must be a read such as Patient/x or a search such as Observation?patient=x.")


def _transaction(sandbox: Sandbox, entries: list[Any], access: Access) -> list[JsonObject]:
    prepared: list[JsonObject] = []
    renamed: dict[str, str] = {}
    for number, entry in enumerate(entries):
        method, url = _request(entry)
        if method == "GET":
            raise invalid(f"entry[{number}]: a transaction takes POST and PUT here. Send reads as a batch.")
        resource = _with_id(method, url, _resource(entry))
        prepared.append(resource)
        full_url = entry.get("fullUrl")
        if isinstance(full_url, str) and full_url.startswith("urn:uuid:"):
            renamed[full_url] = f"{resource.get('resourceType')}/{resource['id']}"
    places = [(resource.get("resourceType"), resource["id"]) for resource in prepared]
    if len(set(places)) < len(places):
        raise invalid("Two entries of the transaction have the same identity.")
    checked = [sandbox.acceptable(_rewritten(resource, renamed), access) for resource in prepared]
    return [_stored_entry(sandbox, stored) for stored in sandbox.repository.write(checked)]


def _request(entry: Any) -> tuple[str, str]:
    request = entry.get("request") if isinstance(entry, dict) else None
    method, url = (request.get("method"), request.get("url")) if isinstance(request, dict) else (None, None)
    if method not in ("GET", "POST", "PUT") or not isinstance(url, str):
        raise invalid("An entry needs request.url and request.method GET, POST or PUT.")
    return method, url.removeprefix("/")


def _resource(entry: JsonObject) -> JsonObject:
    resource = entry.get("resource")
    if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
        raise invalid("An entry to be stored needs a resource with its resourceType.")
    return resource


def _with_id(method: str, url: str, resource: JsonObject) -> JsonObject:
    """The resource with the id it will have: its own for PUT, a new one for POST."""
    if method == "POST" and url == resource["resourceType"]:
        return {**resource, "id": str(uuid4())}
    if method == "PUT" and url == f"{resource['resourceType']}/{resource.get('id')}":
        return resource
    raise invalid("request.url must be the type for POST, and type and id of the resource for PUT.")


def _rewritten(value: Any, renamed: dict[str, str]) -> Any:
    """The value with every ``reference`` to a renamed entry pointing to its new place."""
    if isinstance(value, dict):
        copy = {name: _rewritten(item, renamed) for name, item in value.items()}
        if isinstance(copy.get("reference"), str):
            copy["reference"] = renamed.get(copy["reference"], copy["reference"])
        return copy
    if isinstance(value, list):
        return [_rewritten(item, renamed) for item in value]
    return value


def _stored_entry(sandbox: Sandbox, stored: Stored) -> JsonObject:
    return {
        "fullUrl": f"{sandbox.base}/{stored.reference}",
        "response": {
            "status": "201 Created" if stored.version == 1 else "200 OK",
            "location": f"{stored.reference}/_history/{stored.version}",
            "etag": stored.etag,
            "lastModified": stored.resource["meta"]["lastUpdated"],
        },
    }
