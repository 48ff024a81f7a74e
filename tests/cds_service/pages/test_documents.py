"""Markdown documents as pages."""

from __future__ import annotations

import re

from cds_service.pages.documents import clinical_documents, document_page


def test_the_first_heading_is_the_title_and_parts_can_be_linked_to() -> None:
    made = document_page("x", "# The title\n\n## Part `one`\n\ntext\n\n## Part one\n\n### Below\n\n## …\n")
    assert made.title == "The title"
    assert [(heading.anchor, heading.text, heading.level) for heading in made.contents] == [
        ("part-one", "Part one", 1),
        ("part-one-2", "Part one", 1),
        ("below", "Below", 2),
        ("part", "…", 1),
    ]
    assert '<h3 id="below">' in made.body
    assert "<h1" not in made.body


def test_a_document_without_a_heading_has_its_name() -> None:
    assert document_page("notes", "only text").title == "notes"


def test_raw_html_is_text_and_no_style_attribute_is_made() -> None:
    made = document_page("x", "<script>alert(1)</script>\n\n| a | b |\n|--:|:-:|\n| 1 | <b>2</b> |\n")
    assert "<script" not in made.body
    assert "<b>" not in made.body
    assert "style=" not in made.body
    assert '<td class="number">1</td>' in made.body
    assert made.body.count('<div class="table-scroll"') == made.body.count("</table>\n</div>") == 1


def test_every_table_is_a_region_of_its_own_name() -> None:
    table = "| | a |\n|--|--|\n| 1 | 2 |\n"
    body = document_page("x", f"# Title\n\n{table}\n## Numbers & <b>\n\n{table}\ntext\n\n{table}").body
    labels = re.findall(r'role="region" aria-label="([^"]*)"', body)
    assert labels == ["Table: Title", "Table: Numbers &amp; &lt;b&gt;", "Table: Numbers &amp; &lt;b&gt;, 2"]
    assert "<th></th>" not in body


def test_code_is_reached_by_key() -> None:
    assert '<pre tabindex="0">' in document_page("x", "    code\n").body


def test_links_lead_to_neighbours_or_outside_or_nowhere() -> None:
    text = (
        "[a](other.md#x) [b](./other.md) [c](missing.md) [d](../src/x.py) [e](https://a.example/) [f](#here)"
    )
    body = document_page("x", text, {"other": ""}).body
    assert '<a href="/clinical/other#x">a</a>' in body
    assert '<a href="/clinical/other">b</a>' in body
    assert "<a>c</a>" in body
    assert "<a>d</a>" in body
    assert '<a href="https://a.example/" rel="noopener noreferrer">e</a>' in body
    assert '<a href="#here">f</a>' in body


def test_the_package_carries_the_clinical_documents() -> None:
    documents = clinical_documents()
    assert {"rules", "decisions", "traceability", "rules/criterion-a"} <= set(documents)
    assert all(document.title != name for name, document in documents.items())
