"""deploy/compose.yaml, started: PostgreSQL, the service as deploy/Dockerfile makes it, and nginx in front."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from cds_service.demo.application import SERVICE_ID, DemoPlace
from cds_service.demo.ehr import HookReply, call_hook
from tests.deploy.stack import IMAGES, TENANT, Stack, is_built
from tests.live_service import live_demo

pytestmark = pytest.mark.skipif(
    not is_built(), reason="THE CONTAINERS ARE NOT TESTED: run .ci/parts/images.sh as root first"
)
RELAPSED = "early-marrow"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    # The addresses inside are fixed in compose.yaml: one stack at a time, whichever process runs these tests.
    with (IMAGES / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        running = Stack(tmp_path_factory.mktemp("stack"))
        try:
            running.start()
            yield running
        finally:
            running.stop()


@pytest.fixture(scope="module")
def record() -> Iterator[DemoPlace]:
    """The FHIR server from which the EHR fills the prefetch."""
    with live_demo() as place:
        yield place


@pytest.fixture(scope="module")
def reply(stack: Stack, record: DemoPlace) -> HookReply:
    """What the EHR of the configured tenant gets for a patient with a relapse."""
    token = record.tokens.issue(RELAPSED)
    return call_hook(
        stack.url, SERVICE_ID, record.fhir_server, RELAPSED, token=token, session=stack.session
    )  # fmt: skip


def exported(stack: Stack) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(
        stack.run_in("relapse-cds", "relapse-cds", "feedback", "export", "--json").stdout
    )
    return rows


def test_a_signed_call_gets_its_cards(reply: HookReply) -> None:
    assert reply.status == 200, reply.body
    assert reply.assessment["status"] == "relapse"
    assert reply.cards[0]["indicator"] == "critical"


def test_a_call_without_a_token_is_refused(stack: Stack) -> None:
    session = stack.session
    session.auth = None
    answer = session.post(f"{stack.url}/cds-services/all-relapse", json={}, timeout=120)
    assert answer.status_code == 401
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_feedback_is_in_postgresql_when_it_is_acknowledged(stack: Stack, reply: HookReply) -> None:
    card = reply.cards[0]["uuid"]
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    body = {"feedback": [{"card": card, "outcome": "overridden", "outcomeTimestamp": now}]}
    answer = stack.session.post(f"{stack.url}/cds-services/{SERVICE_ID}/feedback", json=body, timeout=120)
    assert answer.status_code == 200, answer.text
    (row,) = [row for row in exported(stack) if row["card"] == card]
    assert (row["tenant"], row["status"]) == (TENANT, "matched")
    query = ("psql", "-U", "relapse_cds", "-h", "/run/postgresql", "-tAc", "SELECT count(*) FROM feedback")
    assert int(stack.podman("exec", "--user", "postgres", stack.container("postgresql"), *query).stdout) >= 1


def test_the_service_runs_as_nobody_and_can_write_nothing_but_its_own(stack: Stack) -> None:
    tried = """
import os, pathlib, json
def can(path):
    try:
        pathlib.Path(path, 'x').write_text('x'); return True
    except OSError:
        return False
status = dict(line.split(':', 1) for line in open('/proc/self/status') if ':' in line)
print(json.dumps({
    'uid': os.getuid(), 'gid': os.getgid(),
    'writable': [path for path in ('/', '/etc', '/opt/relapse-cds', '/usr', '/etc/relapse-cds',
                                   '/run/secrets') if can(path)],
    'tmp': can('/tmp'), 'capabilities': status['CapEff'].strip(),
    'new privileges': status['NoNewPrivs'].strip(),
}))
"""
    found = json.loads(stack.run_in("relapse-cds", "python3", "-c", tried).stdout)
    assert found == {
        "uid": 10001, "gid": 10001, "writable": [], "tmp": True,
        "capabilities": "0" * 16, "new privileges": "1",
    }  # fmt: skip


@pytest.mark.parametrize("program", ["gcc", "cc", "make", "pip", "pip3", "curl", "wget"])
def test_the_image_holds_no_tool_that_the_service_does_not_use(stack: Stack, program: str) -> None:
    assert stack.run_in("relapse-cds", "sh", "-c", f"command -v {program}", check=False).returncode != 0


def test_no_file_of_the_image_gives_somebody_elses_rights(stack: Stack) -> None:
    found = stack.run_in(
        "relapse-cds", "find", "/", "-xdev", "-perm", "/6000", "-type", "f", check=False
    ).stdout.split()
    assert found == []


def test_no_secret_stands_in_the_environment_or_the_image(stack: Stack) -> None:
    files = [path for path in (stack.directory / "secrets").rglob("*") if path.is_file()]
    secrets = {path.read_text() for path in files if path.suffix not in (".crt", ".conf")}
    assert len(secrets) >= 5
    shown = json.dumps(stack.inspected("relapse-cds")) + stack.logs()
    assert [secret for secret in secrets if secret in shown] == []


def test_a_backup_and_the_trail_can_be_had_inside(stack: Stack, reply: HookReply) -> None:
    told = stack.run_in("relapse-cds", "relapse-cds", "store", "backup", "/tmp/copy.backup").stdout
    assert "evaluations" in told
    stack.run_in("relapse-cds", "relapse-cds", "store", "check", "--backup", "/tmp/copy.backup")
    stack.run_in("relapse-cds", "relapse-cds", "store", "check")

    def trail_is_written() -> bool:
        report = json.loads(stack.run_in("relapse-cds", "relapse-cds", "audit", "verify", "--json").stdout)
        return bool(report["holds"] and report["keyed"] == report["entries"] >= 1)

    stack.wait_for(trail_is_written, "the audit trail")


def test_metrics_are_not_reached_from_outside(stack: Stack) -> None:
    assert stack.session.get(f"{stack.url}/metrics", timeout=120).status_code == 404


def test_restarts_lose_nothing(stack: Stack, reply: HookReply) -> None:
    """The service, then the database: what was kept is there, and nginx finds the service again."""
    before = exported(stack)
    stack.restart("relapse-cds")
    stack.restart("postgresql")
    stack.wait_for(lambda: stack.is_healthy("relapse-cds"), "the service after the database came back")
    assert exported(stack) == before
    assert stack.session.get(f"{stack.url}/cds-services", timeout=120).status_code == 200
