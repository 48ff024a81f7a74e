"""Whatever goes wrong on the way, no data are missed in silence and no deadline is overrun."""

from __future__ import annotations

import pytest

from fhir_mappings.assessment import Availability
from tests.faults.fault_matrix import ON_A_QUIET_MACHINE, Outcome, faultless, run_matrix
from tests.faults.fault_modes import EITHER, HARMLESS, MODES
from tests.faults.fault_proxy import FaultProxy
from tests.faults.little_fhir import BASE, NEEDS, LittleFhir
from tests.faults.readings import reader_of, reading


def assert_clean(outcome: Outcome) -> None:
    assert outcome.silent == []
    assert outcome.overruns == []


@pytest.mark.req("E6")
@pytest.mark.req("T1")
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_no_silent_miss_and_no_overrun_in_random_runs(seed: int) -> None:
    outcome = run_matrix(60, seed, 0.4)
    assert_clean(outcome)
    assert outcome.reasons["known"] > 0
    assert len(outcome.reasons) > 5


@pytest.mark.slow
def test_no_silent_miss_and_no_overrun_in_ten_thousand_runs() -> None:
    assert_clean(run_matrix(10_000, 2026, 0.4, ON_A_QUIET_MACHINE))


@pytest.mark.parametrize("mode", sorted(MODES))
def test_every_mode_ends_in_the_true_answer_or_in_a_reason(mode: str) -> None:
    respond = LittleFhir()
    truth = faultless(respond)
    seconds = 60.0 if mode in HARMLESS else 0.4
    with (
        FaultProxy(respond, mode) as proxy,
        reading(proxy.url + BASE, seconds, reader=(own := reader_of(max_body_bytes=1_000_000))) as opened,
    ):
        fetched = opened.fetch(NEEDS, "p1")
    own.close()
    known = {
        key: need for key, need in fetched.items() if need.state.availability is not Availability.UNKNOWN
    }
    for key, need in known.items():
        assert sorted(e.resource.id or "" for e in need.entries if e.resource) == sorted(truth[key])
    if mode in HARMLESS:
        assert len(known) == len(NEEDS)
    elif mode not in EITHER:
        assert len(known) < len(NEEDS)
