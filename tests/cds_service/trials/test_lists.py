"""The lists of one process: loaded, refreshed, kept when something goes wrong, and never waited for."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import responses

from cds_service.settings.model import Settings
from cds_service.trials.cache import CachedAnswer, FileTrialCache, MemoryTrialCache
from cds_service.trials.clinicaltrials_gov import ADDRESS, ClinicalTrialsGov
from cds_service.trials.lists import TrialSources, home_of, search_of
from cds_service.trials.registry import FROM_FILE, KEEP, import_answer, is_due, keep, registry_list
from cds_service.trials.registry_answers import UnknownShape
from cds_service.trials.turns import one_at_a_time
from fhir_mappings.trials import TrialFact
from tests.cds_service.trials.registry_pages import page, record
from tests.fhir_mappings.trials.people import vocabulary

AT = datetime(2026, 11, 20, 9, tzinfo=UTC)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = AT

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def registry() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make(tmp_path: Path, clock: Clock) -> Any:
    def sources(**trials: Any) -> TrialSources:
        cache_file = tmp_path / "cache" / "answer.json"
        settings = Settings.embedded(trials={"cache_file": cache_file, **trials})
        client = ClinicalTrialsGov(sleep=lambda _: None)
        return TrialSources(settings, vocabulary(), client=client, clock=clock)

    return sources


def ids(sources: TrialSources) -> list[str]:
    return [placed.study.id for placed in sources.view().index.placed]


def test_nothing_is_configured_by_default(make: Any, registry: responses.RequestsMock) -> None:
    sources = make()
    sources.refresh()
    assert sources.view().lists == ()
    assert len(registry.calls) == 0
    settings = Settings.embedded().trials
    assert (settings.catalogue, settings.clinicaltrials_gov, settings.fhir_servers) == ("", False, False)


def test_the_demonstration_list(make: Any) -> None:
    sources = make(catalogue="demo")
    sources.load()
    assert ids(sources)[0] == "DEMO-ALL-001"
    assert sources.faults == ()


def test_the_registry_is_asked_by_the_refresh_and_never_by_load_or_view(
    make: Any, registry: responses.RequestsMock
) -> None:
    registry.get(ADDRESS, body=page(record()))
    sources = make(clinicaltrials_gov=True)
    sources.load()
    (before,) = sources.view().lists
    assert (before.complete, before.faults) == (False, ("not loaded yet",))
    assert len(registry.calls) == 0
    sources.refresh()
    assert ids(sources) == ["NCT99990001"]
    assert sources.view().lists[0].complete
    assert len(registry.calls) == 1


def test_an_answer_is_used_for_a_day(make: Any, clock: Clock, registry: responses.RequestsMock) -> None:
    registry.get(ADDRESS, body=page(record()))
    registry.get(ADDRESS, body=page(record("NCT99990002")))
    make(clinicaltrials_gov=True).refresh()
    again = make(clinicaltrials_gov=True)
    clock.now = AT + KEEP - timedelta(seconds=1)
    again.refresh()
    assert (ids(again), len(registry.calls)) == (["NCT99990001"], 1)
    clock.now = AT + KEEP
    again.refresh()
    assert (ids(again), len(registry.calls)) == (["NCT99990002"], 2)


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (b"<html>maintenance</html>", 200, "unknown-shape"),
        (json.dumps({"studies": [{"other": "form"}]}).encode(), 200, "unknown-shape"),
        (b"", 404, "status-404"),
        (b"", 503, "status-503"),
    ],
)
def test_a_bad_answer_keeps_the_old_list_and_logs_no_word_of_it(
    make: Any,
    clock: Clock,
    registry: responses.RequestsMock,
    caplog: pytest.LogCaptureFixture,
    body: bytes,
    status: int,
    reason: str,
) -> None:
    registry.get(ADDRESS, body=page(record()))
    sources = make(clinicaltrials_gov=True)
    sources.refresh()
    clock.now = AT + KEEP
    registry.replace(responses.GET, ADDRESS, body=body, status=status)
    with caplog.at_level(logging.WARNING, logger="relapse_cds"):
        sources.refresh()
    assert ids(sources) == ["NCT99990001"]
    line = json.loads(caplog.records[-1].getMessage())
    assert line == {"event": "trial-list-kept", "source": "registry", "reason": reason}
    assert "maintenance" not in caplog.text


def test_a_list_that_could_only_be_read_in_part_says_so(make: Any, registry: responses.RequestsMock) -> None:
    registry.get(ADDRESS, body=page(record(), {"protocolSection": {}}))
    sources = make(clinicaltrials_gov=True)
    sources.refresh()
    (found,) = sources.view().lists
    assert (found.complete, found.faults) == (False, ("studies that could not be read: 1",))


def test_switched_off_again_the_registrys_answer_is_not_used(
    make: Any, registry: responses.RequestsMock
) -> None:
    registry.get(ADDRESS, body=page(record()))
    make(clinicaltrials_gov=True).refresh()
    sources = make()
    sources.load()
    assert sources.view().lists == ()


def test_an_imported_answer_needs_no_switch_and_is_never_replaced_by_the_background(
    make: Any, tmp_path: Path, clock: Clock, registry: responses.RequestsMock
) -> None:
    cache = FileTrialCache(tmp_path / "cache" / "answer.json")
    keep(cache, import_answer([page(record()), page(record("NCT99990002"))], AT), vocabulary())
    clock.now = AT + timedelta(days=9)
    for sources in (make(), make(clinicaltrials_gov=True)):
        sources.refresh()
        assert ids(sources) == ["NCT99990001", "NCT99990002"]
        assert sources.view().lists[0].label == "ClinicalTrials.gov (imported file)"
    assert len(registry.calls) == 0


def test_what_cannot_be_understood_is_not_imported() -> None:
    cache = MemoryTrialCache()
    old = keep(cache, import_answer([page(record())], AT), vocabulary())
    with pytest.raises(UnknownShape):
        import_answer([b'{"entry": []}'], AT)
    with pytest.raises(UnknownShape):
        keep(cache, import_answer([page({"protocolSection": {}})], AT), vocabulary())
    assert registry_list(cache.load(), vocabulary()) == old


def test_an_empty_answer_replaces_the_list() -> None:
    cache = MemoryTrialCache()
    assert keep(cache, import_answer([page(total=0)], AT), vocabulary()).studies == ()
    assert cache.load() is not None


def test_a_changed_catalogue_is_read_again_and_a_broken_entry_keeps_the_rest(
    make: Any, tmp_path: Path
) -> None:
    path = tmp_path / "trials.toml"
    entry = '[[studies]]\nid = "{}"\ntitle = "t"\nstatus = "{}"\nstatus_date = 2026-10-01\n'
    head = '[list]\nlabel = "Office"\nmaintained = 2026-11-01\n'
    path.write_text(head + entry.format("A", "recruiting"))
    sources = make(catalogue=str(path))
    sources.load()
    assert ids(sources) == ["A"]
    path.write_text(head + entry.format("A", "recruiting") + entry.format("B", "maybe"))
    import os

    os.utime(path, (1, 1))
    sources.refresh()
    assert ids(sources) == ["A"]
    assert not sources.view().lists[0].complete
    assert len(sources.faults) == 1


def test_a_missing_catalogue_is_an_incomplete_list(make: Any) -> None:
    sources = make(catalogue="/nowhere/trials.toml")
    sources.load()
    (found,) = sources.view().lists
    assert (found.studies, found.complete) == ((), False)


def test_a_cache_that_cannot_be_written_is_logged_and_not_fatal(
    make: Any, tmp_path: Path, registry: responses.RequestsMock, caplog: pytest.LogCaptureFixture
) -> None:
    registry.get(ADDRESS, body=page(record()))
    sources = make(clinicaltrials_gov=True)
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "answer.json").mkdir()
    with caplog.at_level(logging.WARNING, logger="relapse_cds"):
        sources.refresh()
    assert "cache-not-writable" in caplog.text


def test_only_one_process_has_the_turn(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "answer.json"
    with one_at_a_time(path) as first, one_at_a_time(path) as second:
        assert (first, second) == (True, False)
    with one_at_a_time(path) as third:
        assert third


def test_without_the_turn_nobody_is_asked(
    make: Any, tmp_path: Path, registry: responses.RequestsMock
) -> None:
    sources = make(clinicaltrials_gov=True)
    with one_at_a_time(tmp_path / "cache" / "answer.json"):
        sources.refresh()
    assert len(registry.calls) == 0


def test_the_background_refreshes_and_stops(make: Any, registry: responses.RequestsMock) -> None:
    registry.get(ADDRESS, body=page(record()))
    sources = make(clinicaltrials_gov=True)
    done = threading.Event()
    original = sources.refresh

    def refresh() -> None:
        original()
        done.set()

    sources.refresh = refresh
    thread = sources.start()
    assert done.wait(120)
    sources.stop()
    thread.join(120)
    assert not thread.is_alive()
    assert ids(sources) == ["NCT99990001"]


def test_a_fault_of_the_background_is_logged_by_its_type(make: Any, caplog: pytest.LogCaptureFixture) -> None:
    sources = make()

    def refresh() -> None:
        sources.stop()
        raise RuntimeError("a secret")

    sources.refresh = refresh
    with caplog.at_level(logging.ERROR, logger="relapse_cds"):
        sources.start().join(120)
    assert "RuntimeError" in caplog.text
    assert "a secret" not in caplog.text


def test_home_and_search_come_from_the_settings() -> None:
    placed = Settings.embedded(trials={"site_latitude": 1.5, "site_longitude": 2.5, "radius_km": 90}).trials
    home = home_of(placed)
    assert home is not None
    assert (home.latitude, home.longitude, home.radius_km) == (1.5, 2.5, 90.0)
    assert home_of(Settings.embedded().trials) is None
    search = search_of(placed, vocabulary())
    assert (search.latitude, search.radius_km, search.ages, search.sex) == (1.5, 90.0, None, None)


def test_when_an_answer_is_due() -> None:
    assert is_due(None, AT)
    assert is_due(CachedAnswer(AT - KEEP, "api", ()), AT)
    assert not is_due(CachedAnswer(AT, "api", ()), AT)
    assert not is_due(CachedAnswer(AT - 9 * KEEP, FROM_FILE, ()), AT)


def test_a_file_is_kept_and_read_back(tmp_path: Path) -> None:
    cache = FileTrialCache(tmp_path / "a" / "answer.json")
    assert cache.load() is None
    answer = import_answer([page(record())], AT)
    cache.save(answer)
    found = cache.load()
    assert found is not None
    assert (found.fetched_at, found.origin) == (AT, FROM_FILE)
    assert [json.loads(one) for one in found.records] == [record()]
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["answer.json"]


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"\xff", b'{"fetchedAt": "2026-11-20T09:00:00", "origin": "api", "studies": []}']
)
def test_a_damaged_file_is_no_answer(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "answer.json"
    path.write_bytes(content)
    assert FileTrialCache(path).load() is None


def test_every_fact_of_the_demonstration_list_is_one_a_patient_can_have(make: Any) -> None:
    sources = make(catalogue="demo")
    sources.load()
    assert {one.fact for one in sources.view().index.criteria} <= set(TrialFact)


def on_server(make: Any, **changes: Any) -> TrialSources:
    tenant = {"id": "t", "fhir_servers": ("https://ehr.example.org/fhir",), "open_fhir": True, **changes}
    settings = Settings.embedded(
        tenants=(tenant,), trials={"catalogue": "demo", "fhir_servers": True, "cache_file": None}
    )
    return TrialSources(settings, vocabulary(), clock=lambda: AT)


def test_studies_of_a_tenants_open_server_are_seen_by_that_tenant_alone(
    make: Any, registry: responses.RequestsMock
) -> None:
    study = {
        "resourceType": "ResearchStudy",
        "id": "1",
        "title": "Fictional study in relapsed acute lymphoblastic leukaemia",
        "status": "active",
    }
    bundle = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": study}]}
    registry.get("https://ehr.example.org/fhir/ResearchStudy", json=bundle)
    sources = on_server(make)
    sources.refresh()
    own = [placed.study.id for placed in sources.view("t").index.placed]
    assert "ResearchStudy/1" in own
    assert "DEMO-ALL-001" in own
    assert "ResearchStudy/1" not in ids(sources)
    assert "Authorization" not in registry.calls[0].request.headers


def test_a_server_that_wants_a_token_is_not_asked(make: Any, registry: responses.RequestsMock) -> None:
    on_server(make, open_fhir=False).refresh()
    assert len(registry.calls) == 0


def test_a_server_that_fails_keeps_what_was_read_before(
    make: Any, registry: responses.RequestsMock, caplog: pytest.LogCaptureFixture
) -> None:
    registry.get("https://ehr.example.org/fhir/ResearchStudy", status=500)
    sources = on_server(make)
    with caplog.at_level(logging.WARNING, logger="relapse_cds"):
        sources.refresh()
    assert "server-error" in caplog.text
    assert ids(sources)[0] == "DEMO-ALL-001"
