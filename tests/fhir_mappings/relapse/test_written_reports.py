"""Every place where a report may stand is read, and what cannot be read is named with its reason."""

from __future__ import annotations

import base64
import io
import json
from datetime import UTC, datetime
from typing import Any

import pypdf
import pytest

from fhir_mappings import assess as door
from fhir_mappings.assessment import Assessment
from fhir_mappings.relapse.written_reports import ReportPolicy

Json = dict[str, Any]
AT = datetime(2023, 11, 20, 9, tzinfo=UTC)
SUBJECT = {"reference": "Patient/n1"}
LOINC = "http://loinc.org"
PERCENT = {"unit": "%", "system": "http://unitsofmeasure.org", "code": "%"}


def coded(code: str) -> Json:
    return {"coding": [{"system": LOINC, "code": code}]}


def chart(*others: Json) -> list[Json]:
    base: list[Json] = [
        {"resourceType": "Patient", "id": "n1", "gender": "female", "birthDate": "2014-05-06"},
        {
            "resourceType": "Condition", "id": "c1", "onsetDateTime": "2021-03-01",
            "code": {"coding": [{"system": "http://snomed.info/sct", "code": "277571004"}]},
        },
        {
            "resourceType": "Observation", "id": "bm0", "effectiveDateTime": "2021-04-10",
            "code": coded("11150-0"), "valueQuantity": PERCENT | {"value": 1.2},
        },
    ]  # fmt: skip
    dated = {"id": "x", "effectiveDateTime": "2023-11-15"}
    return [
        {"status": "final", "subject": SUBJECT, **one}
        for one in (*base, *({**dated, **one} for one in others))
    ]


def assessed(*others: Json, policy: ReportPolicy | None = None) -> Assessment:
    knowledge = door.load_knowledge()
    resources = [door.decode(json.dumps(one).encode()).resource for one in chart(*others)]
    entries = [door.Entry(resource=one) for one in resources]
    subject = door.Subject("n1")
    facts = door.read_facts(entries, subject, knowledge)
    seen = {need.key: door.DATA_PRESENT for need in knowledge.needs}
    if policy is None:
        return door.assess_facts(facts, seen, AT, knowledge, subject)
    return door.assess_facts(facts, seen, AT, knowledge, subject, policy)


def report(**elements: Any) -> Json:
    return {"resourceType": "DiagnosticReport", "code": coded("48807-2"), **elements}


def form(content: str | bytes, media: str) -> Json:
    raw = content.encode() if isinstance(content, str) else content
    return {"contentType": media, "data": base64.b64encode(raw).decode()}


def pdf(*lines: str) -> bytes:
    """A small PDF with a text layer of these lines."""
    text = " ".join(f"({line}) Tj 0 -14 Td" for line in lines)
    stream = f"BT /F1 11 Tf 40 760 Td {text} ET".encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length " + str(len(stream)).encode() + b" >>\nstream\n" + stream + b"\nendstream",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out = io.BytesIO(b"")
    out.write(b"%PDF-1.4\n")
    places = []
    for number, body in enumerate(objects, start=1):
        places.append(out.tell())
        out.write(str(number).encode() + b" 0 obj\n" + body + b"\nendobj\n")
    start = out.tell()
    out.write(b"xref\n0 6\n0000000000 65535 f \n")
    for place in places:
        out.write(f"{place:010d} 00000 n \n".encode())
    out.write(b"trailer << /Size 6 /Root 1 0 R >>\nstartxref\n" + str(start).encode() + b"\n%%EOF\n")
    return out.getvalue()


def encrypted_pdf() -> bytes:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(pdf("Blasts 62 %")))
    writer.encrypt("secret", algorithm="AES-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def scanned_pdf() -> bytes:
    writer = pypdf.PdfWriter()
    writer.add_blank_page(595, 842)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


BLASTS = "Lymphoblasts account for 62% of nucleated cells."
ROW = "<tr><td>{}</td><td>{}</td><td>%</td></tr>"
TABLE = f"<table>{ROW.format('Blasts', 77)}{ROW.format('Monocytes', 3)}</table>"
LATIN = "Knochenmark für: Blasten 62 %".encode("latin-1")
RTF = r"{\rtf1\ansi {\b Marrow}\par Blasts 69 % of cells\par}"
PLACES: dict[str, tuple[Json, ...]] = {
    "result code": ({"resourceType": "Observation", "code": coded("11150-0"), "valueString": BLASTS},),
    "report code": ({"resourceType": "Observation", "code": coded("48807-2"), "valueString": BLASTS},),
    "note": ({"resourceType": "Observation", "code": coded("11150-0"), "note": [{"text": BLASTS}]},),
    "note with reason": (
        {
            "resourceType": "Observation", "code": coded("11150-0"), "note": [{"text": BLASTS}],
            "dataAbsentReason": {"coding": [{"code": "not-performed"}]},
        },
    ),
    "component": (
        {
            "resourceType": "Observation", "code": {"text": "Bone marrow differential"},
            "component": [{"code": coded("11150-0"), "valueString": BLASTS}],
        },
    ),
    "conclusion": (report(conclusion=BLASTS),),
    "plain text": (report(presentedForm=[form(BLASTS, "text/plain")]),),
    "latin text": (report(presentedForm=[form(LATIN, "text/plain; charset=iso-8859-1")]),),
    "html": (report(presentedForm=[form(TABLE, "text/html")]),),
    "rtf": (report(presentedForm=[form(RTF, "application/rtf")]),),
    "pdf": (report(presentedForm=[form(pdf("Aspirate", "Blasts   62 %", "Segs   3 %"), "application/pdf")]),),
    "narrative alone": (report(text={"status": "generated", "div": f"<div><p>{BLASTS}</p></div>"}),),
    "document": (
        {
            "resourceType": "DocumentReference", "status": "current",
            "type": {"text": "Bone marrow pathology report"}, "date": "2023-11-16T10:00:00Z",
            "content": [{"attachment": form(BLASTS, "text/plain")}],
        },
    ),
    "binary": (
        report(presentedForm=[{"contentType": "text/plain", "url": "Binary/b1"}]),
        {"resourceType": "Binary", "id": "b1", **form(BLASTS, "text/plain")},
    ),
}  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_a_relapse_in_words_is_probable_wherever_it_stands(place: str) -> None:
    found = assessed(*PLACES[place])
    assert found.status.value == "probable"
    assert found.section("PROBABLE") is not None
    assert all(one.verdict.__class__.__name__ != "Met" for one in found.criteria)


UNREAD = {
    "scanned": form(scanned_pdf(), "application/pdf"),
    "encrypted": form(encrypted_pdf(), "application/pdf"),
    "malformed": form(b"%PDF-1.7\nnothing of it is true", "application/pdf"),
    "not-readable": form(b"\x89PNG\r\n\x1a\n", "image/png"),
    "not-fetched": {"contentType": "text/plain", "url": "Binary/elsewhere"},
    "empty": form(" ", "text/plain"),
    "not-understood": form("Befund folgt.", "text/plain"),
    "too-large": form(b"x" * 5_000_001, "text/plain"),
}


@pytest.mark.parametrize("why", UNREAD)
def test_a_report_that_cannot_be_read_costs_only_itself_and_is_named(why: str) -> None:
    found = assessed(report(presentedForm=[UNREAD[why]]))
    assert found.status.value == "suspect"
    assert [(one.state, one.why) for one in found.reports] == [("unread", why)]
    data = found.section("DATA")
    assert data is not None
    assert any(line.words == "data.report-unread" for line in data.statements)


def test_a_result_contained_in_its_report_is_a_result() -> None:
    inner = {
        "resourceType": "Observation", "id": "o1", "status": "final", "code": coded("11150-0"),
        "valueQuantity": PERCENT | {"value": 78},
    }  # fmt: skip
    found = assessed(report(contained=[inner], result=[{"reference": "#o1"}]))
    assert found.status.value == "relapse"
    assert found.event is not None
    assert found.event.text == "2023-11-15"


def test_a_coded_conclusion_is_a_coded_relapse() -> None:
    code = {"coding": [{"system": "http://snomed.info/sct", "code": "12301000132103"}]}
    assert assessed(report(conclusionCode=[code])).status.value == "relapse"
    assert assessed(report(conclusionCode=[code], status="preliminary")).status.value == "none"


@pytest.mark.parametrize(
    "elements",
    [
        {"specimen": [{"display": "Bone marrow, sibling donor"}]},
        {"status": "entered-in-error"},
        {"effectiveDateTime": "2023-12-01"},
        {"modifierExtension": [{"url": "https://example.org/not"}]},
    ],
)
def test_a_report_that_is_not_of_this_patient_now_says_nothing(elements: Json) -> None:
    assert assessed({**report(conclusion=BLASTS), **elements}).status.value == "none"


def test_a_site_may_have_reports_named_only_or_left_alone() -> None:
    words = report(conclusion=BLASTS)
    named = assessed(words, policy=ReportPolicy("named"))
    assert named.status.value == "suspect"
    assert [one.why for one in named.reports] == ["named"]
    assert assessed(words, policy=ReportPolicy("off")).status.value == "none"


def test_a_reader_of_the_site_that_fails_takes_nothing_with_it() -> None:
    def failing(*_arguments: object) -> Any:
        raise RuntimeError

    found = assessed(report(conclusion=BLASTS), policy=ReportPolicy("read", failing))
    assert [one.why for one in found.reports] == ["reader-failed"]


def test_a_finding_stands_in_its_surroundings() -> None:
    text = "Aspirate. " * 60 + BLASTS + " Thank you." * 60
    [finding] = assessed(report(conclusion=text)).reports[0].findings
    assert finding.quote == "62%"
    assert finding.before.endswith("Lymphoblasts account for ")
    assert finding.after.startswith(" of nucleated cells.")
    assert finding.before + finding.quote + finding.after in text


def test_a_card_quotes_at_most_twenty_five_words() -> None:
    long = (
        "The aspirate is markedly hypercellular with "
        + "very " * 60
        + "many lymphoblasts, 82% of cells, and "
        + "so " * 60
    )
    section = assessed(report(conclusion=long)).section("PROBABLE")
    assert section is not None
    quotes = [line.values["quote"] for line in section.statements if line.words == "probable.words"]
    assert quotes
    assert all(len(quote.replace("…", "").split()) <= 25 and "82%" in quote for quote in quotes)
