"""Dashboards and alerts: they ask for metrics and labels that exist, and every alert has its runbook."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import Counter, Gauge, Histogram

import cds_service.app
from cds_service.observability.metrics import REGISTRY

ROOT = Path(__file__).parents[2]
PROMTOOL = ROOT / ".cache" / "tools" / "bin" / "promtool"
RULES = ROOT / "deploy" / "prometheus"
DASHBOARDS = sorted((ROOT / "deploy" / "grafana").glob("*.json"))
ALERTS: list[dict[str, Any]] = [
    rule for group in yaml.safe_load((RULES / "alerts.yaml").read_text())["groups"] for rule in group["rules"]
]
OF_PROMETHEUS = {"up": {"job", "instance"}}
WORDS = {
    "sum", "rate", "increase", "max", "count", "by", "on", "and", "or", "unless", "offset", "absent",
    "histogram_quantile", "label_values", "le", "d", "m", "h", "s", "w",
}  # fmt: skip


def series() -> dict[str, set[str]]:
    """Every series that the service offers, with its labels."""
    assert cds_service.app is not None, "imports every module that has metrics"
    found: dict[str, set[str]] = {}
    for collector in list(REGISTRY._collector_to_names):
        assert isinstance(collector, Counter | Gauge | Histogram)
        labels = set(collector._labelnames)
        if isinstance(collector, Counter):
            found[f"{collector._name}_total"] = labels
        elif isinstance(collector, Gauge):
            found[collector._name] = labels
        else:
            for suffix, more in (("_bucket", {"le"}), ("_sum", set()), ("_count", set())):
                found[collector._name + suffix] = labels | more
    return found


def panels() -> list[tuple[str, str, str]]:
    """Board, panel title and expression."""
    return [
        (path.stem, panel["title"], target["expr"])
        for path in DASHBOARDS
        for panel in json.loads(path.read_text())["panels"]
        for target in panel["targets"]
    ]


EXPRESSIONS = [*((rule["alert"], "", rule["expr"]) for rule in ALERTS), *panels()]


def unknown_names(expression: str) -> set[str]:
    """Names of series and labels in an expression that the service does not have."""
    known = {**series(), **OF_PROMETHEUS}
    bad = set()
    for name, selector in re.findall(r"([a-zA-Z_:][a-zA-Z0-9_:]*)\{([^}]*)\}", expression):
        labels = set(re.findall(r"([a-z_]+)\s*=~?", re.sub(r'"[^"]*"', '""', selector)))
        bad |= {name} if name not in known else {f"{name}{{{label}}}" for label in labels - known[name]}
    bare = re.sub(r'"[^"]*"|\{[^}]*\}|\[[^\]]*\]|offset \w+', " ", expression)
    used = set(re.findall(r"[a-zA-Z_:][a-zA-Z0-9_:]*", bare))
    grouped = {label for group in re.findall(r"by \(([^)]*)\)", bare) for label in re.split(r"[,\s]+", group)}
    labels_of_used = set().union(*(known.get(name, set()) for name in used))
    return bad | {name for name in used - set(known) - WORDS - grouped} | (grouped - labels_of_used - {""})


@pytest.mark.parametrize(("place", "title", "expression"), EXPRESSIONS)
def test_only_what_exists_is_asked_for(place: str, title: str, expression: str) -> None:
    assert unknown_names(expression) == set()


@pytest.mark.parametrize(
    "expression",
    [
        "sum(rate(http_request_total[5m]))",
        'up{jobs="relapse-cds"}',
        "sum by (hospital) (rate(http_requests_total[5m]))",
        'rate(http_requests_total{status="500"}[5m])',
        "http_request_duration_seconds",
    ],
)
def test_what_does_not_exist_is_found(expression: str) -> None:
    assert unknown_names(expression) != set()


def test_every_metric_is_on_a_board_or_in_an_alert() -> None:
    asked = " ".join(expression for *_, expression in EXPRESSIONS)
    bases = {re.sub(r"_(bucket|sum|count)$", "", name) for name in series()}
    assert {base for base in bases if base not in asked} == set()


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: str(rule["alert"]))
def test_every_alert_has_a_chapter_of_the_runbook(rule: dict[str, Any]) -> None:
    path, _, anchor = rule["annotations"]["runbook"].partition("#")
    text = (ROOT / path).read_text("utf-8")
    assert anchor == rule["alert"].lower()
    assert f"### {rule['alert']}\n" in text
    assert rule["labels"]["severity"] in ("page", "ticket")


def test_the_runbook_has_no_chapter_of_an_alert_that_is_gone() -> None:
    text = (ROOT / "docs" / "operations.md").read_text("utf-8")
    assert set(re.findall(r"^### (RelapseCds\w+)$", text, re.MULTILINE)) == {rule["alert"] for rule in ALERTS}


@pytest.mark.skipif(
    not PROMTOOL.is_file(), reason="NOT CHECKED WITH PROMTOOL: run .ci/parts/deployment_tools.sh"
)
@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "rules", "alerts.yaml"),
        ("test", "rules", "alerts_test.yaml"),
        ("check", "config", "prometheus.yaml"),
    ],
    ids=" ".join,
)
def test_promtool_finds_no_fault(arguments: tuple[str, ...]) -> None:
    done = subprocess.run(
        [str(PROMTOOL), *arguments], cwd=RULES, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_a_board_can_be_imported(path: Path) -> None:
    board = json.loads(path.read_text())
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids) >= 7
    assert board["uid"]
    assert board["title"]
    assert {panel["datasource"]["uid"] for panel in board["panels"]} == {"${datasource}"}
    for panel in board["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
