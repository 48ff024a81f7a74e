"""The shipped nginx configuration, started as it stands but for its addresses and certificate."""

from __future__ import annotations

import datetime
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from urllib3.exceptions import InsecureRequestWarning

SHIPPED = Path(__file__).parents[2] / "deploy" / "nginx.conf"
NGINX = shutil.which("nginx")

SLOW_CLIENTS = 90
"""Below the connections that one address may have."""
FLOOD = 400
"""Twice what one address may send at once."""
PATIENCE_SECONDS = 60.0

pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx IS NOT TESTED: it is not installed")


def write_certificate(folder: Path) -> None:
    """A key and a certificate of our own for localhost."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    start = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=36_500))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "tls.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (folder / "tls.key").write_bytes(key.private_bytes(pem, pkcs8, plain))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


class Silent(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        return


def echo(environ: dict[str, Any], start: Any) -> list[bytes]:
    """Answers with the headers it was sent."""
    sent = [f"{name}: {value}" for name, value in sorted(environ.items()) if name.startswith("HTTP_")]
    start("200 OK", [("Content-Type", "text/plain")])
    return ["\n".join(sent).encode()]


class Busy:
    """A service that answers nobody until it may."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.may_answer = threading.Event()
        self.held = 0
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def port(self) -> int:
        return int(self.listener.getsockname()[1])

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.held += 1
            self._threads.append(threading.Thread(target=self._answer, args=(connection,), daemon=True))
            self._threads[-1].start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            connection.recv(65_536)
            self.may_answer.wait(PATIENCE_SECONDS)
            connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}")

    def close(self) -> None:
        self.may_answer.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for thread in self._threads:
            thread.join()


@pytest.fixture
def busy() -> Iterator[Busy]:
    service = Busy()
    yield service
    service.close()


@pytest.fixture
def crowded(busy: Busy, tmp_path: Path) -> Iterator[str]:
    """nginx before a busy service."""
    yield from started(tmp_path, busy.port)


@pytest.fixture(scope="module")
def behind() -> Iterator[int]:
    """What nginx passes requests on to; its port."""
    with make_server("127.0.0.1", 0, echo, handler_class=Silent) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def started(folder: Path, upstream: int, *, inside: bool = True) -> Iterator[str]:
    """nginx with the shipped configuration. ``inside`` False: our own address is not one of the inside."""
    write_certificate(folder)
    port = free_port()
    text = SHIPPED.read_text(encoding="utf-8")
    text = text.replace("/etc/relapse-cds/", f"{folder}/").replace("127.0.0.1:8080", f"127.0.0.1:{upstream}")
    if not inside:
        assert "allow 127.0.0.1;" in text
        text = text.replace("allow 127.0.0.1;", "allow 192.0.2.1;")
    text = text.replace("listen 443 ssl", f"listen 127.0.0.1:{port} ssl")
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    text = text.replace("http {\n", f"http {{\n{temporary}", 1)
    configuration = folder / "nginx.conf"
    configuration.write_text(text)
    command = [str(NGINX), "-p", str(folder), "-c", str(configuration), "-g", "daemon off;"]
    subprocess.run([*command[:-2], "-t"], check=True, capture_output=True)
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"https://localhost:{port}"
    finally:
        process.terminate()
        process.wait(timeout=120)


@pytest.fixture(scope="module")
def front(behind: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    yield from started(tmp_path_factory.mktemp("nginx"), behind)


@pytest.fixture(scope="module")
def outside(behind: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """nginx, seen from an address that is not of the inside."""
    yield from started(tmp_path_factory.mktemp("nginx"), behind, inside=False)


@pytest.fixture
def flooded(behind: int, tmp_path: Path) -> Iterator[str]:
    """An nginx of its own, so that no other test meets its full bucket."""
    yield from started(tmp_path, behind)


@pytest.fixture(scope="module")
def lonely(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """nginx with nothing behind it."""
    yield from started(tmp_path_factory.mktemp("nginx"), free_port())


def ask(method: str, url: str, **more: Any) -> requests.Response:
    with requests.Session() as session, warnings.catch_warnings():
        warnings.simplefilter("ignore", InsecureRequestWarning)
        session.trust_env = False
        return session.request(method, url, verify=False, timeout=120, **more)


def secured(front: str) -> ssl.SSLSocket:
    """A TLS connection."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(socket.create_connection(("127.0.0.1", int(front.rpartition(":")[2]))))


def whole(client: ssl.SSLSocket) -> bytes:
    """All that comes until the other side ends."""
    client.settimeout(PATIENCE_SECONDS)
    received = b""
    try:
        while piece := client.recv(65_536):
            received += piece
    except ConnectionResetError:
        pass
    return received


def ask_as_written(front: str, path: str) -> requests.Response:
    """GET a path that no client library may tidy up first."""
    response = requests.Response()
    with secured(front) as client:
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        head, _, body = whole(client).partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    response.status_code = int(lines[0].split()[1])
    for name, _, value in (line.partition(": ") for line in lines[1:]):
        response.headers[name] = value
    response._content = body
    return response


def assert_outcome(response: requests.Response, status: int, code: str) -> None:
    assert response.status_code == status
    assert response.headers["Content-Type"] == "application/json"
    assert response.json()["issue"][0]["code"] == code
    assert "nginx/" not in response.headers["Server"]


def test_calls_are_passed_on_and_forged_headers_are_not(front: str) -> None:
    forged = {
        "X-Forwarded-For": "203.0.113.9",
        "X-Forwarded-Host": "evil.example",
        "X-Client-Cert": "forged",
        "X-SSL-Client-Cert": "forged",
        "Forwarded": "for=203.0.113.9",
        "Authorization": "Bearer kept",
    }
    response = ask("POST", f"{front}/cds-services/all-relapse", headers=forged, data=b"{}")
    assert response.status_code == 200
    assert "HTTP_AUTHORIZATION: Bearer kept" in response.text
    assert "HTTP_X_FORWARDED_FOR: 127.0.0.1" in response.text
    assert not re.search(r"203\.0\.113\.9|evil\.example|forged", response.text)
    assert response.headers["Strict-Transport-Security"].startswith("max-age=")


def test_a_large_body_is_refused_in_json(front: str) -> None:
    assert_outcome(ask("POST", f"{front}/cds-services/all-relapse", data=b" " * 17_000_000), 413, "too-long")


def test_large_headers_are_refused_in_json(front: str) -> None:
    response = ask("GET", f"{front}/cds-services", headers={"Authorization": "Bearer " + "x" * 40_000})
    assert_outcome(response, 400, "structure")


# Each of these is "/metrics" to the service.
@pytest.mark.parametrize(
    "path", ["/metrics", "/metrics/", "/metrics%2f", "//metrics", "/%6detrics", "/x/../metrics/"]
)
def test_the_metrics_are_not_for_everybody(front: str, path: str) -> None:
    assert_outcome(ask_as_written(front, path), 404, "not-found")


@pytest.mark.parametrize("path", ["/operator", "/operator/", "//operator", "/operator%2f"])
def test_the_operators_page_is_for_the_inside_alone(outside: str, path: str) -> None:
    assert_outcome(ask_as_written(outside, path), 403, "forbidden")


def test_methods_that_nginx_refuses_itself_are_refused_in_json(front: str) -> None:
    assert_outcome(ask("TRACE", f"{front}/cds-services"), 405, "not-supported")


def test_a_slow_client_is_cut_off_and_holds_up_nobody(front: str) -> None:
    begun = b"POST /cds-services/all-relapse HTTP/1.1\r\nHost: localhost\r\n"
    slow = [secured(front) for _ in range(SLOW_CLIENTS)]
    for number, client in enumerate(slow):
        client.sendall(begun + (b"Content-Length: 100\r\n\r\n{" if number % 2 else b""))
    for _ in range(5):
        assert ask("GET", f"{front}/livez").status_code == 200
    for client in slow:
        # Cut off without an answer, or with one that says that the request never came whole.
        answer = whole(client)
        client.close()
        assert answer == b"" or answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 408"))


def test_a_flood_is_told_to_wait(flooded: str) -> None:
    with secured(flooded) as client:
        # Pipelined, so that the rate and nothing else decides.
        client.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n" * FLOOD)
        client.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        answers = whole(client)
    refused = answers.count(b"HTTP/1.1 429")
    assert answers.count(b"HTTP/1.1 200") + refused == FLOOD + 1
    assert refused > 0
    assert answers.count(b'"code":"throttled"') == refused
    assert answers.count(b"Retry-After: 1\r\n") == refused


def test_plain_http_is_refused_and_not_redirected(front: str) -> None:
    response = ask("GET", front.replace("https:", "http:") + "/cds-services", allow_redirects=False)
    assert_outcome(response, 400, "structure")


def test_without_a_service_the_answer_is_503_in_json(lonely: str) -> None:
    response = ask("GET", f"{lonely}/cds-services")
    assert_outcome(response, 503, "transient")
    assert response.headers["Retry-After"] == "5"


def test_what_a_full_service_cannot_take_is_told_so_at_once(crowded: str, busy: Busy) -> None:
    most = int(re.findall(r"max_conns=(\d+)", SHIPPED.read_text(encoding="utf-8"))[0])
    with ThreadPoolExecutor(most) as pool:
        taken = [pool.submit(ask, "GET", f"{crowded}/livez") for _ in range(most)]
        end = time.monotonic() + PATIENCE_SECONDS
        while busy.held < most and time.monotonic() < end:
            time.sleep(0.02)
        refused = ask("GET", f"{crowded}/livez")
        assert busy.held == most
        busy.may_answer.set()
        assert [one.result().status_code for one in taken] == [200] * most
    assert_outcome(refused, 503, "transient")
    assert refused.headers["Retry-After"] == "5"
    assert ask("GET", f"{crowded}/livez").status_code == 200


@pytest.mark.req("A2")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_1_2_and_1_3_are_spoken(front: str, version: ssl.TLSVersion) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = context.maximum_version = version
    port = int(front.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as plain, context.wrap_socket(plain) as secured:
        assert secured.version() in ("TLSv1.2", "TLSv1.3")
