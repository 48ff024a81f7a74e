"""Bodies are bounded while they are unpacked."""

from __future__ import annotations

import gzip
import io

import pytest

from cds_service.fhir_client.bodies import TooLarge, Undecodable, read_body


class Raw(io.BytesIO):
    """An undecoded stream that counts what was taken from it."""

    taken = 0

    def read(self, amt: int | None = None, decode_content: bool | None = None) -> bytes:
        data = super().read(amt)
        self.taken += len(data)
        return data


@pytest.mark.parametrize("coding", ["", "identity", "IDENTITY"])
def test_plain_bodies(coding: str) -> None:
    assert read_body(Raw(b"abc"), coding, 3) == b"abc"
    with pytest.raises(TooLarge):
        read_body(Raw(b"abcd"), coding, 3)


def test_a_plain_flood_is_left_early() -> None:
    flood = Raw(b"x" * 10_000_000)
    with pytest.raises(TooLarge):
        read_body(flood, "", 1000)
    assert flood.taken < 100_000


@pytest.mark.parametrize("size", [0, 1, 1000, 1_000_000])
def test_zipped_bodies(size: int) -> None:
    assert read_body(Raw(gzip.compress(b"x" * size, mtime=0)), "gzip", size) == b"x" * size


def test_several_members_are_one_body() -> None:
    assert (
        read_body(Raw(gzip.compress(b"ab", mtime=0) + gzip.compress(b"cd", mtime=0)), "x-gzip", 10) == b"abcd"
    )


def test_a_bomb_is_left_early() -> None:
    bomb = Raw(gzip.compress(b"0" * 50_000_000, 9, mtime=0))
    with pytest.raises(TooLarge):
        read_body(bomb, "gzip", 10_000)
    assert bomb.taken <= 65_536


@pytest.mark.parametrize(
    ("data", "coding"),
    [
        (gzip.compress(b"abc", mtime=0)[:-1], "gzip"),
        (b"not gzip", "gzip"),
        (b"", "gzip"),
        (b"abc", "br"),
        (b"abc", "gzip, gzip"),
        (gzip.compress(b"abc", mtime=0) + b"trailing", "gzip"),
    ],
)
def test_cut_or_foreign_codings_are_undecodable(data: bytes, coding: str) -> None:
    with pytest.raises(Undecodable):
        read_body(Raw(data), coding, 1000)
