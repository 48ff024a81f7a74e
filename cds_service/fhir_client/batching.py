"""Several searches in one FHIR batch, for servers that run its entries in parallel (FHIR R4, "Batch").

A batch is used only where it is configured as faster: a server that works through it one by one
takes longer than separate requests.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec
from msgspec import Raw

from cds_service.fhir_client.paged_search import Found, Sender, follow
from cds_service.fhir_client.queries import Search, page_size, request
from cds_service.fhir_client.searching import read_answer, status_reason
from cds_service.fhir_client.server_connection import Door
from cds_service.fhir_client.transport import Reply, Request
from fhir_mappings.assess import NeedData, has_repeated_member, unknown_need

MEDIA_TYPE = "application/fhir+json"


class _Response(msgspec.Struct, frozen=True):
    status: str = ""


class _Entry(msgspec.Struct):
    response: _Response = _Response()
    resource: Raw = Raw()


class _Bundle(msgspec.Struct, rename="camel"):
    resource_type: str = ""
    type: str = ""
    entry: list[_Entry] = []


_decoder = msgspec.json.Decoder(_Bundle)


def pursue_in_batch(parts: Sequence[Search], door: Door, send: Sender, most: int) -> list[Found] | None:
    """The findings of each search, in order; None when the server does not answer a batch as one."""
    asked = [request(part, door.base, door.record, door.record.detail(part.resource_type)) for part in parts]
    if any(single.method != "GET" for single in asked):
        return None
    reply = send(_batch(asked, door))
    entries = _entries(reply) if isinstance(reply, Reply) and reply.status == 200 else None
    if entries is None or len(entries) != len(parts):
        return None
    return [
        follow(
            _page(entry, part, single.asked_by), single, part, door, send, most, page_size(part, door.record)
        )
        for entry, part, single in zip(entries, parts, asked, strict=True)
    ]


def _batch(asked: Sequence[Request], door: Door) -> Request:
    entries = [
        {"request": {"method": "GET", "url": single.target.removeprefix(door.base.path + "/")}}
        for single in asked
    ]
    body = msgspec.json.encode({"resourceType": "Bundle", "type": "batch", "entry": entries})
    return Request(door.base.path or "/", "POST", body, MEDIA_TYPE, "Bundle")


def _entries(reply: Reply) -> list[_Entry] | None:
    if has_repeated_member(reply.body.removeprefix(b"\xef\xbb\xbf")):
        return None
    try:
        bundle = _decoder.decode(reply.body.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if bundle.resource_type != "Bundle" or bundle.type != "batch-response":
        return None
    return bundle.entry


def _page(entry: _Entry, part: Search, asked_by: str) -> NeedData:
    code = entry.response.status.strip()[:3]
    if code != "200":
        return unknown_need(status_reason(int(code)) if re.fullmatch("[1-5][0-9]{2}", code) else "malformed")
    return read_answer(bytes(entry.resource), part, asked_by=asked_by)
