"""The body of a reply: bounded while it is unpacked, never after."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Protocol

CHUNK = 64 * 1024
_GZIP = 16 + zlib.MAX_WBITS


class TooLarge(Exception):
    """The unpacked body is larger than admitted."""


class Undecodable(Exception):
    """The body is cut, or packed in a way that was not asked for."""


class RawBody(Protocol):
    """The undecoded byte stream of a reply (urllib3's response)."""

    def read(self, amt: int | None = None, decode_content: bool | None = None) -> bytes: ...


def read_body(raw: RawBody, coding: str, limit: int) -> bytes:
    """All bytes of a reply with Content-Encoding ``coding``, at most ``limit`` of them unpacked.

    Raises ``TooLarge``, ``Undecodable``, and whatever the stream raises.
    """
    named = coding.strip().lower()
    if named in ("", "identity"):
        return _plain(raw, limit)
    if named in ("gzip", "x-gzip"):
        return _unzipped(raw, limit)
    raise Undecodable("a content coding that was not asked for")


def unpacked(raw: RawBody, coding: str, limit: int) -> Iterator[bytes]:
    """The same in parts, as they come, for a body that is not held. Raises as ``read_body``."""
    named = coding.strip().lower()
    if named not in ("", "identity", "gzip", "x-gzip"):
        raise Undecodable("a content coding that was not asked for")
    unpacker = zlib.decompressobj(_GZIP) if "gzip" in named else None
    size = 0
    while chunk := raw.read(CHUNK, decode_content=False):
        while chunk:
            part, chunk = chunk, b""
            if unpacker is not None:
                unpacker = zlib.decompressobj(_GZIP) if unpacker.eof else unpacker
                try:
                    part, packed = unpacker.decompress(part, CHUNK), part
                except zlib.error:
                    raise Undecodable("not gzip") from None
                chunk = unpacker.unconsumed_tail or unpacker.unused_data
                if not part and chunk == packed:
                    raise Undecodable("not gzip")
            size += len(part)
            if size > limit:
                raise TooLarge
            if part:
                yield part
    if unpacker is not None and not unpacker.eof:
        raise Undecodable("the gzip stream is cut")


def _plain(raw: RawBody, limit: int) -> bytes:
    body = bytearray()
    while chunk := raw.read(CHUNK, decode_content=False):
        body += chunk
        if len(body) > limit:
            raise TooLarge
    return bytes(body)


def _unzipped(raw: RawBody, limit: int) -> bytes:
    body = bytearray()
    unpacker = zlib.decompressobj(_GZIP)
    while chunk := raw.read(CHUNK, decode_content=False):
        while chunk:
            if unpacker.eof:
                unpacker = zlib.decompressobj(_GZIP)
            try:
                body += unpacker.decompress(chunk, limit + 1 - len(body))
            except zlib.error:
                raise Undecodable("not gzip") from None
            if len(body) > limit:
                raise TooLarge
            chunk = unpacker.unconsumed_tail or unpacker.unused_data
    if not unpacker.eof:
        raise Undecodable("the gzip stream is cut")
    return bytes(body)
