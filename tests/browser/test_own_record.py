"""A record of one's own, chosen or dropped: evaluated where it can be, else refused with a clear word."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import FilePayload, Page, expect

from cds_service.demo.application import DemoPlace
from cds_service.demo.demo_patients import load_patients
from tests.browser.chromium import Watch
from tests.browser.opening import card, open_demo, topics, wait_for_answer

BY_ID = {patient.id: patient for patient in load_patients(datetime.now(UTC).date())}


def bundle(*patients: str, base: str = "") -> dict[str, Any]:
    """A Bundle of demo patients' records, with the full addresses of a server if one is named."""
    resources = [resource for patient in patients for resource in BY_ID[patient].resources]
    entries = [
        {"resource": one, **({"fullUrl": f"{base}/{one['resourceType']}/{one['id']}"} if base else {})}
        for one in resources
    ]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def as_file(content: object) -> FilePayload:
    text = content if isinstance(content, str) else json.dumps(content)
    return {"name": "record.json", "mimeType": "application/json", "buffer": text.encode()}


def choose(page: Page, demo: DemoPlace, content: object) -> None:
    open_demo(page, demo)
    page.locator("#bundle").set_input_files(as_file(content))


def test_a_chosen_bundle_is_evaluated_without_a_fhir_server(page: Page, demo: DemoPlace) -> None:
    choose(page, demo, bundle("early-marrow"))
    wait_for_answer(page)
    # Nobody's service has an evidence page, so the evidence is the last card.
    assert topics(page) == [*BY_ID["early-marrow"].expect.topics, "allEvidence"]
    expect(page.locator("#chart-line")).to_contain_text("your own record")
    request = json.loads(page.locator('[data-name="request"] pre').inner_text())
    assert "fhirServer" not in request
    assert card(page, "allTrialReferral").locator("button.suggestion").is_disabled()


def test_a_dropped_bundle_is_taken_too(page: Page, demo: DemoPlace) -> None:
    open_demo(page, demo)
    transfer = page.evaluate_handle(
        """(text) => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([text], "record.json", {type: "application/json"}));
          return transfer;
        }""",
        json.dumps(bundle("newly-diagnosed")),
    )
    page.locator("#drop").dispatch_event("drop", {"dataTransfer": transfer})
    wait_for_answer(page)
    assert topics(page) == []
    expect(page.get_by_text("nothing to say about this chart")).to_be_visible()


def test_references_by_full_address_are_resolved(page: Page, demo: DemoPlace) -> None:
    base = "https://elsewhere.example.org/fhir"
    text = json.dumps(bundle("early-marrow", base=base))
    choose(page, demo, text.replace('"Patient/early-marrow"', f'"{base}/Patient/early-marrow"'))
    wait_for_answer(page)
    assert "allFinding" in topics(page)


def test_a_record_with_another_patients_result_is_refused(page: Page, demo: DemoPlace, watch: Watch) -> None:
    watch.refusals = {412}
    mixed = bundle("early-marrow")
    mixed["entry"] += bundle("late-marrow")["entry"][1:]
    choose(page, demo, mixed)
    wait_for_answer(page)
    expect(page.locator(".refusal")).to_contain_text("Data of another patient")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("not json at all", "The file is not JSON."),
        ("<Bundle xmlns='http://hl7.org/fhir'/>", "The file is not JSON."),
        ("null", "The file is not a FHIR Bundle. It has no resourceType."),
        ([1, 2], "The file is not a FHIR Bundle. It has no resourceType."),
        ({"resourceType": "Patient", "id": "a"}, "The file is not a FHIR Bundle. It holds a Patient."),
        ({"resourceType": "<img src=x onerror=alert(1)>"}, "It holds a <img src=x onerror=alert(1)>."),
        ({"resourceType": "Bundle"}, "The Bundle has no entries with resources."),
        (bundle("early-marrow", "healthy"), "The Bundle must hold one Patient; this one holds 2."),
        (
            {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Condition"}}]},
            "The Bundle must hold one Patient; this one holds 0.",
        ),
        (
            {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Patient"}}]},
            "The Patient has no FHIR id",
        ),
    ],
)
def test_a_file_that_is_no_record_gets_a_clear_message(
    page: Page, demo: DemoPlace, content: object, words: str
) -> None:
    choose(page, demo, content)
    expect(page.get_by_role("alert")).to_contain_text(words)
    assert topics(page) == []
    expect(page.locator("#chart-title")).to_have_text("No chart is open")
