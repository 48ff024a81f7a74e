"""The demonstration as a fixture: started once, used by every test of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from cds_service.demo.application import DemoPlace


@pytest.fixture(scope="session")
def demo_service() -> Iterator[DemoPlace]:
    """The running service; its address is ``url``, the sandbox's ``fhir_server``."""
    # Imported here: most tests of this folder need nothing of the service.
    from tests.live_service import live_demo

    with live_demo() as place:
        yield place
