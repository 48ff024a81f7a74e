"""What was not read is never described as not on record."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from flask import Flask

from cds_service.app import create_app
from cds_service.app_state import parts_of
from cds_service.evaluation.chart_request import ChartRequest
from cds_service.settings.model import Settings, Tenant
from cds_service.timeline.chart_data import picture_of
from cds_service.timeline.charts import read_chart
from cds_service.timeline.page_rows import Page, page_of
from cds_service.timeline.unread import unread_panels
from fhir_mappings.assess import Knowledge
from tests.cds_service.charts import (
    FHIR_SERVER,
    PATIENT_ID,
    TableReader,
    asthma,
    bundle,
    failed,
    found,
    leukaemia,
    marrow,
    patient,
)
from tests.cds_service.timeline.conftest import Visitor
from tests.conftest import AT
from tests.smart.authorization_server import AuthorizationServer

CLAIMS = (
    "nothing on record called for it",
    "Nothing that bears on the disease was left out",
    "No dated sample of marrow",
    "No phase of the disease is on record",
    "No relapse is shown",
)
"""Sentences about the record that only a record which was read allows."""
PANELS = ("marrow", "blood", "csf", "mrd")


def opened(knowledge: Knowledge, reader: TableReader) -> tuple[Page, dict[str, Any]]:
    """Page and picture of the patient, as that server has it."""
    tenant = Tenant(id="general", fhir_servers=(FHIR_SERVER,), open_fhir=True)
    app = create_app(
        Settings.embedded(tenants=(tenant,)), clock=lambda: AT, knowledge=knowledge, reader=reader
    )
    parts = parts_of(app)
    read = read_chart(parts, ChartRequest(PATIENT_ID, FHIR_SERVER), tenant, AT)
    parts.close()
    page = page_of(read.evaluation, read.timeline, knowledge)
    return page, picture_of(read.timeline, knowledge, unread_panels(read.evaluation))


def failing(knowledge: Knowledge, reason: str) -> TableReader:
    """A server that fails so, whatever it is asked."""
    keys = [*(need.key for need in knowledge.needs), "survey"]
    return TableReader(answers={key: failed(reason) for key in keys})


@pytest.mark.parametrize("reason", ["unauthorised", "server-error", "timed-out", "breaker-open"])
def test_a_server_that_fails_leaves_nothing_claimed(
    knowledge: Knowledge, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        page, picture = opened(knowledge, failing(knowledge, reason))
    assert page.incomplete
    assert page.headline.startswith("Data that are needed could not be seen")
    asked = {need.title for need in knowledge.needs if (need.codes or not need.coded) and not need.on_request}
    assert asked <= {what for what, _ in page.not_evaluated}
    told = repr(page)
    assert not [claim for claim in CLAIMS if claim in told]
    assert [one["unread"] for one in picture["panels"]] == [True] * len(PANELS)
    assert '"event": "need-not-seen", "need": "conditions"' in caplog.text
    assert ("Open this page again" in page.empty.notice) is (reason == "unauthorised")


def test_a_patient_whom_the_server_does_not_know(knowledge: Knowledge) -> None:
    page, picture = opened(knowledge, TableReader(answers={"patient": failed("not-found")}))
    assert page.incomplete
    assert not [claim for claim in CLAIMS if claim in repr(page)]
    assert all(one["unread"] for one in picture["panels"])
    assert ("problem list and diagnoses", knowledge.words["need.not-found"].text) in page.not_evaluated


def test_one_need_that_was_not_read(knowledge: Knowledge) -> None:
    answers = {
        "conditions": found(bundle(leukaemia())),
        "csf": failed("forbidden"),
        "patient": found(patient()),
    }
    page, picture = opened(knowledge, TableReader(answers=answers))
    assert [one["unread"] for one in picture["panels"]] == [False, False, True, False]
    assert page.empty.samples == "Not read: CSF leukocytes. Of the others no dated sample is on record."


def test_a_chart_without_leukaemia_says_that_results_were_not_looked_at(knowledge: Knowledge) -> None:
    page, picture = opened(knowledge, TableReader(answers={"conditions": found(bundle(asthma()))}))
    assert page.headline == "No acute lymphoblastic leukaemia is on record. Results were not looked at."
    assert not [claim for claim in CLAIMS if claim in repr(page)]
    assert all(one["unread"] for one in picture["panels"])


def test_leukaemia_without_a_single_result_never_reads_like_a_clean_chart(knowledge: Knowledge) -> None:
    answers = {"conditions": found(bundle(leukaemia())), "patient": found(patient())}
    page, _ = opened(knowledge, TableReader(answers=answers))
    assert page.headline == knowledge.words["timeline.status.no-results"].text
    seen, _ = opened(knowledge, TableReader(answers={**answers, "marrow": found(bundle(marrow()))}))
    assert seen.headline == knowledge.words["timeline.status.none"].text


def test_a_token_that_opens_nothing(visitor: Visitor, ehr: AuthorizationServer, service: Flask) -> None:
    ehr.behaviour.token_padding = 10
    text = visitor.open("early-marrow").get_data(as_text=True)
    assert "Open this page again from the record" in text
    assert "Not read: Marrow blasts, Blood blasts, CSF leukocytes, MRD." in text
    assert not [claim for claim in CLAIMS if claim in text]
