"""Places of a tenant."""

from __future__ import annotations

import pytest

from cds_service.fhir_client.bulkhead import Bulkhead


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
