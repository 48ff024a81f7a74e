"""A relapse in the words of a report gives the same card from a real server as from a file."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cds_service.demo.sandbox.server import Sandbox
from fhir_mappings.assess import Knowledge, Subject, assess, decode
from tests.fhir_mappings.relapse.report_places import AT, PLACES, chart, report
from tests.servers.charts import Chart, put
from tests.servers.opening import asking, running_sandbox

ESCAPED = "Blasts 62 % <script>alert(1)</script> [open](https://tracker.invalid)"


def _own(value: Any, number: int) -> Any:
    """The same resources under ids of their own, since one server holds all charts."""
    if isinstance(value, dict):
        changed = {key: _own(item, number) for key, item in value.items()}
        if "resourceType" in changed and "id" in changed:
            changed["id"] = f"w{number}-{changed['id']}"
        for key in ("reference", "url"):
            kind, _, name = str(changed.get(key, "")).partition("/")
            if kind in ("Patient", "Binary"):
                changed[key] = f"{kind}/w{number}-{name}"
        return changed
    return [_own(item, number) for item in value] if isinstance(value, list) else value


def _charts() -> dict[str, Chart]:
    places = {**PLACES, "hostile": (report(conclusion=ESCAPED),)}
    found = {}
    for number, (place, others) in enumerate(places.items()):
        resources = [_valid(_own(one, number)) for one in chart(*others)]
        found[place] = Chart(f"w{number}-n1", AT, resources)
    return found


def _valid(resource: dict[str, Any]) -> dict[str, Any]:
    """Without what the chart gives to every resource and its type does not have."""
    absent = {
        "Patient": ("status", "subject"),
        "Condition": ("status",),
        "Binary": ("status", "subject", "effectiveDateTime"),
        "DocumentReference": ("effectiveDateTime",),
    }.get(resource["resourceType"], ())
    kept = {key: value for key, value in resource.items() if key not in absent}
    if kept["resourceType"] == "DocumentReference":
        kept["status"] = "current"
    return kept


CHARTS = _charts()


@pytest.fixture(scope="module")
def sandbox() -> Any:
    with running_sandbox() as sandbox:
        yield sandbox


def test_hapi_brings_every_report_that_a_file_holds(
    knowledge: Knowledge, sandbox: Sandbox, hapi: str
) -> None:
    put(hapi, list(CHARTS.values()))
    found = {}
    with asking(knowledge, sandbox, hapi, "hapi") as ask:
        for place, one in CHARTS.items():
            resources = [decode(json.dumps(each).encode()).resource for each in one.resources]
            expected = assess(resources, AT, knowledge, subject=Subject(one.patient_id))
            assert expected.status.value == "probable", place
            for prefetch in (False, True):
                answer = ask(hapi, one, prefetch)
                cards = [card["summary"] for card in answer["cards"]]
                found[place, prefetch] = bool(cards) and cards[0].startswith("Probable")
                text = json.dumps(answer["cards"])
                assert "<script>" not in text
                assert "](https://tracker" not in text
    assert [where for where, is_probable in found.items() if not is_probable] == []
