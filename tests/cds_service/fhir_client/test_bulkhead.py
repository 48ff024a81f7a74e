"""Places of a tenant."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from cds_service.fhir_client.bulkhead import Bulkhead
from tests.faults.readings import reader_of, reading


def test_a_full_bulkhead_says_so_at_once_and_recovers() -> None:
    bulkhead = Bulkhead("general", readings=1, threads=1)
    full = []
    with bulkhead.place() as first:
        full.append(bulkhead.full)
        with bulkhead.place() as second:
            full.append(bulkhead.full)
        full.append(bulkhead.full)
    full.append(bulkhead.full)
    bulkhead.close()
    assert (first, second) == (True, False)
    assert full == [True, True, True, False]


def test_a_failing_reading_gives_its_place_back() -> None:
    bulkhead = Bulkhead("general", readings=1, threads=1)
    with pytest.raises(ZeroDivisionError), bulkhead.place():
        raise ZeroDivisionError
    assert not bulkhead.full
    bulkhead.close()


@pytest.mark.parametrize(("threads", "places"), [(1, 32), (16, 32), (32, 32), (33, 33), (128, 128)])
def test_a_process_has_a_place_for_each_call_that_it_answers(threads: int, places: int) -> None:
    reader = reader_of(threads=threads)
    with reading("http://127.0.0.1:9/fhir", reader=reader) as opened, ExitStack() as held:
        bulkhead = opened._bulkhead
        taken = [held.enter_context(bulkhead.place()) for _ in range(places + 1)]
        assert taken == [True] * places + [False]
    reader.close()
