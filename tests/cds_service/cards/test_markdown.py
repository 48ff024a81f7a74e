"""Text from a record stays text, whatever it contains and wherever it is inserted."""

from __future__ import annotations

import html
import re

import cmarkgfm
import pytest
from cmarkgfm.cmark import Options
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from cds_service.cards.markdown import WORD_JOINER, as_line, as_text, bullet, escape, heading
from cds_service.cards.text import clean

MARKDOWN_IT = MarkdownIt("gfm-like", {"html": True, "linkify": True})
PLACES = ("{}", "Result {} of today", "({})", "from {} to {}")

HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<img src=x onerror=alert(1)",
    "</li></ul><iframe src=//evil.example>",
    "<details open ontoggle=alert(1)>",
    "<!-- hidden -->",
    "<?php echo 1 ?>",
    "<![CDATA[x]]>",
    "&lt;b&gt; &#60;b&#62; &amp;lt;",
    "[click](javascript:alert(1))",
    "![x](http://evil.example/x.png)",
    "[ref]: http://evil.example",
    "[ref][ref]",
    "<http://evil.example>",
    "<a@evil.example>",
    "http://evil.example",
    "https://evil.example/?q=1",
    "www.evil.example",
    "ftp://evil.example",
    "mailto:a@evil.example",
    "xmpp:a@evil.example",
    "a@evil.example",
    "@somebody #12 :smile:",
    "# heading",
    "###### heading",
    "- item",
    "+ item",
    "* item",
    "1. item",
    "1) item",
    "123456789. item",
    "> quotation",
    ">quotation",
    "***",
    "---",
    "- - -",
    "===",
    "=",
    "-",
    "```python",
    "~~~",
    "`code`",
    "``code ` code``",
    "*em* **strong** _em_ __strong__",
    "~~gone~~ ~gone~",
    "a | b\n--|--\n1 | 2",
    "| - |",
    ":-: | :-",
    "    indented",
    "line\nline\r\nline\u2028line",
    "line  \nline\\\nline",
    "\\<b>\\[x](y)",
    "ends with backslash\\",
    "a\u202eb\u2066c\u200bd\ufeffe\u00ad",
    "nul \x00 bell \x07 escape \x1b[31m",
    "\u1fefcode\u1fef",
    "\u037e \u212a \uff1cb\uff1e",
    "[ ] task [x] task",
    "[^1]: note[^1]",
    "$x$ ^y^ ==z== ++u++",
    "\U000e0041\U000e0042",
    "www.1.2",
    "10^-4 <5 >= 25 < 5 <= 7",
)

READABLE = (
    "78",
    "0.02",
    "2024-06-03",
    "2024-06-03T08:30",
    "<0.01",
    "< 36",
    "<= 5",
    "> 50",
    ">= 25",
    "B-ALL (Ph+), CD19/CD22 98.5 %",
    "10^-4 and 10^-3",
    "Burkitt's leukaemia, 40 /uL",
    "Dr. Example",
    "≤0.01",
    "78–80",
)


def rendered(markdown: str) -> tuple[str, str]:
    """The HTML of two independent renderers that both let raw HTML through."""
    options = Options.CMARK_OPT_UNSAFE
    return MARKDOWN_IT.render(markdown), cmarkgfm.github_flavored_markdown_to_html(markdown, options)


def assert_only_text(place: str, value: str) -> None:
    markdown = as_line(place.replace("{}", escape(value)))
    expected = place.replace("{}", clean(value)).strip()
    for page in rendered(markdown):
        assert set(re.findall(r"<[^>]*>", page)) <= {"<p>", "</p>"}, page
        assert html.unescape(re.sub(r"<[^>]*>", "", page)).replace(WORD_JOINER, "").strip() == expected, page


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("place", PLACES)
def test_hostile_text_renders_as_itself(place: str, value: str) -> None:
    assert_only_text(place, value)


MARKUP = st.text(
    st.sampled_from("<>&\\`*_{}[]()#+-.!|~:@/=^$'\";,? \t\n0123456789abwx.htps%\u0301\u200b\u202e\U0001f468"),
    max_size=60,
)
FRAGMENTS = st.lists(st.sampled_from(HOSTILE), min_size=1, max_size=4).map(" ".join)
GLUED = st.lists(st.sampled_from(HOSTILE) | st.text(max_size=3), min_size=1, max_size=5).map("".join)
ANY_TEXT = MARKUP | FRAGMENTS | GLUED | st.text(max_size=80)
SHORT_ANY_TEXT = ANY_TEXT.filter(lambda text: len(clean(text)) < 150)


@settings(max_examples=400, deadline=None)
@given(value=SHORT_ANY_TEXT, place=st.sampled_from(PLACES))
@example(value="\ud800", place="{}")
def test_any_text_renders_as_itself(value: str, place: str) -> None:
    assert_only_text(place, value)


@pytest.mark.slow
@settings(max_examples=100_000, deadline=None)
@given(value=SHORT_ANY_TEXT, place=st.sampled_from(PLACES))
def test_any_text_renders_as_itself_at_length(value: str, place: str) -> None:
    assert_only_text(place, value)


@settings(max_examples=200, deadline=None)
@given(ANY_TEXT)
def test_escaped_text_comes_back_from_markdown(value: str) -> None:
    text = clean(value)
    if len(text) < 150:
        assert as_text(bullet(escape(value))).removeprefix("- ") == text


@pytest.mark.parametrize("value", READABLE)
def test_values_of_reports_are_readable_in_the_source(value: str) -> None:
    assert escape(value) == value.replace(":", "&#58;")


def test_long_text_is_cut_before_it_is_escaped() -> None:
    assert escape("*" * 400, limit=5) == "\\*" * 4 + "…"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("78. Next", "78\\. Next"),
        ("78) next", "78\\) next"),
        ("78.5 %", "78.5 %"),
        ("-5 points", "-5 points"),
        ("- 5 points", "\\- 5 points"),
        ("> 50 %", "\\> 50 %"),
        ("**Timing**", "**Timing**"),
    ],
)
def test_a_line_starts_no_block(line: str, expected: str) -> None:
    assert as_line(line) == expected


def test_a_heading_is_bold_text() -> None:
    assert heading("Timing") == "**Timing**"
    assert as_text(heading("Timing")) == "Timing"
