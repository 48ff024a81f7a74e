"""Attachments to text: plain text, HTML, RTF, PDF with a text layer. Others are named, not read.

An attachment costs only itself: whatever is wrong with it becomes a reason and never an exception, and size,
pages, time and what it unpacks to are bounded.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import io
import logging
import re
import time
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pypdf

MAX_ATTACHMENT_BYTES = 5_000_000
"""Of one attachment as it is stored."""
MAX_CHARACTERS = 200_000
"""Of the text of one attachment; what comes after is not read, and said so."""
MAX_PAGES = 40
MAX_UNPACKED = 8_000_000
"""Bytes that one stream of a PDF may unpack to."""
MAX_OPERATIONS = 200_000
"""Drawing operations of a PDF that are gone through."""
MAX_SECONDS = 2.0
"""For the pages of one PDF; a page that is begun is finished."""

_CHARSET = re.compile(r"charset\s*=\s*\"?([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)
_BLOCKS = frozenset(
    "p div br tr li ul ol h1 h2 h3 h4 h5 h6 table thead tbody section article header footer dt dd pre hr"
    " blockquote".split()
)
_UNSEEN = frozenset({"script", "style", "head", "title", "template", "noscript"})
_SPACES = re.compile(r"[ \t\r\f\v]+")
_WORD = ("application/msword", "application/vnd.openxmlformats", "application/vnd.oasis")


@dataclass(frozen=True, slots=True)
class AttachmentText:
    """The text of an attachment; ``reason`` says why it is missing or not whole.

    Reasons: ``empty``, ``too-large``, ``encrypted``, ``malformed``, ``scanned``, ``not-readable``, ``cut``.
    """

    text: str
    reason: str = ""


def decode_base64(data: str) -> bytes | None:
    """The bytes of FHIR base64Binary, white space allowed; None where it is none or far too large."""
    if len(data) > MAX_ATTACHMENT_BYTES * 3 // 2:
        return None
    try:
        return base64.b64decode("".join(data.split()), validate=True)
    except (binascii.Error, ValueError):
        return None


def text_of(content: bytes, content_type: str) -> AttachmentText:
    """The text of an attachment by its content type, or by its first bytes where the type says nothing."""
    if not content.strip():
        return AttachmentText("", "empty")
    if len(content) > MAX_ATTACHMENT_BYTES:
        return AttachmentText("", "too-large")
    kind = _kind(content, content_type)
    try:
        if kind == "pdf":
            return _pdf(content)
        if kind == "rtf":
            return _cut(_rtf(_decoded(content, content_type)))
        if kind == "html":
            return _cut(_html(_decoded(content, content_type)))
        if kind == "text":
            return _cut(_decoded(content, content_type))
    except Exception:  # a hostile file may raise anything its library does not foresee
        return AttachmentText("", "malformed")
    return AttachmentText("", "not-readable")


def _kind(content: bytes, content_type: str) -> str:
    stated = content_type.partition(";")[0].strip().lower()
    head = content[:1024].lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.startswith(b"%PDF"):
        return "pdf"
    if head.startswith(b"{\\rtf"):
        return "rtf"
    if stated in ("text/html", "application/xhtml+xml") or head[:15].lower().startswith(
        (b"<!doctype html", b"<html")
    ):
        return "html"
    if stated == "application/pdf":
        return "pdf"
    if stated in ("text/rtf", "application/rtf"):
        return "rtf"
    if stated.startswith(("image/", "audio/", "video/", *_WORD)) or head.startswith(
        (b"PK\x03\x04", b"\xd0\xcf")
    ):
        return "other"
    if stated.startswith("text/") or (stated in ("", "application/octet-stream") and b"\x00" not in head):
        return "text"
    return "other"


def _decoded(content: bytes, content_type: str) -> str:
    """The characters, by the mark of order, the stated charset, UTF-8, else the one that always fits."""
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if content.startswith(mark):
            return content.decode(name, "replace")
    stated = _CHARSET.search(content_type)
    for name in (stated[1] if stated else "", "utf-8"):
        try:
            if name:
                return content.decode(name)
        except (LookupError, UnicodeDecodeError):
            continue
    return content.decode("cp1252", "replace")


def _cut(text: str) -> AttachmentText:
    text = text.replace("\x00", " ")
    if not text.strip():
        return AttachmentText("", "empty")
    return AttachmentText(text[:MAX_CHARACTERS], "cut" if len(text) > MAX_CHARACTERS else "")


class _Extractor(HTMLParser):
    """Text with a line for each block and a tab between the cells of a row."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._unseen = 0
        self._cells = 0
        self._kept = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN:
            self._unseen += 1
        elif tag == "tr":
            self._cells = 0
            self._end_line()
        elif tag in ("td", "th"):
            if self._cells:
                self.parts.append("\t")
            self._cells += 1
        elif tag in _BLOCKS:
            # A block within a cell does not end its row.
            self.parts.append(" " if self._cells else "\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        elif tag in ("tr", "table"):
            self._cells = 0
            self._end_line()
        elif tag in _BLOCKS:
            self.parts.append(" " if self._cells else "\n")

    def _end_line(self) -> None:
        if self.parts and not self.parts[-1].endswith("\n"):
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if self._unseen or self._kept > MAX_CHARACTERS:
            return
        self._kept += len(data)
        self.parts.append(_SPACES.sub(" ", data.replace("\n", " ")))


def html_text(markup: str) -> str:
    """The text of HTML or of a FHIR narrative, rows of tables kept as lines with tabs."""
    extractor = _Extractor()
    extractor.feed(markup)
    extractor.close()
    lines = ("".join(extractor.parts)).split("\n")
    kept = [line.strip(" ") for line in lines]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip("\n")


_html = html_text


def _rtf(markup: str) -> str:
    from striprtf.striprtf import rtf_to_text  # loaded only where a report of that kind is opened

    return str(rtf_to_text(markup, errors="ignore"))  # type: ignore[no-untyped-call]


def _pdf(content: bytes) -> AttachmentText:
    # Loaded only where a PDF is opened: it is the largest library of the process.
    import pypdf

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    with pypdf.apply_configuration(
        zlib_maximum_output_length=MAX_UNPACKED,
        lzw_maximum_output_length=MAX_UNPACKED,
        run_length_maximum_output_length=MAX_UNPACKED,
        array_based_stream_maximum_output_length=MAX_UNPACKED,
        stream_decoding_work_maximum_length=4 * MAX_UNPACKED,
        stream_parsing_work_maximum_count=MAX_OPERATIONS,
    ):
        reader = pypdf.PdfReader(io.BytesIO(content), strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            return AttachmentText("", "encrypted")
        return _pages(reader)


def _pages(reader: pypdf.PdfReader) -> AttachmentText:
    begun = time.monotonic()
    pages: list[str] = []
    size = 0
    for number, page in enumerate(reader.pages):
        if number >= MAX_PAGES or size > MAX_CHARACTERS or time.monotonic() - begun > MAX_SECONDS:
            return AttachmentText("\n\n".join(pages)[:MAX_CHARACTERS], "cut")
        pages.append(page.extract_text(extraction_mode="layout") or "")
        size += len(pages[-1])
    text = "\n\n".join(pages)
    if not any(char.isalnum() for char in text):
        return AttachmentText("", "scanned")
    return _cut(text)
