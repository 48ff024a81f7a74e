"""The circuit breaker's states."""

from __future__ import annotations

from cds_service.fhir_client.breaker import FAILURES_IN_A_ROW, OPEN_SECONDS, Breaker


class Clock:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def opened(clock: Clock) -> Breaker:
    breaker = Breaker(clock=clock)
    for _ in range(FAILURES_IN_A_ROW):
        assert breaker.enter()
        breaker.report(False)
    return breaker


def test_it_opens_after_failures_in_a_row() -> None:
    breaker = opened(Clock())
    assert not breaker.enter()
    assert not breaker.admits()


def test_a_success_between_keeps_it_closed() -> None:
    breaker = Breaker(clock=Clock())
    for _ in range(9):
        breaker.report(False)
        breaker.report(True)
    assert breaker.enter()


def test_it_opens_when_half_of_a_full_window_failed() -> None:
    breaker = Breaker(clock=Clock())
    for _ in range(10):
        breaker.report(True)
        breaker.report(False)
    assert not breaker.enter()


def test_one_reading_is_the_probe() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now = OPEN_SECONDS
    assert breaker.enter()
    assert breaker.admits()
    assert not breaker.enter()


def test_a_good_probe_closes_it() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now = OPEN_SECONDS
    breaker.enter()
    breaker.report(True)
    assert breaker.enter()
    assert breaker.enter()
    breaker.report(False)
    assert breaker.admits()


def test_a_bad_probe_opens_it_again() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now = OPEN_SECONDS
    breaker.enter()
    breaker.report(False)
    assert not breaker.admits()
    assert not breaker.enter()
    clock.now = 2 * OPEN_SECONDS
    assert breaker.enter()


def test_a_probe_that_never_reports_does_not_block_for_ever() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now = OPEN_SECONDS
    assert breaker.enter()
    clock.now = 2 * OPEN_SECONDS
    assert breaker.enter()


def test_it_tells_of_its_changes_alone() -> None:
    clock, told = Clock(), list[bool]()
    breaker = Breaker(told.append, clock)
    for _ in range(FAILURES_IN_A_ROW + 3):
        breaker.report(False)
    assert told == [True]
    breaker.report(True)
    breaker.report(True)
    assert told == [True, False]
