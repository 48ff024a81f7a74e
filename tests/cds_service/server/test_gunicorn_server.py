"""The service as ``serve`` runs it: real processes, real sockets, real signals."""

from __future__ import annotations

import json
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from cds_service.store import open_store
from tests.cds_service.charts import asthma, bundle, request
from tests.cds_service.server.serving import Served

ROOT = Path(__file__).parents[3]
CALL = "/cds-services/all-relapse"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    running = Served(tmp_path_factory.mktemp("served"))
    yield running
    if running.process.poll() is None:
        running.process.terminate()
    running.process.wait(120)
    assert "Traceback" not in (running.directory / "log").read_text()


def http(body: bytes, *headers: str) -> bytes:
    lines = ["POST " + CALL + " HTTP/1.1", "Host: x", "Connection: close", "Content-Type: application/json"]
    return "\r\n".join([*lines, *headers, "", ""]).encode() + body


def test_a_call_is_answered_without_naming_the_server(served: Served) -> None:
    body = orjson.dumps(request({"conditions": bundle(asthma())}))
    answer = served.send(http(body, f"Content-Length: {len(body)}"))
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b'{"cards":[]}')
    assert b"server:" not in answer.lower()


def test_a_chunked_call_is_answered(served: Served) -> None:
    body = orjson.dumps(request({"conditions": bundle(asthma())}))
    chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    assert served.send(http(chunked, "Transfer-Encoding: chunked")).endswith(b'{"cards":[]}')


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        (["Transfer-Encoding: chunked"], b"ZZ\r\nabc\r\n0\r\n\r\n", b"400"),
        (["Transfer-Encoding: chunked"], b"%x\r\n" % 200_000 + b" " * 200_000 + b"\r\n0\r\n\r\n", b"413"),
        (["Content-Length: 200000"], b"", b"413"),
        (["Content-Length: 2", "Content-Encoding: gzip"], b"{}", b"415"),
    ],
    ids=["bad chunk", "too large by count", "too large by length", "coded"],
)
def test_broken_transfers_get_an_outcome(
    served: Served, headers: list[str], body: bytes, status: bytes
) -> None:
    answer = served.send(http(body, *headers))
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert b'"resourceType":"OperationOutcome"' in answer


GET = b"GET /livez HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /cds-services/all-relapse HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
HEADERS_OF_CANARIES = b"".join(b"X-%d: CANARY\r\n" % number for number in range(2_000))
UNREADABLE = {
    "length and chunked": POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ",
    "length with sign": POST + b"Content-Length: +2\r\n\r\n{}",
    "length with underscore": POST + b"Content-Length: 1_0\r\n\r\n{}        ",
    "negative length": POST + b"Content-Length: -2\r\n\r\n{}",
    "length in hexadecimal": POST + b"Content-Length: 0x2\r\n\r\n{}",
    "list of lengths": POST + b"Content-Length: 2, 3\r\n\r\n{} ",
    "unknown transfer coding": POST + b"Transfer-Encoding: CANARY\r\n\r\n0\r\n\r\n",
    "chunked not last": POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "chunked twice": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "folded header": GET + b"X-A: b\r\n CANARY\r\n\r\n",
    "bare CR in a header": GET + b"X-A: b\rCANARY: c\r\n\r\n",
    "NUL in a header": GET + b"X-A: CANARY\0\r\n\r\n",
    "blank before the colon": GET + b"X-CANARY : b\r\n\r\n",
    "header without a colon": GET + b"CANARY\r\n\r\n",
    "header without a name": GET + b": CANARY\r\n\r\n",
    "two hosts": GET + b"Host: CANARY\r\n\r\n",
    "HTTP/9.9": b"GET /CANARY HTTP/9.9\r\nHost: x\r\n\r\n",
    "no version": b"GET /CANARY\r\n\r\n",
    "method of signs": b"G{CANARY}T / HTTP/1.1\r\nHost: x\r\n\r\n",
    "blank in the address": b"GET /CANARY CANARY HTTP/1.1\r\nHost: x\r\n\r\n",
    "long address": b"GET /" + b"CANARY" * 2_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "long header": GET + b"X-A: " + b"CANARY" * 20_000 + b"\r\n\r\n",
    "many headers": GET + HEADERS_OF_CANARIES + b"\r\n",
    "strange expectation": POST + b"Expect: CANARY\r\nContent-Length: 2\r\n\r\n{}",
    "chunk size of words": CHUNKED + b"CANARY\r\n{}\r\n0\r\n\r\n",
    "chunk size with sign": CHUNKED + b"+2\r\n{}\r\n0\r\n\r\n",
    "chunk without its end": CHUNKED + b"2\r\n{}CANARY\r\n0\r\n\r\n",
    "not HTTP at all": b"\x16\x03\x01CANARY\r\n\r\n",
}


@pytest.mark.req("A1")
@pytest.mark.parametrize("raw", UNREADABLE.values(), ids=UNREADABLE)
def test_bytes_that_are_no_request_are_refused_in_json_and_not_quoted(served: Served, raw: bytes) -> None:
    head, _, body = served.send(raw).partition(b"\r\n\r\n")
    assert head.split()[1] in (b"400", b"414", b"417", b"431", b"501"), head
    assert b"application/json" in head
    assert json.loads(body)["resourceType"] == "OperationOutcome"
    assert b"CANARY" not in head + body
    assert served.get("/readyz")[0] == 200
    assert "CANARY" not in (served.directory / "log").read_text()


def test_a_browser_with_too_many_cookies_is_told_on_a_page(served: Served) -> None:
    accept = b"Accept: text/html,application/xhtml+xml;q=0.9\r\n"
    for cookie in (b"CANARY" * 3_000, b"CANARY" * 20_000):
        head, _, body = served.send(GET + accept + b"Cookie: " + cookie + b"\r\n\r\n").partition(b"\r\n\r\n")
        assert head.split()[1] == b"431"
        assert b"text/html" in head
        assert b"delete the cookies of this site" in body
        assert b"CANARY" not in head + body


def test_metrics_of_all_workers_have_a_port_of_their_own(served: Served) -> None:
    status, text = served.get("/metrics", served.metrics_port)
    assert status == 200
    assert b"http_requests_total" in text
    assert served.get("/metrics")[0] == 404


def test_sigterm_finishes_what_is_in_flight_and_writes_the_trail(served: Served) -> None:
    assert served.send(http(b"[", "Content-Length: 1")).startswith(b"HTTP/1.1 400")
    body = orjson.dumps(request({"conditions": bundle(asthma())}))
    head = http(b"", f"Content-Length: {len(body)}", "Expect: 100-continue")
    with socket.create_connection(("127.0.0.1", served.port), timeout=120) as connection:
        connection.sendall(head)
        # The worker says so when it has begun with the request.
        assert connection.recv(65_536).startswith(b"HTTP/1.1 100")
        connection.sendall(body[:10])
        served.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        connection.sendall(body[10:])
        answer = b""
        while part := connection.recv(65_536):
            answer += part
    assert answer.endswith(b'{"cards":[]}')
    assert served.process.wait(120) == 0
    assert not list(served.directory.glob("relapse-cds-metrics-*"))
    assert {line["event"] for line in served.log() if "event" in line} >= {"serving", "answered", "refused"}
    # The other tests of this module may have called as well.
    evaluated = ("answered", "/cds-services/<service_id>", 200)
    answered = sum((x.get("event"), x.get("route"), x.get("code")) == evaluated for x in served.log())
    store = open_store(f"sqlite:///{served.directory}/relapse-cds.db")
    try:
        assert sum(firing.calls for firing in store.firings.read()) == answered >= 1
        assert store.audit.verify().holds
    finally:
        store.close()
