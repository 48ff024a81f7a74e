"""A sample of charts with ALL from a FHIR server, written as a small export: whatever the rules may read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

from cds_service.cohort.fhir_requests import CommandClient
from cds_service.cohort.heads import head_of, patients_of
from cds_service.cohort.plan import candidates
from cds_service.cohort.rules import Rules
from cds_service.cohort.site import Unusable
from cds_service.cohort.work_folder import make_private, replacing

CODES_A_QUERY = 25
PAGE = 100


def write_sample(client: CommandClient, rules: Rules, sample: int, folder: Path) -> None:
    """Writes the charts of up to ``sample`` patients with ALL below ``folder``. Raises Unusable."""
    patients = sorted(_patients(client, rules, sample))
    if not patients:
        raise Unusable(f"{client.base.url}: no patient with a code of ALL is found there")
    make_private(folder)
    kinds = sorted({need.resource_type for need in rules.knowledge.needs} - {"Patient"})
    for kind in ("Patient", *kinds):
        with replacing(folder / f"{kind}.ndjson") as file:
            for patient in patients:
                for line in client.search(_query(kind, patient, rules)):
                    file.write(line + b"\n")


def _patients(client: CommandClient, rules: Rules, sample: int) -> set[str]:
    """Patients whose Conditions the first look opens, found by the codes of ALL."""
    found: set[str] = set()
    for codes in _codes(rules):
        query = ",".join(quote(code, safe=":/.|") for code in codes)
        for line in client.search(f"Condition?code={query}&_count={PAGE}"):
            head = head_of(line)
            if head is not None and patients_of(head):
                found |= candidates([line], rules)
            if len(found) >= sample:
                return found
    return found


def _codes(rules: Rules) -> Iterator[Sequence[str]]:
    known = rules.knowledge.vocabulary.diagnoses
    every = sorted(
        f"{system}|{code}"
        for code, systems in known.items()
        for system, meaning in systems.items()
        if meaning.kind.value == "all"
    )
    for first in range(0, len(every), CODES_A_QUERY):
        yield every[first : first + CODES_A_QUERY]


def _query(kind: str, patient: str, rules: Rules) -> str:
    parameter = next(need.patient_parameter for need in rules.knowledge.needs if need.resource_type == kind)
    more = "&_include=MedicationRequest:medication" if kind == "MedicationRequest" else ""
    return f"{kind}?{parameter}={quote(patient, safe='')}&_count={PAGE}{more}"
