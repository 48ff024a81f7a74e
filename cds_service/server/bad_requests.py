"""Bytes that never become a request: gunicorn refuses them before the application sees anything.

Its own answer is a page of HTML that quotes what it could not read. Here it is an OperationOutcome as for
every other fault (CDS Hooks 2.0, "Use of JSON"), with nothing quoted.
"""

from __future__ import annotations

import socket

import orjson
from gunicorn import util

from cds_service.observability import metrics

PROBLEM = "unreadable-request"
_CANNOT_BE_READ = ("structure", "The request cannot be read as HTTP.")
_WORDS = {
    403: ("forbidden", "The caller may not do this."),
    414: ("too-long", "The address is longer than this service reads."),
    417: ("not-supported", "Nothing is expected here but 100-continue."),
    431: ("too-long", "The headers are larger than this service reads."),
    500: ("exception", "The service failed. Nothing was evaluated."),
    501: ("not-supported", "The body comes in a transfer coding that this service does not read."),
}


def refusal(status: int, reason: str) -> bytes:
    """The whole HTTP answer."""
    code, words = _WORDS.get(status, _CANNOT_BE_READ)
    issue = {"severity": "error", "code": code, "details": {"text": words}}
    body = orjson.dumps({"resourceType": "OperationOutcome", "issue": [issue]})
    head = (
        f"HTTP/1.1 {status} {reason}\r\n"
        "Connection: close\r\n"
        "Content-Type: application/json; charset=utf-8\r\n"
        "Cache-Control: no-store\r\n"
        "X-Content-Type-Options: nosniff\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode("ascii") + body


def answer_in_json() -> None:
    """From now on gunicorn answers so in this process; it has no setting for it."""
    util.write_error = _write_error


def _write_error(client: socket.socket, status: int, reason: str, _quoted: str) -> None:
    metrics.refused(PROBLEM, status)
    util.write_nonblock(client, refusal(status, reason))
