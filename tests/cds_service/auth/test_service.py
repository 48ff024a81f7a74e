"""The token matrix against the running service: gunicorn, several workers, real HTTP, one identical 401."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from uuid import uuid4

import pytest
import requests

from cds_service.settings.model import Settings, Tenant
from tests.cds_service.auth import forge
from tests.cds_service.auth.forge import AT, DISCOVERY, ENDPOINT, ES, FEEDBACK, OTHER, RS, bearer, token
from tests.cds_service.auth.matrix import MATRIX, Case, marked
from tests.cds_service.running import Service, running

WORKERS = 4
HOOK = {
    "hook": "patient-view",
    "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
    "context": {"userId": "Practitioner/1", "patientId": "p1"},
    "prefetch": {"conditions": None, "patient": {"resourceType": "Patient", "id": "p1"}},
}
FEEDBACK_BODY = {
    "feedback": [{"card": "unknown", "outcome": "overridden", "outcomeTimestamp": "2026-11-20T09:29:30Z"}]
}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("service")
    (folder / "general.json").write_bytes(forge.key_set(ES.jwk(), RS.jwk()))
    (folder / "clinic.json").write_bytes(forge.key_set(OTHER.jwk()))
    settings = Settings(
        public_url=forge.BASE,
        store=f"sqlite:///{folder}/store.db",
        workers=WORKERS,
        threads=4,
        tenants=(
            Tenant(id="general", iss=forge.ISS, jwks_file=folder / "general.json"),
            Tenant(id="clinic", iss=forge.OTHER_ISS, jwks_file=folder / "clinic.json"),
        ),
    )
    with running(settings, AT, folder) as started:
        yield started


def post(service: Service, path: str, body: object, authorization: str = "") -> requests.Response:
    headers = {"Authorization": authorization} if authorization else {}
    with requests.Session() as session:
        session.trust_env = False
        return session.post(service.url + path, json=body, headers=headers, timeout=120)


def call(service: Service, authorization: str = "") -> requests.Response:
    return post(service, "/cds-services/all-relapse", HOOK, authorization)


def expected_401(service: Service) -> bytes:
    answer = call(service)
    assert answer.status_code == 401
    return answer.content


# These cannot be written into one header line of an HTTP client, or need a configured jku.
_ELSEWHERE = {"J-15", "J-16", "J-17", "J-56r", "J-67a", "J-67d"}
_SENT = [case for case in MATRIX if case.id not in _ELSEWHERE]


@pytest.mark.req("P2")
@pytest.mark.req("P3")
@pytest.mark.req("P4")
@pytest.mark.req("P5")
@pytest.mark.req("P6")
@pytest.mark.req("P7")
@pytest.mark.req("P8")
@pytest.mark.req("P9")
@pytest.mark.parametrize("case", marked(_SENT))
def test_each_token_of_the_matrix_gets_its_answer(service: Service, case: Case) -> None:
    made = case.make()
    assert isinstance(made, str)
    answer = call(service, made)
    if case.reason == "too-large":
        # The server's own limit on a header comes first.
        assert answer.status_code in (401, 431)
    elif case.reason:
        assert answer.status_code == 401
        assert answer.content == expected_401(service)
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    else:
        assert answer.status_code == 200
        assert answer.json() == {"cards": []}


@pytest.mark.req("P12")
def test_the_401_is_an_operation_outcome_that_says_nothing(service: Service) -> None:
    body = json.loads(expected_401(service))
    assert body["resourceType"] == "OperationOutcome"
    assert "id" not in body
    assert "diagnostics" not in json.dumps(body)


def test_j_67_two_headers_on_the_wire(service: Service) -> None:
    values = [bearer(token()), bearer(token())]
    assert _raw(service, [f"Authorization: {value}" for value in values]).startswith(b"HTTP/1.1 401")


@pytest.mark.req("P2")
@pytest.mark.req("P15")
def test_j_67_a_token_in_the_query_or_the_body_counts_for_nothing(service: Service) -> None:
    for path in (f"?access_token={token()}", f"?Authorization={token()}"):
        assert post(service, f"/cds-services/all-relapse{path}", HOOK).status_code == 401
    assert post(service, "/cds-services/all-relapse", {**HOOK, "access_token": token()}).status_code == 401


@pytest.mark.req("P6")
@pytest.mark.req("O10")
@pytest.mark.req("B15")
def test_j_65_each_endpoint_wants_its_own_token(service: Service) -> None:
    paths = {
        DISCOVERY: "/cds-services",
        ENDPOINT: "/cds-services/all-relapse",
        FEEDBACK: "/cds-services/all-relapse/feedback",
    }
    for audience in paths:
        for endpoint, path in paths.items():
            if endpoint == DISCOVERY:
                answer = requests.get(
                    service.url + path, headers={"Authorization": bearer(token(aud=audience))}, timeout=120
                )
            else:
                body = HOOK if endpoint == ENDPOINT else FEEDBACK_BODY
                answer = post(service, path, body, bearer(token(aud=audience)))
            assert answer.status_code == (200 if audience == endpoint else 401), (audience, endpoint)


@pytest.mark.req("P6")
def test_the_audience_is_ours_whatever_the_host_header_says(service: Service) -> None:
    forged = f"{service.url}/cds-services/all-relapse"
    assert call(service, bearer(token(aud=forged))).status_code == 401
    lines = [
        "X-Forwarded-Host: evil.example",
        f"Authorization: {bearer(token(aud='https://evil.example/cds-services/all-relapse'))}",
    ]
    assert _raw(service, lines, host="evil.example").startswith(b"HTTP/1.1 401")


@pytest.mark.req("P2")
@pytest.mark.req("B15")
def test_discovery_needs_no_token_but_refuses_a_bad_one(service: Service) -> None:
    assert requests.get(f"{service.url}/cds-services", timeout=120).status_code == 200
    bad = {"Authorization": bearer(token(aud="elsewhere"))}
    answer = requests.get(f"{service.url}/cds-services", headers=bad, timeout=120)
    assert answer.status_code == 401
    assert answer.content == expected_401(service)


@pytest.mark.req("P2")
@pytest.mark.req("O10")
def test_f_01_feedback_needs_a_token(service: Service) -> None:
    assert post(service, "/cds-services/all-relapse/feedback", FEEDBACK_BODY).status_code == 401


@pytest.mark.req("P10")
def test_j_57_one_token_fifty_times_at_once_over_all_workers(service: Service) -> None:
    raced = bearer(token(jti=str(uuid4())))
    barrier = Barrier(50)

    def use(_: int) -> int:
        barrier.wait()
        return call(service, raced).status_code

    with ThreadPoolExecutor(50) as threads:
        statuses = list(threads.map(use, range(50)))
    assert sorted(statuses) == [200] + [401] * 49


def test_j_63_the_other_tenants_key_does_not_open_this_ones_door(service: Service) -> None:
    assert call(service, bearer(token(OTHER, iss=forge.OTHER_ISS))).status_code == 200
    assert call(service, bearer(token(OTHER))).status_code == 401


@pytest.mark.req("P13")
def test_no_token_no_patient_and_no_foreign_text_in_the_log(service: Service) -> None:
    canary = "CANARY-6f1e"
    sent = token(sub=canary)
    hook = {**HOOK, "context": {"userId": "Practitioner/1", "patientId": canary}}
    post(service, "/cds-services/all-relapse", hook, bearer(sent))
    post(service, "/cds-services/all-relapse", hook, bearer(token(iss=canary)))
    post(service, "/cds-services/all-relapse", hook, f"Bearer {canary}")
    item = {**FEEDBACK_BODY["feedback"][0], "card": canary, "overrideReason": {"userComment": canary}}
    answer = post(
        service, "/cds-services/all-relapse/feedback", {"feedback": [item]}, bearer(token(aud=FEEDBACK))
    )
    assert answer.status_code == 200
    log = Path(service.log).read_text()
    assert "token-refused" in log
    assert canary not in log
    assert not [part for part in sent.split(".") if part in log]
    for line in log.splitlines():
        json.loads(line)


def test_the_metrics_count_reasons_and_name_nobody(service: Service) -> None:
    call(service, bearer(token(aud="CANARY")))
    text = requests.get(f"{service.url}/metrics", timeout=120).text
    assert 'jwt_rejected_total{reason="audience",tenant="general"}' in text
    assert "CANARY" not in text


def _raw(service: Service, lines: list[str], host: str = "127.0.0.1") -> bytes:
    body = json.dumps(HOOK).encode()
    head = [
        "POST /cds-services/all-relapse HTTP/1.1",
        f"Host: {host}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "Connection: close",
        *lines,
    ]
    port = int(service.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=120) as connection:
        connection.sendall("\r\n".join([*head, "", ""]).encode() + body)
        return connection.recv(65_536)
