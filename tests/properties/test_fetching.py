"""Invariant 5: prefetch and own fetching give the same assessment, over real sockets, for any chart."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from werkzeug.serving import make_server

from cds_service.app import create_app
from cds_service.app_state import parts_of
from cds_service.demo.application import SANDBOX_PATH, SERVICE_ID
from cds_service.demo.ehr import call_hook, new_session
from cds_service.demo.sandbox.access import AccessTokens
from cds_service.demo.sandbox.repository import Repository
from cds_service.demo.sandbox.routes import sandbox_blueprint
from cds_service.demo.sandbox.server import Sandbox
from cds_service.settings.model import Settings
from fhir_mappings.assess import Knowledge
from tests.properties.charts import AT, PATIENT, Json, charts


@dataclass(frozen=True)
class Place:
    """A service with a sandbox behind it, and the sandbox's resources."""

    url: str
    repository: Repository
    tokens: AccessTokens

    def assessment(self, *, prefetch: bool) -> dict[str, Any]:
        """What the service makes of the patient's chart."""
        with new_session() as session:
            reply = call_hook(
                self.url,
                SERVICE_ID,
                f"{self.url}{SANDBOX_PATH}",
                PATIENT,
                token=self.tokens.issue(PATIENT),
                prefetch=prefetch,
                session=session,
            )
        assert reply.status == 200
        assert bool(reply.prefetched) is prefetch
        return reply.assessment


@pytest.fixture(scope="module")
def place(knowledge: Knowledge) -> Iterator[Place]:
    """The service and the sandbox on a free port, each request in a thread of its own."""
    repository, tokens = Repository(), AccessTokens(b"a secret of thirty-two bytes ....")
    server = make_server("127.0.0.1", 0, lambda environ, start: app(environ, start), threaded=True)
    url = f"http://127.0.0.1:{server.server_port}"
    app = create_app(
        Settings.demo(url, f"{url}{SANDBOX_PATH}", deadline_ms=20_000), clock=lambda: AT, knowledge=knowledge
    )
    sandbox = Sandbox(repository, tokens, f"{url}{SANDBOX_PATH}")
    app.register_blueprint(sandbox_blueprint(sandbox, AT.date().isoformat()), url_prefix=SANDBOX_PATH)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Place(url, repository, tokens)
    server.shutdown()
    thread.join()
    server.server_close()
    parts_of(app).close()


@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(chart=charts)
def test_fetching_decides_what_the_prefetch_decides(place: Place, chart: list[Json]) -> None:
    place.repository.restart(chart)
    fetched, supplied = place.assessment(prefetch=False), place.assessment(prefetch=True)
    assert fetched == supplied or _without_undiagnosed(supplied) == _without_undiagnosed(fetched)


_SEEN_LESS = ("ignored", "evidenceDigest", "sources", "needs", "notEvaluated", "sections", "statements")


def _without_undiagnosed(found: Json) -> Json:
    """Blasts without a diagnosis are said from the data of the call, and nothing is fetched for it (D-02)."""
    if found["status"] not in ("none", "out-of-scope"):
        return found
    assert set(found.get("sections", ())) <= {"DATA"}
    return {key: value for key, value in found.items() if key not in _SEEN_LESS}
