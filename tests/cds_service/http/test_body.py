"""A body that comes in pieces."""

from __future__ import annotations

from io import BytesIO

from flask import Request

from cds_service.http.body import read_bytes


class Slow(BytesIO):
    """Gives a few bytes at a time, as a socket may."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(min(3, size) if size and size > 0 else 3)


def test_a_body_in_pieces_is_read_whole() -> None:
    data = b'{"hook":"patient-view"}'
    environ = {
        "REQUEST_METHOD": "POST",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(data)),
        "wsgi.input": Slow(data),
    }
    assert read_bytes(Request(environ), 1000) == data
