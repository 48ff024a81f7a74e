"""What one running service is made of, and how a request finds it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any, cast

from flask import Flask, current_app

from cds_service.auth import Verifier
from cds_service.evaluation.audit_trail import Recorder
from cds_service.evaluation.evaluator import Evaluator
from cds_service.fhir_client.access import Reader
from cds_service.hooks import HookService
from cds_service.http.rate_limit import CallRate
from cds_service.observability import tracing
from cds_service.settings.model import Settings
from cds_service.store import Store
from cds_service.trials.referral import TrialReferrals
from cds_service.wire.source_attributes import SourceAttributes
from fhir_mappings.assess import Knowledge

Clock = Callable[[], datetime]
"""The moment of evaluation, with a time zone."""

_KEY = "relapse_cds"


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of one service; made once by ``create_app``."""

    settings: Settings
    clock: Clock
    knowledge: Knowledge
    store: Store
    verifier: Verifier
    reader: Reader
    evaluator: Evaluator
    recorder: Recorder
    trials: TrialReferrals
    rate: CallRate
    services: Mapping[str, HookService]
    discovery: dict[str, Any]
    attributes: SourceAttributes
    metrics_dir: str = ""

    def close(self) -> None:
        """Writes what is noted and lets go of threads and connections; nothing is answered afterwards."""
        self.recorder.close()
        self.verifier.stop()
        self.trials.stop()
        self.reader.close()
        self.store.close()
        tracing.stop()


def software_version() -> str:
    """The version of the installed distribution."""
    try:
        return version("relapse-cds")
    except PackageNotFoundError:
        return "not-installed"


def attach(app: Flask, parts: Parts) -> None:
    """Makes the parts of an application known to its requests."""
    app.extensions[_KEY] = parts


def parts_of(app: Flask | None = None) -> Parts:
    """The parts of an application, or of the one that answers now."""
    return cast(Parts, (app or current_app).extensions[_KEY])
