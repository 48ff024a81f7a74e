"""Cleaning and cutting of text."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cds_service.cards.text import clean, shorten, utf16_length


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  marrow \t blasts\r\n78 % ", "marrow blasts 78 %"),
        ("a\u2028b\u00a0c\u3000d\x85e", "a b c d e"),
        ("a\x00b\x07c\x7fd", "abcd"),
        ("a\u202eb\u2066c\u200bd\u200de\ufefff\u00adg\U000e0041h", "abcdefgh"),
        ("e\u0301", "é"),
        ("a\u200d\u0301", "á"),
        ("half \ud83d", "half"),
        ("private \ue000 and \uffff", "private and"),
        ("", ""),
    ],
)
def test_cleans_to_one_visible_line(text: str, expected: str) -> None:
    assert clean(text) == expected


@given(st.text(st.characters()))
def test_cleaned_text_is_stable_and_can_be_encoded(text: str) -> None:
    once = clean(text)
    assert clean(once) == once
    assert once.encode().decode() == once
    assert unicodedata.is_normalized("NFC", once)


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("short", 5, "short"),
        ("one two three", 9, "one two…"),
        ("one, two three", 8, "one…"),
        ("onetwothree", 7, "onetwo…"),
        ("a veryverylongword", 10, "a veryver…"),
        ("\U0001f469" * 4, 7, "\U0001f469" * 3 + "…"),
        ("aaaa" + "e\u0323\u0307" * 3, 7, "aaaa…"),
        ("aaa\U0001f44d\U0001f3fdbbb", 7, "aaa…"),
    ],
)
def test_cuts_where_a_reader_would(text: str, limit: int, expected: str) -> None:
    assert shorten(text, limit) == expected


DANGLING = " ,;:.-–(/"
WORD = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.just("x\u0301\u0323")
WORDS = st.lists(WORD, max_size=30)


@settings(max_examples=300)
@given(WORDS.map(" ".join), st.integers(min_value=2, max_value=139))
@example("\u0301" * 200, 10)
def test_a_cut_fits_and_splits_nothing(text: str, limit: int) -> None:
    text = clean(text)
    cut = shorten(text, limit)
    assert utf16_length(cut) == len(cut.encode("utf-16-le")) // 2 <= limit
    if cut != text:
        head = cut.removesuffix("…")
        assert text.startswith(head)
        assert not head or text[len(head)] in DANGLING or unicodedata.category(text[len(head)])[0] != "M"
