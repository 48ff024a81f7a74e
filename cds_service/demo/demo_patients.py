"""The demonstration patients: one TOML file each, read strictly and dated relative to a day.

A file holds the header (``id``, ``given``, ``family``, ``sex``, ``born``), a ``story`` of one
sentence, the ``record`` table of ``fhir_mappings.records.written_record``, and under ``[expect]`` the
``status`` and the card topics (``cards``) that the service is expected to answer with. ``display_suffix`` is
optional: text put behind every display string of the chart.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from cds_service.demo.chart_ids import JsonObject, with_own_ids, with_suffix
from cds_service.demo.patient_files import content_faults, line_of
from fhir_mappings.assess import Answer, Moment, whole_years
from fhir_mappings.records import (
    PatientHeader,
    RecordError,
    build_resources,
    read_table,
    resolve_date,
)


class CohortError(ValueError):
    """Patient files that cannot be read. The message has one line per fault: file, line, reason."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the service should answer: the status word and the topics of the cards, in order."""

    status: str
    topics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DemoPatient:
    """A synthetic patient with the whole chart as FHIR resources, the Patient first."""

    id: str
    given: str
    family: str
    sex: str
    age_years: int
    story: str
    expect: Expectation
    resources: tuple[JsonObject, ...]

    @property
    def name(self) -> str:
        """Given and family name."""
        return f"{self.given} {self.family}"


def load_patients(today: date, directory: Traversable | None = None) -> tuple[DemoPatient, ...]:
    """Every patient of the package (or of a directory of TOML files), in order of file name.

    ``today`` is the day T of the relative dates.

    Raises:
        CohortError: with every fault of every file.
    """
    place = directory or files("cds_service.demo") / "patients"
    found = (file for file in place.iterdir() if file.name.endswith(".toml"))
    patients: list[DemoPatient] = []
    faults: list[str] = []
    for source in sorted(found, key=lambda file: file.name):
        try:
            patients.append(read_patient(source.read_text("utf-8"), source.name, today))
        except CohortError as fault:
            faults.append(str(fault))
    faults += _same_ids(patients)
    if faults:
        raise CohortError("\n".join(faults))
    return tuple(patients)


def read_patient(text: str, name: str, today: date) -> DemoPatient:
    """One patient file. ``name`` is what messages call the file.

    Raises:
        CohortError: with every fault of the file.
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise CohortError(f"{name}: {fault}") from None
    faults = [f"{name}:{line_of(text, key)}: {reason}" for key, reason in content_faults(content)]
    if faults:
        raise CohortError("\n".join(faults))
    try:
        return _patient(content, text, today)
    except RecordError as fault:
        line, reason = _place_of(str(fault), line_of(text, "born"))
        raise CohortError(f"{name}:{line}: {reason}") from None


def _patient(content: Mapping[str, Any], text: str, today: date) -> DemoPatient:
    header = PatientHeader(
        id=content["id"],
        sex=content["sex"],
        born=content["born"],
        given=content["given"],
        family=content["family"],
    )
    # The table starts on the line below its key; empty lines in front make its line numbers the file's.
    table = "\n" * line_of(text, "record") + content["record"]
    resources = build_resources(header, read_table(table), today=today)
    suffix = content.get("display_suffix", "")
    return DemoPatient(
        id=header.id,
        given=header.given,
        family=header.family,
        sex=header.sex,
        age_years=_age(header.born, today),
        story=content["story"],
        expect=Expectation(content["expect"]["status"], tuple(content["expect"]["cards"])),
        resources=tuple(with_suffix(resource, suffix) for resource in with_own_ids(resources, header.id)),
    )


def _age(born: str, today: date) -> int:
    """Completed years; the birth date of a demonstration patient is an exact day."""
    try:
        age = whole_years(Moment.on(date.fromisoformat(resolve_date(born, today))), Moment.on(today))
    except ValueError:
        age = Answer.UNSURE
    if isinstance(age, Answer) or age < 0:
        raise RecordError("'born' must be an exact day in the past, such as T-9y")
    return age


def _same_ids(patients: list[DemoPatient]) -> list[str]:
    counts = Counter(patient.id for patient in patients)
    return [
        f"the patient id '{name}' is used by more than one file"
        for name, count in counts.items()
        if count > 1
    ]


def _place_of(message: str, otherwise: int) -> tuple[int, str]:
    found = re.fullmatch(r"line (\d+): (.*)", message, re.DOTALL)
    return (int(found[1]), found[2]) if found else (otherwise, message)
