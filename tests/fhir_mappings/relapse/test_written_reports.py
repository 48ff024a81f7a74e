"""Every place where a report may stand is read, and what cannot be read is named with its reason."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fhir_mappings.assess import (
    DATA_PRESENT,
    Entry,
    Subject,
    assess_facts,
    decode,
    load_knowledge,
    read_facts,
)
from fhir_mappings.assessment import Assessment
from fhir_mappings.relapse.written_reports import ReportPolicy
from tests.fhir_mappings.relapse.report_places import (
    AT,
    BLASTS,
    PERCENT,
    PLACES,
    Json,
    chart,
    coded,
    encrypted_pdf,
    form,
    report,
    scanned_pdf,
)


def assessed(*others: Json, policy: ReportPolicy | None = None, unseen: str = "") -> Assessment:
    knowledge = load_knowledge()
    resources = [decode(json.dumps(one).encode()).resource for one in chart(*others)]
    entries = [Entry(resource=one) for one in resources]
    subject = Subject("n1")
    facts = read_facts(entries, subject, knowledge)
    seen = {need.key: DATA_PRESENT for need in knowledge.needs if need.key != unseen}
    if policy is None:
        return assess_facts(facts, seen, AT, knowledge, subject)
    return assess_facts(facts, seen, AT, knowledge, subject, policy)


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


@pytest.mark.parametrize(("mode", "told"), [("read", True), ("named", True), ("off", False)])
def test_a_finding_says_that_reports_were_not_seen(mode: Any, told: bool) -> None:
    marrow = {
        "resourceType": "Observation",
        "code": coded("11150-0"),
        "valueQuantity": PERCENT | {"value": 78},
    }
    found = assessed(marrow, policy=ReportPolicy(mode), unseen="reports")
    section = found.section("RELAPSE")
    assert section is not None
    assert any(line.words == "caution.reports-unseen" for line in section.statements) is told
