"""What a FHIR server's answer means: entries, the next page, or the reason why it means nothing.

Nothing here guesses in favour of "no data": every answer that is not a readable R4 searchset without
errors becomes a reason (FHIR R4, "Search", "Managing Returned Resources" and "OperationOutcome").
"""

from __future__ import annotations

import re
from dataclasses import replace

from cds_service.fhir_client.queries import Search, asked_for, question_of
from cds_service.fhir_client.transport import Failed, Reply
from fhir_mappings.assess import (
    DATA_EMPTY,
    DATA_PRESENT,
    Decoded,
    Entry,
    Malformed,
    NeedData,
    Resource,
    Unreadable,
    decode,
    is_result,
    judge_answer,
    understood,
    unknown_need,
)

_BOM = b"\xef\xbb\xbf"
_REASONS = {401: "unauthorised", 403: "forbidden", 404: "not-found", 410: "not-found", 413: "too-large"}
_VERSION = re.compile(r"fhirversion\s*=\s*\"?([0-9.]+)", re.IGNORECASE)
_R4 = ("4.0", "4.1", "4.3")


def interpret(reply: Reply | Failed, search: Search, asked_by: str = "") -> NeedData:
    """The page of a reply to ``search``. ``asked_by`` names the parameter with its codes, if one had them."""
    if isinstance(reply, Failed):
        return unknown_need(reply.reason)
    if reply.status != 200:
        return unknown_need(status_reason(reply.status))
    return read_answer(reply.body, search, reply.headers.get("content-type", ""), asked_by)


def status_reason(status: int) -> str:
    """The reason that stands for an HTTP status other than 200."""
    if status == 204:
        return "not-fhir"
    if 300 <= status < 400:
        return "refused"
    return _REASONS.get(status, "server-error")


def read_answer(body: bytes, search: Search, content_type: str = "", asked_by: str = "") -> NeedData:
    """The page in a body, whatever its media type is called, if it is FHIR R4 JSON."""
    version = _VERSION.search(content_type)
    if version and not version[1].startswith(_R4):
        return unknown_need("wrong-version")
    data = body.removeprefix(_BOM)
    if not data.lstrip()[:1] == b"{":
        return unknown_need("not-fhir" if b"<" in data[:512] or not data.strip() else "malformed")
    try:
        decoded = decode(data)
    except Malformed:
        return unknown_need("malformed")
    return _of_resource(decoded, search, asked_by)


def _of_resource(decoded: Decoded, search: Search, asked_by: str) -> NeedData:
    resource = decoded.resource
    if resource.resource_type is None:
        named = any(item.resource_type for item in decoded.unreadable)
        return unknown_need("unreadable" if named else "not-fhir", decoded.unreadable)
    if resource.resource_type not in ("Bundle", "OperationOutcome") and not _is_read(resource, search):
        return unknown_need("not-fhir", decoded.unreadable)
    found = judge_answer(_looked_through(decoded), question_of(search, asked_by))
    matching = [entry for entry in found.entries if _is_match(entry, search)]
    state = DATA_EMPTY if found.state == DATA_PRESENT and not matching else found.state
    return replace(
        found,
        state=state,
        entries=matching,
        unreadable=tuple(item for item in found.unreadable if _of_type(item, search)),
    )


def _looked_through(decoded: Decoded) -> Decoded:
    """A result that cannot be understood is known as such now, while there is still somebody to ask."""
    resource = decoded.resource
    if resource.resource_type != "Bundle":
        return decoded
    readable, lost = understood(resource.entry or ())
    resource.entry = readable
    return Decoded(resource, (*decoded.unreadable, *lost))


def _is_read(resource: Resource, search: Search) -> bool:
    return search.is_read and resource.resource_type == search.resource_type


def _is_match(entry: Entry, search: Search) -> bool:
    resource = entry.resource
    if resource is None or search.resource_type not in ("", resource.resource_type):
        return False
    return is_result(entry) and asked_for(search, resource)


def _of_type(item: Unreadable, search: Search) -> bool:
    return not item.resource_type or search.resource_type in ("", item.resource_type)
