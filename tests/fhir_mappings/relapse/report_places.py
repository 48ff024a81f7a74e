"""Every place where the words of a report may stand in a chart, and the chart around them."""

from __future__ import annotations

import base64
import io
from datetime import UTC, datetime
from typing import Any

import pypdf

Json = dict[str, Any]
AT = datetime(2023, 11, 20, 9, tzinfo=UTC)
"""The moment at which the charts are opened."""
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
    "code in words": (
        {"resourceType": "Observation", "code": {"text": "Bone marrow morphology"}, "valueString": BLASTS},
    ),
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
