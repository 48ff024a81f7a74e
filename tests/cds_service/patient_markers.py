"""Many patients at once: every chart is full of its patient's marker, and no answer may hold another's.

Some calls bring their data, the others let the service read a FHIR server that opens a chart only to the
token of that chart. The service is gunicorn with threads, in processes of its own, over real sockets.
"""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

from cds_service.demo.demo_patients import load_patients
from cds_service.settings.model import Settings, Tenant
from tests.cds_service.charts import HOOK_INSTANCE, Json, bundle
from tests.cds_service.running import running
from tests.faults.wire import Answer, Asked, LoopbackServer

TODAY = date(2026, 11, 20)
AT = datetime.combine(TODAY, time(12), UTC)
TEMPLATE = "early-marrow"
FETCHED_SHARE = 4
"""Every fourth call is read by the service itself."""
_MARKER = re.compile(r"MARK-\d{4}")
_PERCENT = re.compile(r"\d+\.\d\d(?= ?%)")


@dataclass(frozen=True)
class Marked:
    """A patient whose every resource has the marker in its id, and a marrow result that nobody else has."""

    marker: str
    percent: str
    by_type: Mapping[str, list[Json]]

    @property
    def token(self) -> str:
        """The access token that opens this chart."""
        return f"token-of-{self.marker}"


@dataclass
class Seen:
    """What came of the calls. ``mixed`` and ``unanswered`` should be empty."""

    answered: Counter[str] = field(default_factory=Counter)
    mixed: list[str] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)
    wrong_tokens: list[str] = field(default_factory=list)


def marked_patients(count: int) -> list[Marked]:
    """Patients in marrow relapse who differ in their marker and in one result."""
    chart = next(patient for patient in load_patients(TODAY) if patient.id == TEMPLATE)
    return [_marked(json.dumps(chart.resources), number) for number in range(count)]


def _marked(text: str, number: int) -> Marked:
    marker = f"MARK-{number:04}"
    percent = f"{51 + number / 10:.1f}5"
    by_type: dict[str, list[Json]] = {}
    for resource in json.loads(text.replace(TEMPLATE, marker)):
        by_type.setdefault(resource["resourceType"], []).append(resource)
    for observation in by_type["Observation"]:
        if "marrow-lymphoblasts" in observation["id"] and "valueQuantity" in observation:
            observation["valueQuantity"]["value"] = float(percent)
    return Marked(marker, percent, by_type)


def ask_all(patients: list[Marked], calls: int, at_once: int, folder: Path) -> Seen:
    """Open the charts again and again, ``at_once`` at a time, and look at every answer."""
    seen = Seen()
    with LoopbackServer(_FhirServer(patients, seen)) as fhir:
        base = f"{fhir.url}/fhir"
        tenant = Tenant(id="general", fhir_servers=(base,), allow_private=True, habits="smart")
        settings = Settings.embedded(
            tenants=(tenant,), workers=2, threads=16, explain=True, deadline_ms=30_000, log_level="error"
        )
        with running(settings, AT, folder) as service, ThreadPoolExecutor(at_once) as pool:
            caller = _Caller(f"{service.url}/cds-services/all-relapse", base, seen)
            for number in range(calls):
                pool.submit(caller.call, patients[number * 7 % len(patients)], number % FETCHED_SHARE == 0)
    return seen


def _unseen(body: Json) -> list[str]:
    """The needs that an answer names as not seen."""
    missing: list[str] = body["extension"]["org.relapse-cds.assessment"].get("missing", [])
    return missing


class _FhirServer:
    """Opens a chart to its own token only."""

    def __init__(self, patients: list[Marked], seen: Seen) -> None:
        self._charts = {patient.marker: patient for patient in patients}
        self._seen = seen

    def __call__(self, asked: Asked) -> Answer:
        url = urlsplit(asked.target)
        kind, _, wanted = url.path.removeprefix("/fhir/").partition("/")
        wanted = wanted or parse_qs(url.query)["patient"][0]
        chart = self._charts[wanted]
        if asked.headers.get("authorization") != f"Bearer {chart.token}":
            self._seen.wrong_tokens.append(wanted)
            return Answer(403)
        found = chart.by_type.get(kind, [])
        return Answer(
            body=json.dumps(found[0] if kind == "Patient" else bundle(*found, total=len(found))).encode()
        )


class _Caller:
    """Calls the service and looks at what it says."""

    def __init__(self, url: str, base: str, seen: Seen) -> None:
        self._url = url
        self._base = base
        self._seen = seen
        self._own = threading.local()

    def call(self, patient: Marked, fetched: bool) -> None:
        """Open one chart."""
        try:
            reply = self._session().post(self._url, json=self._body(patient, fetched), timeout=120)
        except requests.RequestException as error:
            self._seen.unanswered.append(type(error).__name__)
            return
        if reply.status_code != 200 or not reply.json()["cards"]:
            self._seen.unanswered.append(f"{reply.status_code} {reply.text[:300]}")
            return
        markers, percents = set(_MARKER.findall(reply.text)), set(_PERCENT.findall(reply.text))
        if markers - {patient.marker} or percents - {patient.percent}:
            self._seen.mixed.append(
                f"{patient.marker} {patient.percent}: {sorted(markers)} {sorted(percents)}"
            )
            return
        if not (markers and percents):
            # Something could not be read in time, and the answer says so; it holds nothing of anybody else.
            self._seen.unanswered.append(f"without the marrow: {', '.join(_unseen(reply.json()))}")
            return
        self._seen.answered[patient.marker] += 1

    def _session(self) -> requests.Session:
        if not hasattr(self._own, "session"):
            self._own.session = requests.Session()
            self._own.session.trust_env = False
        session: requests.Session = self._own.session
        return session

    def _body(self, patient: Marked, fetched: bool) -> dict[str, Any]:
        body: dict[str, Any] = {
            "hook": "patient-view",
            "hookInstance": HOOK_INSTANCE,
            "context": {"userId": "Practitioner/1", "patientId": patient.marker},
            "fhirServer": self._base,
        }
        if fetched:
            body["fhirAuthorization"] = {
                "access_token": patient.token,
                "token_type": "Bearer",
                "expires_in": 300,
                "scope": "patient/*.read",
                "subject": "cds",
            }
        else:
            everything = [one for kind, some in patient.by_type.items() if kind != "Patient" for one in some]
            body["prefetch"] = {
                "patient": patient.by_type["Patient"][0],
                "conditions": bundle(*patient.by_type["Condition"]),
                "marrow": bundle(*everything),
                "blood": bundle(),
                "csf": bundle(),
            }
        return body
