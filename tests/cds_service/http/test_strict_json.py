"""JSON that two parsers could read differently is refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.http.strict_json import AmbiguousJson, read_object

REFUSED = {
    "empty": b"",
    "list": b"[]",
    "null": b"null",
    "number": b"7",
    "duplicate": b'{"a": 1, "a": 2}',
    "duplicate by escape": b'{"a": 1, "\\u0061": 2}',
    "duplicate inside": b'{"a": {"b": 1, "b": 1}}',
    "NaN": b'{"a": NaN}',
    "infinity": b'{"a": -Infinity}',
    "overflow": b'{"a": 1e999}',
    "33 digits": b'{"a": ' + b"1" * 33 + b"}",
    "5000 digits": b'{"a": ' + b"1" * 5000 + b"}",
    "deep": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "deep list": b'{"a":' + b"[" * 990 + b"]" * 990 + b"}",
    "half surrogate": b'{"a": "\\ud800"}',
    "half surrogate name": b'{"\\udfff": 1}',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "byte order mark": b'\xef\xbb\xbf{"a": 1}',
    "invalid UTF-8": b'{"a": "\xff"}',
    "overlong UTF-8": b'{"a": "\xc0\xaf"}',
    "trailing": b'{"a": 1} {}',
    "trailing comma": b'{"a": 1,}',
    "comment": b'{"a": 1} // x',
    "single quotes": b"{'a': 1}",
    "control character": b'{"a": "\n"}',
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED.keys())
def test_refused(data: bytes) -> None:
    with pytest.raises(AmbiguousJson):
        read_object(data)


_TEXT = st.text(st.characters(exclude_categories=["Cs"]))
_LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _TEXT
)
_VALUES = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4)
)


@given(st.dictionaries(_TEXT, _VALUES))
def test_any_unambiguous_object_is_read_as_it_is(value: dict[str, object]) -> None:
    assert read_object(json.dumps(value).encode()) == value
    assert read_object(json.dumps(value, ensure_ascii=False).encode()) == value


@given(st.binary(max_size=200))
def test_any_bytes_are_an_object_or_refused(data: bytes) -> None:
    try:
        assert isinstance(read_object(data), dict)
    except AmbiguousJson:
        pass
