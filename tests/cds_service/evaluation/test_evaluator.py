"""The flow of one call: what is fetched when, and when silence would mislead."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from cds_service.evaluation.chart_request import ChartRequest
from cds_service.evaluation.evaluator import (
    Evaluation,
    Evaluator,
    canonical_base,
    check_complete,
    tenant_of,
)
from cds_service.fhir_client import Deadline, RefusedServer
from cds_service.hooks import HOOKS
from cds_service.http.problem import Problem, Refusal
from cds_service.settings.model import NOBODY, Settings, Tenant
from cds_service.wire.request import read_request
from fhir_mappings.assess import Knowledge
from fhir_mappings.assessment import Availability, Status
from fhir_mappings.fhir.bundles import NeedData
from tests.cds_service import charts
from tests.cds_service.charts import (
    EMPTY,
    FHIR_SERVER,
    TableReader,
    asthma,
    bundle,
    failed,
    found,
    leukaemia,
    patient,
    with_server,
)

AT = datetime(2024, 6, 4, 12, tzinfo=UTC)
HOSPITAL = Tenant(id="general", fhir_servers=(FHIR_SERVER,))
OTHER = Tenant(id="other", fhir_servers=("https://other.example.org/fhir",))
SETTINGS = Settings.embedded(tenants=(HOSPITAL, OTHER))

Evaluate = Callable[..., Evaluation]


def read(prefetch: Any = None, **more: Any) -> ChartRequest:
    body = orjson.dumps(charts.request(prefetch, **more))
    return ChartRequest.of_hook(read_request(body, HOOKS["all-relapse"], 1000))


@pytest.fixture
def reader() -> TableReader:
    return TableReader()


@pytest.fixture
def evaluate(knowledge: Knowledge, reader: TableReader) -> Evaluate:
    evaluator = Evaluator(knowledge, SETTINGS, reader)

    def run(prefetch: Any = None, tenant: Tenant = HOSPITAL, **more: Any) -> Evaluation:
        return evaluator.evaluate(read(prefetch, **more), tenant, AT, Deadline.after(2.0))

    return run


def refusal(evaluation: Evaluation) -> Refusal:
    with pytest.raises(Refusal) as caught:
        check_complete(evaluation)
    return caught.value


def test_a_chart_without_leukaemia_is_answered_from_its_conditions(
    evaluate: Evaluate, reader: TableReader
) -> None:
    evaluation = evaluate({"conditions": bundle(asthma())}, **with_server())
    assert evaluation.assessment.status is Status.NONE
    check_complete(evaluation)
    assert reader.rounds == []


@pytest.mark.parametrize("conditions", [None, EMPTY])
def test_known_empty_conditions_are_an_answer(evaluate: Evaluate, conditions: Any) -> None:
    evaluation = evaluate({"conditions": conditions})
    assert evaluation.assessment.status is Status.NONE
    check_complete(evaluation)


def test_without_any_data_nothing_is_concluded(evaluate: Evaluate) -> None:
    told = refusal(evaluate())
    assert told.problem is Problem.MISSING_DATA
    assert "conditions (not-supplied)" in told.diagnostics


@pytest.mark.parametrize(
    "conditions",
    [
        {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]},
        bundle(asthma(), link=[{"relation": "next", "url": f"{FHIR_SERVER}?page=2"}]),
        bundle(asthma(), total=2),
        bundle({"resourceType": "Basic"}),
        "conditions",
    ],
    ids=["failed", "partial", "fewer than total", "wrong type", "unreadable"],
)
def test_conditions_that_were_not_fully_seen_are_named(evaluate: Evaluate, conditions: Any) -> None:
    told = refusal(evaluate({"conditions": conditions}))
    assert told.problem is Problem.MISSING_DATA
    assert "conditions (" in told.diagnostics


def test_a_chart_with_leukaemia_needs_marrow_blood_and_csf(evaluate: Evaluate) -> None:
    told = refusal(evaluate({"patient": patient(), "conditions": bundle(leukaemia()), "blood": EMPTY}))
    assert "marrow (not-supplied)" in told.diagnostics
    assert "csf (not-supplied)" in told.diagnostics
    assert "blood (not-controlled)" in told.diagnostics
    assert "procedures" not in told.diagnostics


def test_without_prefetch_conditions_come_first(evaluate: Evaluate, reader: TableReader) -> None:
    reader.answers["conditions"] = found(bundle(asthma()))
    evaluation = evaluate(**with_server())
    assert evaluation.assessment.status is Status.NONE
    assert reader.rounds == [["conditions"]]
    assert reader.closed == 1


def test_an_empty_chart_is_one_only_if_the_patient_is_there(evaluate: Evaluate, reader: TableReader) -> None:
    reader.answers["patient"] = failed("not-found")
    told = refusal(evaluate(**with_server()))
    assert told.problem is Problem.MISSING_DATA
    assert told.diagnostics.startswith(
        "not seen: conditions (not-found). The FHIR server knows no such Patient."
    )
    assert reader.rounds == [["conditions"], ["patient"]]


@pytest.mark.parametrize("answer", [found(bundle(patient())), failed("forbidden"), failed("timed-out")])
def test_an_empty_chart_of_a_patient_who_may_be_there_is_an_answer(
    evaluate: Evaluate, reader: TableReader, answer: NeedData
) -> None:
    reader.answers["patient"] = answer
    evaluation = evaluate(**with_server())
    assert evaluation.assessment.status is Status.NONE
    check_complete(evaluation)
    assert reader.rounds == [["conditions"], ["patient"]]


def test_a_patient_who_came_along_is_not_read_again(evaluate: Evaluate, reader: TableReader) -> None:
    check_complete(evaluate({"patient": patient()}, **with_server()))
    assert reader.rounds == [["conditions"]]


def test_an_empty_record_that_was_merged_into_another_is_recognised(
    evaluate: Evaluate, reader: TableReader
) -> None:
    link = {"other": {"reference": "Patient/p9"}, "type": "replaced-by"}
    reader.answers["patient"] = found(bundle({**patient(), "link": [link]}))
    with pytest.raises(Refusal) as caught:
        evaluate(**with_server())
    assert caught.value.problem is Problem.MERGED_PATIENT


def test_with_leukaemia_everything_else_comes_at_once(
    evaluate: Evaluate, reader: TableReader, knowledge: Knowledge
) -> None:
    reader.answers["conditions"] = found(bundle(leukaemia()))
    evaluation = evaluate(**with_server())
    check_complete(evaluation)
    first, second = reader.rounds
    assert first == ["conditions"]
    asked = {n.key for n in knowledge.needs if (n.codes or not n.coded) and not n.on_request}
    assert set(second) == asked - {"conditions"} | {"survey"}
    assert set(evaluation.sources.values()) >= {"server"}


def test_only_what_is_missing_is_fetched(evaluate: Evaluate, reader: TableReader) -> None:
    prefetch = {"patient": patient(), "conditions": bundle(leukaemia()), "marrow": EMPTY, "blood": None}
    evaluation = evaluate(prefetch, **with_server())
    (asked,) = reader.rounds
    assert "csf" in asked
    assert not {"patient", "conditions", "marrow", "blood"} & set(asked)
    assert evaluation.sources["marrow"] == "prefetch"
    assert evaluation.sources["csf"] == "server"


def test_a_failed_prefetch_is_not_asked_for_again(evaluate: Evaluate, reader: TableReader) -> None:
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
    told = refusal(evaluate({"conditions": bundle(leukaemia()), "marrow": outcome}, **with_server()))
    assert "marrow (outcome-error)" in told.diagnostics
    assert all("marrow" not in asked for asked in reader.rounds)


def test_a_paginated_prefetch_is_followed(evaluate: Evaluate, reader: TableReader) -> None:
    address = f"{FHIR_SERVER}?page=2"
    reader.pages["conditions"] = found(EMPTY)
    first = bundle(asthma(), link=[{"relation": "next", "url": address}])
    evaluation = evaluate({"conditions": first}, **with_server())
    assert reader.rounds == [[address]]
    assert evaluation.states["conditions"].availability is Availability.PRESENT
    check_complete(evaluation)


def test_a_blocked_page_leaves_the_need_unknown(evaluate: Evaluate, reader: TableReader) -> None:
    first = bundle(asthma(), link=[{"relation": "next", "url": "https://evil.example/"}])
    told = refusal(evaluate({"conditions": first}, **with_server()))
    assert "conditions (paging-blocked)" in told.diagnostics


@pytest.mark.parametrize(
    ("reason", "problem"),
    [
        ("server-error", Problem.MISSING_DATA),
        ("timed-out", Problem.MISSING_DATA),
        ("unauthorised", Problem.REFUSED_DATA),
        ("forbidden", Problem.REFUSED_DATA),
        ("wrong-version", Problem.WRONG_VERSION),
    ],
)
def test_a_failing_server_is_named(
    evaluate: Evaluate, reader: TableReader, reason: str, problem: Problem
) -> None:
    reader.answers["conditions"] = failed(reason)
    told = refusal(evaluate(**with_server()))
    assert told.problem is problem
    assert f"conditions ({reason})" in told.diagnostics


def test_a_refused_server_leaves_the_prefetch(evaluate: Evaluate, reader: TableReader) -> None:
    reader.refuses = "token-missing"
    check_complete(evaluate({"conditions": bundle(asthma())}, fhirServer=FHIR_SERVER))
    assert "conditions (not-supplied)" in refusal(evaluate(fhirServer=FHIR_SERVER)).diagnostics


@pytest.mark.parametrize(("cause", "reason"), [("breaker-open", "breaker-open")])
def test_a_server_that_is_left_alone_for_a_moment_is_said_to_be(
    evaluate: Evaluate, reader: TableReader, cause: str, reason: str
) -> None:
    reader.refuses = cause
    prefetch = {"conditions": bundle(leukaemia()), "blood": bundle({"resourceType": "Basic"})}
    told = refusal(evaluate(prefetch, **with_server())).diagnostics
    assert f"marrow ({reason}), " in told
    assert "blood (wrong-type)" in told
    assert str(RefusedServer(cause)) in told


def test_a_full_house_is_no_fault_of_the_data(evaluate: Evaluate, reader: TableReader) -> None:
    reader.refuses = "busy"
    told = refusal(evaluate({"conditions": bundle(leukaemia())}, **with_server()))
    assert told.problem is Problem.OUT_OF_SERVICE
    assert told.headers == {"Retry-After": "1"}
    check_complete(evaluate({"conditions": bundle(asthma())}, **with_server()))


@pytest.mark.parametrize("tenant", [NOBODY, HOSPITAL])
def test_without_tenant_or_server_nobody_is_contacted(
    evaluate: Evaluate, reader: TableReader, tenant: Tenant
) -> None:
    more = with_server() if tenant is NOBODY else {}
    assert refusal(evaluate(tenant=tenant, **more)).problem is Problem.MISSING_DATA
    assert reader.opened == []


@pytest.mark.parametrize("key", ["conditions", "patient", "unheard-of"])
def test_another_patients_data_refuse_the_call(evaluate: Evaluate, reader: TableReader, key: str) -> None:
    foreign = patient("p2") if key == "patient" else bundle(asthma(), asthma("p2"))
    with pytest.raises(Refusal) as caught:
        evaluate({"conditions": bundle(asthma()), key: foreign}, **with_server())
    assert caught.value.problem is Problem.FOREIGN_RESOURCE
    assert "p2" not in caught.value.diagnostics
    assert reader.opened == []


@pytest.mark.parametrize("key", ["marrow", "procedures", "unheard-of"])
@pytest.mark.parametrize("nested", [False, True])
def test_another_patients_data_refuse_even_a_chart_without_leukaemia(
    evaluate: Evaluate, key: str, nested: bool
) -> None:
    kind = "Procedure" if key == "procedures" else "Observation"
    foreign = {"resourceType": kind, "id": "x", "subject": {"reference": "Patient/p2"}}
    held = bundle(foreign, {**foreign, "subject": {"reference": "Patient/p1"}})
    with pytest.raises(Refusal) as caught:
        evaluate({"conditions": bundle(asthma()), key: bundle(held) if nested else held})
    assert caught.value.problem is Problem.FOREIGN_RESOURCE


def test_a_donors_specimen_refuses_nothing(evaluate: Evaluate) -> None:
    donor = {"resourceType": "Specimen", "id": "s", "subject": {"reference": "Patient/p2"}}
    check_complete(evaluate({"conditions": bundle(asthma()), "specimens": bundle(donor)}))


def test_another_patients_data_from_the_server_refuse_the_call(
    evaluate: Evaluate, reader: TableReader
) -> None:
    reader.answers["conditions"] = found(bundle(asthma("p2")))
    with pytest.raises(Refusal) as caught:
        evaluate(**with_server())
    assert caught.value.problem is Problem.FOREIGN_RESOURCE
    assert reader.closed == 1


def test_prefetch_and_fetching_give_the_same_assessment(evaluate: Evaluate, reader: TableReader) -> None:
    chart = {"patient": patient(), "conditions": bundle(leukaemia()), "marrow": EMPTY, "blood": EMPTY}
    reader.answers.update({key: found(value) for key, value in chart.items()})
    fetched = evaluate(**with_server()).assessment
    everything = {**chart, **{key: EMPTY for key in evaluate(**with_server()).states if key not in chart}}
    prefetched = evaluate(everything, **with_server()).assessment
    assert fetched.status is prefetched.status
    assert fetched.criteria == prefetched.criteria
    assert fetched.evidence_digest == prefetched.evidence_digest


def test_absolute_references_to_the_named_server_are_this_patient(evaluate: Evaluate) -> None:
    own = {**asthma(), "subject": {"reference": f"{FHIR_SERVER}/Patient/p1"}}
    check_complete(evaluate({"conditions": bundle(own)}, fhirServer=f"{FHIR_SERVER}/"))
    foreign = {**asthma(), "subject": {"reference": "https://other.example.org/fhir/Patient/p1"}}
    with pytest.raises(Refusal):
        evaluate({"conditions": bundle(foreign)}, fhirServer=FHIR_SERVER)


@pytest.mark.parametrize("server", [FHIR_SERVER, f"{FHIR_SERVER}/", "https://EHR.example.org:443/fhir"])
def test_without_token_the_server_names_the_tenant(server: str) -> None:
    assert tenant_of(read(fhirServer=server), NOBODY, SETTINGS) is HOSPITAL


@pytest.mark.parametrize(
    "server",
    [
        "https://nobody.example.org/fhir",
        "https://ehr.example.org/fhir2",
        "https://evil\\@ehr.example.org/fhir",
    ],
)
def test_a_server_of_nobody_names_no_tenant(server: str) -> None:
    assert tenant_of(read(fhirServer=server), NOBODY, SETTINGS) is NOBODY
    assert tenant_of(read(fhirServer=server), OTHER, SETTINGS) is OTHER


def test_another_tenants_server_is_forbidden() -> None:
    with pytest.raises(Refusal) as caught:
        tenant_of(read(fhirServer=FHIR_SERVER), OTHER, SETTINGS)
    assert caught.value.problem is Problem.FOREIGN_SERVER


def test_without_server_there_is_no_tenant() -> None:
    assert tenant_of(read(), NOBODY, SETTINGS) is NOBODY
    assert canonical_base("nonsense") == ""
