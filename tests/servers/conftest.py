"""The servers, each started once for all tests of this folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest

from tests.servers.hosting import NotInstalled, hapi_command, medplum_command, running


def _served(command: Callable[[], Sequence[str]]) -> Iterator[str]:
    try:
        start = command()
    except NotInstalled as reason:
        pytest.skip(f"NOT TESTED: {reason}")
    with running(start) as base:
        yield base


@pytest.fixture(scope="session")
def hapi() -> Iterator[str]:
    """The base URL of a HAPI FHIR server."""
    yield from _served(hapi_command)


@pytest.fixture(scope="session")
def medplum() -> Iterator[str]:
    """The base URL of Medplum's router."""
    yield from _served(medplum_command)
