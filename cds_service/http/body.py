"""The body of a request from the socket to bytes, once, within the size that is admitted."""

from __future__ import annotations

from flask import Request

from cds_service.http.problem import Problem, Refusal

JSON_TYPES = frozenset({"application/json", "application/fhir+json", "application/json+fhir"})
_CHUNK = 65_536


def read_bytes(request: Request, most: int) -> bytes:
    """The body as it came.

    Raises Refusal: wrong-media-type, coded-body, too-large, or malformed-body where it ends too early.
    """
    _check_media_type(request)
    length = request.content_length
    if length is not None and length > most:
        raise Refusal(Problem.TOO_LARGE, f"at most {most} bytes")
    stream = request.environ["wsgi.input"]
    try:
        if length is None:
            return _read_chunked(request, most)
        body: bytes = stream.read(length)
        while len(body) < length and (more := stream.read(length - len(body))):
            body += more
    except Refusal:
        raise
    except Exception:
        # Servers raise errors of their own for a broken transfer.
        raise Refusal(Problem.MALFORMED_BODY, "the body could not be received") from None
    if len(body) < length:
        raise Refusal(Problem.MALFORMED_BODY, "the body is shorter than Content-Length")
    return body


def _read_chunked(request: Request, most: int) -> bytes:
    if not request.environ.get("wsgi.input_terminated"):
        return b""
    stream, body = request.environ["wsgi.input"], bytearray()
    while part := stream.read(_CHUNK):
        body += part
        if len(body) > most:
            raise Refusal(Problem.TOO_LARGE, f"at most {most} bytes")
    return bytes(body)


def _check_media_type(request: Request) -> None:
    if request.headers.get("Content-Encoding", "identity").strip().lower() not in ("identity", ""):
        raise Refusal(Problem.CODED_BODY)
    if request.mimetype not in JSON_TYPES:
        raise Refusal(Problem.WRONG_MEDIA_TYPE)
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if charset not in ("utf-8", "utf8", "us-ascii"):
        raise Refusal(Problem.WRONG_MEDIA_TYPE)
