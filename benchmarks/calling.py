"""One call of a WSGI application in this process: no socket, no server, the same for every application."""

from __future__ import annotations

import io
from typing import Any
from wsgiref.types import WSGIApplication

PATH = "/cds-services/all-relapse"


def call(app: WSGIApplication, body: bytes) -> bytes:
    """The body of the answer. Raises AssertionError for any status but 200: a refusal is cheap."""
    statuses: list[str] = []

    def start_response(status: str, headers: Any, exc_info: Any = None) -> Any:
        statuses.append(status)
        return lambda _: None

    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": PATH,
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8080",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "127.0.0.1:8080",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    answer = app(environ, start_response)
    try:
        found = b"".join(answer)
    finally:
        close = getattr(answer, "close", None)
        if close is not None:
            close()
    if statuses != ["200 OK"]:
        raise AssertionError(f"answered {statuses}, not 200")
    return found
