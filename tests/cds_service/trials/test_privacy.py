"""Nothing of a patient leaves: neither while matching nor when the lists are refreshed afterwards."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

import pytest
import responses

from cds_service.settings.model import Settings
from cds_service.trials.clinicaltrials_gov import ADDRESS, ClinicalTrialsGov
from cds_service.trials.lists import TrialSources
from cds_service.trials.matching import answer_for
from tests.cds_service.trials.charts import AT, DAY, assessed, patients
from tests.cds_service.trials.registry_pages import page, record
from tests.fhir_mappings.trials.people import vocabulary

SENT = re.compile(r"\d{4}-\d{2}(-\d{2})?")
PATIENTS = [patient.id for patient in patients()]


def identifying(value: Any, key: str = "") -> set[str]:
    """Names, ids, references and dates anywhere in a resource."""
    if isinstance(value, dict):
        return {found for name, item in value.items() for found in identifying(item, name)}
    if isinstance(value, list):
        return {found for item in value for found in identifying(item, key)}
    if isinstance(value, str) and (key in {"id", "reference", "family", "given"} or SENT.match(value)):
        return {value}
    return set()


@pytest.mark.parametrize("patient_id", PATIENTS)
def test_matching_a_patient_asks_nobody_and_the_refresh_names_no_patient(
    patient_id: str, tmp_path: Path
) -> None:
    one = assessed(patient_id)
    place = {"site_latitude": 42.36, "site_longitude": -71.06, "cache_file": tmp_path / "answer.json"}
    settings = Settings.embedded(trials={"catalogue": "demo", "clinicaltrials_gov": True, **place})
    sources = TrialSources(
        settings, vocabulary(), client=ClinicalTrialsGov(sleep=lambda _: None), clock=lambda: AT
    )
    with responses.RequestsMock() as registry:
        registry.get(ADDRESS, body=page(record()))
        sources.load()
        answer_for(one.assessment, one.facts, sources.view(), vocabulary(), DAY)
        assert len(registry.calls) == 0
        sources.refresh()
        (call,) = registry.calls
    answer_for(one.assessment, one.facts, sources.view(), vocabulary(), DAY)
    assert call.request.body is None
    sent = unquote_plus(str(call.request.url)) + str(dict(call.request.headers))
    named = {text for resource in one.patient.resources for text in identifying(resource)}
    assert len(named) > 5
    assert not [text for text in named if text in sent]


def test_the_request_is_the_same_whoever_the_patient_is() -> None:
    sent = set()
    for patient_id in PATIENTS:
        one = assessed(patient_id)
        settings = Settings.embedded(trials={"clinicaltrials_gov": True, "cache_file": None})
        sources = TrialSources(
            settings, vocabulary(), client=ClinicalTrialsGov(sleep=lambda _: None), clock=lambda: AT
        )
        answer_for(one.assessment, one.facts, sources.view(), vocabulary(), DAY)
        with responses.RequestsMock() as registry:
            registry.get(ADDRESS, body=page())
            sources.refresh()
            sent.add(str(registry.calls[0].request.url))
    assert len(sent) == 1
