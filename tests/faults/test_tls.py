"""T-22: only a server that proves its name with a trusted certificate over TLS 1.2 or later is read."""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cds_service.fhir_client import Deadline, FhirReader
from cds_service.fhir_client.connections import client_tls
from cds_service.settings.model import Settings
from tests.faults.fault_proxy import FaultProxy
from tests.faults.little_fhir import BASE, NEEDS, LittleFhir
from tests.faults.readings import CANARY, Authorization, tenant_of
from tests.faults.wire import LoopbackServer


@dataclass(frozen=True)
class Authority:
    """A certificate authority of this test run."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    folder: Path

    @property
    def file(self) -> str:
        """The authority's certificate as a PEM file."""
        path = self.folder / "authority.pem"
        path.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))
        return str(path)

    def server(self, name: str, days: int = 1) -> ssl.SSLContext:
        """A server context whose certificate is for ``name`` and ends in ``days``."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _certificate(name, key.public_key(), self.certificate.subject, self.key, days)
        path = self.folder / f"{name}{days}.pem"
        path.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _certificate(
    name: str,
    key: ec.EllipticCurvePublicKey,
    issuer: x509.Name,
    signer: ec.EllipticCurvePrivateKey,
    days: int,
) -> x509.Certificate:
    ends = datetime.now(UTC) + timedelta(days=days)
    try:
        alternative: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        alternative = x509.DNSName(name)
    authority = issuer == _name(name)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(ends - timedelta(days=30))
        .not_valid_after(ends)
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .add_extension(x509.BasicConstraints(authority, None), critical=True)
    )
    return builder.sign(signer, hashes.SHA256())


def new_authority(folder: Path) -> Authority:
    """A fresh authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _certificate("authority", key.public_key(), _name("authority"), key, 10)
    return Authority(key, certificate, folder)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return new_authority(tmp_path_factory.mktemp("authority"))


def reasons(url: str, ca_file: str, seconds: float = 3.0) -> set[str]:
    """How the needs of a reading over TLS ended; empty text for a known one."""
    reader = FhirReader(Settings(ca_file=Path(ca_file) if ca_file else None), learns=False)
    tenant = tenant_of(url)
    with reader.open(tenant, url, Authorization(), Deadline.after(seconds)) as opened:
        fetched = opened.fetch(NEEDS, "p1")
    reader.close()
    return {need.state.reason for need in fetched.values()}


def test_a_trusted_server_is_read(authority: Authority) -> None:
    with LoopbackServer(LittleFhir(), authority.server("127.0.0.1")) as server:
        respond = LittleFhir(page_size=100)
        server.respond = respond
        assert reasons(server.url + BASE, authority.file) == {""}
        assert server.asked[0].headers["authorization"] == f"Bearer {CANARY}"


@pytest.mark.parametrize(
    ("name", "days"),
    [("ehr.example.org", 1), ("127.0.0.2", 1), ("127.0.0.1", -1)],
    ids=["T-22-wrong-name", "T-22-wrong-address", "T-22-expired"],
)
def test_a_wrong_certificate_is_refused(authority: Authority, name: str, days: int) -> None:
    with LoopbackServer(LittleFhir(), authority.server(name, days)) as server:
        assert reasons(server.url + BASE, authority.file) == {"refused"}
        assert server.asked == []


def test_t22_an_unknown_authority_is_refused(authority: Authority) -> None:
    with LoopbackServer(LittleFhir(), authority.server("127.0.0.1")) as server:
        assert reasons(server.url + BASE, "") == {"refused"}
        assert server.asked == []


@pytest.mark.req("A2")
def test_t22_tls_1_0_is_not_spoken(authority: Authority) -> None:
    old = authority.server("127.0.0.1")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        old.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    with LoopbackServer(LittleFhir(), old) as server:
        assert reasons(server.url + BASE, authority.file) <= {"server-error", "breaker-open", "refused"}
        assert server.asked == []


def test_t22_verification_cannot_be_switched_off() -> None:
    context = client_tls()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


@pytest.mark.req("T1")
@pytest.mark.parametrize("mode", ["drip-body", "drip-headers", "slow-first-byte", "gzip-bomb", "truncated"])
def test_the_deadline_and_the_cap_hold_below_tls(authority: Authority, mode: str) -> None:
    proxy = FaultProxy(LittleFhir(), mode, tls=authority.server("127.0.0.1"))
    with proxy:
        found = reasons(proxy.url + BASE, authority.file, 0.6)
    assert "" not in found
    assert found <= {"timed-out", "too-large", "server-error", "malformed", "breaker-open"}
