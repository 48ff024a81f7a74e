"""A written case as the cards a clinician would see."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from cds_service.cards import build_cards
from fhir_mappings.assess import Knowledge, assess, decode
from fhir_mappings.knowledge.review.content import CaseRecord
from fhir_mappings.records import PatientHeader, build_resources, read_table


def cards_of(case: CaseRecord, conventions: str, knowledge: Knowledge) -> list[dict[str, Any]]:
    """The cards for a case, the most important first. ``conventions`` is the text of their file."""
    asked = case.asked
    index: date = asked["index"]
    moment = datetime.combine(
        asked.get("at") or index + timedelta(days=1), asked.get("at_time") or time(9), tzinfo=UTC
    )
    resources = _resources(case, tomllib.loads(conventions)["convention"], index)
    entries = [decode(json.dumps(one).encode()).resource for one in resources]
    return build_cards(assess(entries, moment, knowledge), knowledge)


def _resources(
    case: CaseRecord, conventions: list[Mapping[str, Any]], index: date
) -> Iterator[dict[str, Any]]:
    asked, person = case.asked, case.asked["patient"]
    rows = read_table(asked.get("common", "")) + read_table(asked.get("record", ""))
    used = {row.concept for row in rows}
    for one in conventions if asked.get("conventions", True) else ():
        fits = one.get("only") in (None, person["sex"]) and not used & set(one["unless"])
        if fits and one["name"] not in asked.get("without", ()):
            rows += read_table(one["record"])
    rows += read_table(asked.get("draft_orders", ""))
    header = PatientHeader("case", person["sex"], person["born"].isoformat())
    yield from build_resources(header, rows, today=index)
