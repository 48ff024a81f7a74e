"""One line an event, from an allow-list of keys; free text has no way in."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from io import StringIO

import pytest

from cds_service.observability import log, metrics

CANARY = "CANARY Jane Doe"


@pytest.fixture
def lines() -> Iterator[StringIO]:
    stream = StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(log.line_formatter())
    loggers = [log.LOGGER, logging.getLogger("urllib3.connectionpool")]
    for logger in loggers:
        logger.addHandler(handler)
    level = log.LOGGER.level
    log.LOGGER.setLevel(logging.DEBUG)
    yield stream
    log.LOGGER.setLevel(level)
    for logger in loggers:
        logger.removeHandler(handler)


def test_an_event_is_one_json_line(lines: StringIO) -> None:
    log.event("answered", tenant="general-hospital", code=200, milliseconds=1.23456)
    (line,) = lines.getvalue().splitlines()
    found = json.loads(line)
    assert found["event"] == "answered"
    assert (found["tenant"], found["code"], found["milliseconds"]) == ("general-hospital", 200, 1.235)
    assert found["level"] == "info"
    assert found["at"].endswith("+00:00")


def test_a_key_outside_the_list_cannot_be_logged() -> None:
    with pytest.raises(KeyError, match="patient"):
        log.event("answered", patient="p1")


@pytest.mark.parametrize(
    "value",
    [
        CANARY,
        "a\nb",
        "a\r\nb",
        "\x1b[31m",
        "a\u2028b",
        '{"level":"error"}',
        "x" * 129,
        b"bytes",
        ["a"],
        ValueError(CANARY),
    ],
)
def test_free_text_is_replaced_by_its_type(lines: StringIO, value: object) -> None:
    log.event("answered", tenant=value)
    (line,) = lines.getvalue().splitlines()
    assert json.loads(line)["tenant"] == f"<{type(value).__name__}>"
    assert CANARY not in line


def test_the_text_of_other_libraries_is_dropped(lines: StringIO) -> None:
    library = logging.getLogger("urllib3")
    before = library.level
    library.setLevel(logging.WARNING)
    try:
        logging.getLogger("urllib3.connectionpool").warning("Retrying %s", f"/fhir/Patient?name={CANARY}")
    finally:
        library.setLevel(before)
    (line,) = lines.getvalue().splitlines()
    assert CANARY not in line
    assert json.loads(line)["module"] == "urllib3.connectionpool"


def test_a_crash_names_its_type_and_line_only(lines: StringIO) -> None:
    try:
        raise ValueError(CANARY)
    except ValueError as error:
        log.crashed(error)
    (line,) = lines.getvalue().splitlines()
    assert CANARY not in line
    found = json.loads(line)
    assert found["error"] == "ValueError"
    assert found["line"] > 0


def test_metrics_have_closed_labels() -> None:
    for method in ("GET", "EVIL", "get", "\x00"):
        metrics.answered("/cds-services", method, 200, "none", 0.01)
    text = metrics.exposition("").decode()
    assert 'method="other"' in text
    assert "EVIL" not in text
    assert "http_request_duration_seconds_bucket" in text
