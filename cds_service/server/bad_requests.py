"""Bytes that never become a request: gunicorn refuses them before the application sees anything.

Its own answer is a page of HTML that quotes what it could not read. Here it is an OperationOutcome as for
every other fault (CDS Hooks 2.0, "Use of JSON"), with nothing quoted. Only headers that are
too large are told to a browser as a page: its cookies are what makes them so.
"""

from __future__ import annotations

import re
import socket
import sys

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


_PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Too many cookies</title>'
    "<h1>Your browser sent more than this service reads</h1><p>It holds too many cookies of this site. "
    "Close the browser, or delete the cookies of this site, and open the page again.</p></html>"
)
_WANTS_PAGE = re.compile(rb"^accept:[^\r\n]*text/html", re.IGNORECASE | re.MULTILINE)


def refusal(status: int, reason: str, *, page: bool = False) -> bytes:
    """The whole HTTP answer; ``page``: as HTML."""
    code, words = _WORDS.get(status, _CANNOT_BE_READ)
    issue = {"severity": "error", "code": code, "details": {"text": words}}
    body = _PAGE.encode() if page else orjson.dumps({"resourceType": "OperationOutcome", "issue": [issue]})
    media_type = "text/html" if page else "application/json"
    head = (
        f"HTTP/1.1 {status} {reason}\r\n"
        "Connection: close\r\n"
        f"Content-Type: {media_type}; charset=utf-8\r\n"
        "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n"
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
    page = status == 431 and _comes_from_a_browser(sys.exception())
    util.write_nonblock(client, refusal(status, reason, page=page))


def _comes_from_a_browser(error: BaseException | None) -> bool:
    """Whether the bytes that gunicorn's parser held when it gave up ask for HTML.

    No request came of them, so they are found in the parser's frame; where they are not, the answer is JSON.
    """
    trace = error.__traceback__ if error else None
    while trace is not None:
        held = trace.tb_frame.f_locals.get("data")
        if isinstance(held, bytes) and _WANTS_PAGE.search(held):
            return True
        trace = trace.tb_next
    return False
