"""docs/operations-reference.md is read from the code's text; here it is held to the running application."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from prometheus_client.metrics import MetricWrapperBase

from cds_service.app import create_app
from cds_service.app_state import parts_of
from cds_service.documents.operations_reference import operations_reference_md
from cds_service.observability.log import KEYS
from cds_service.observability.metrics import REGISTRY
from cds_service.settings.model import Settings

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def text() -> str:
    return operations_reference_md(ROOT).replace("&lt;", "<")


@pytest.fixture
def app() -> Iterator[Flask]:
    made = create_app(Settings.embedded())
    yield made
    parts_of(made).close()


def rows(text: str, chapter: str) -> list[list[str]]:
    body = text.split(f"## {chapter}\n")[1].split("\n## ")[0]
    lines = [line for line in body.splitlines() if line.startswith("| `")]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines]


def test_every_endpoint_of_the_application_is_described(text: str, app: Flask) -> None:
    served = {
        (rule.rule, method)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert {(row[0], row[1]) for row in rows(text, "Endpoints")} == served


def test_every_metric_of_the_registry_is_described(text: str, app: Flask) -> None:
    registered = {
        (f"{one._name}_total" if one._type == "counter" else one._name, ", ".join(one._labelnames))
        for one in list(REGISTRY._collector_to_names)
        if isinstance(one, MetricWrapperBase)
    }
    assert {(row[0], row[2]) for row in rows(text, "Metrics")} == registered


def test_every_field_and_many_events_of_the_log_are_described(text: str) -> None:
    assert {row[0] for row in rows(text, "Log lines")} == set(KEYS)
    events = {row[0] for row in rows(text, "Events of the log")}
    assert events >= {"answered", "crashed", "serving", "store-unavailable", "trail-head", "need-not-seen"}
    mentioned = set(re.findall(r"event\(\s*\"([a-z-]+)\"", sources()))
    assert mentioned <= events


def sources() -> str:
    paths = [path for path in (ROOT / "cds_service").rglob("*.py") if "demo" not in path.parts]
    return "".join(path.read_text("utf-8") for path in paths)


def test_events_of_the_runbook_exist(text: str) -> None:
    events = {row[0] for row in rows(text, "Events of the log")}
    told = (ROOT / "docs" / "operations.md").read_text("utf-8")
    assert {"trail-head", "store-newer", "store-unavailable", "need-not-seen", "crashed"} <= events
    assert all(f"`{event}`" in told for event in ("trail-head", "store-newer", "crashed"))
