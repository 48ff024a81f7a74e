"""One readiness run: an export, or a sample from a server, and where asked the terminology server."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from cds_service.cohort.fhir_requests import CommandClient
from cds_service.cohort.local import Job, Run, run_local
from cds_service.cohort.progress import shown
from cds_service.cohort.readiness import proposed_codes, readiness, readiness_text
from cds_service.cohort.results import write_errors, write_json
from cds_service.cohort.running import Order, begun, note_run, stamp, telling_faults
from cds_service.cohort.server_sample import write_sample
from cds_service.cohort.survey import run_survey
from cds_service.cohort.terminology import checked, terminology_text
from cds_service.cohort.work_folder import make_private, replacing


@dataclass(frozen=True, slots=True)
class Servers:
    """The servers that were named, and how they may be reached."""

    fhir: str = ""
    terminology: str = ""
    token: str = ""
    allow_private: bool = False
    sample: int = 50


def run_readiness(order: Order, servers: Servers) -> tuple[str, int]:
    """Writes the files; returns the text and how many lines could not be read. Raises Unusable."""
    with telling_faults(order):
        if servers.fhir:
            order = _sampled(order, servers)
        rules, shards, work = begun(order, "local")
        run = Run(tuple(shards), Job(order.source, order.at, order.out), order.workers)
        with shown() as progress:
            outcome = run_local(run, progress)
            codes = run_survey(run, progress)
        found: dict[str, Any] = {
            **stamp(order, rules),
            **readiness(outcome.rows(), codes, outcome.types, rules),
        }
        text = readiness_text(found, order.small_cells)
        if servers.terminology:
            client = _client(order, servers, servers.terminology, "")
            terminology = checked(client, rules.knowledge)
            client.close()
            write_json(terminology, order.out / "terminology.json")
            text += terminology_text(terminology)
        write_json(found, order.out / "readiness.json")
        _write_text(order, "readiness.txt", text)
        _write_text(order, "codes.toml", proposed_codes(found, order.source.tenant))
        write_errors(outcome.faults, order.out)
        note_run(order, found["patients"], found["opened"], outcome.fault_count)
        work.remove()
    return text, outcome.fault_count


def _sampled(order: Order, servers: Servers) -> Order:
    """The order over a sample of the server's charts."""
    make_private(order.out)
    folder = order.out / "sample"
    client = _client(order, servers, servers.fhir, servers.token)
    try:
        write_sample(client, order.source.load(), servers.sample, folder)
    finally:
        client.close()
    return replace(order, export=folder, bases=(*order.bases, client.base.url))


def _client(order: Order, servers: Servers, url: str, token: str) -> CommandClient:
    authority = order.site.settings.ca_file
    return CommandClient(url, token, allow_private=servers.allow_private, ca_file=str(authority or ""))


def _write_text(order: Order, name: str, text: str) -> None:
    with replacing(order.out / name) as file:
        file.write(text.encode())
