"""A Bulk Data export of any size, written as a stream: the same seed gives the same bytes.

    python -m benchmarks.export --patients 100000 --out /tmp/export

One NDJSON file for each type, about 1.1 KB a resource and 100 resources a patient (65 Observation, 12
Condition, 8 Procedure, 15 MedicationRequest), patients in random order. Every 40th patient is one of the
demonstration's charts (``--demo-every``), every 400th has another leukaemia. A third of the orders refer to
a Medication. Nothing grows with the size: order is a permutation that is computed.
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import IO, Any, cast

from cds_service.demo.demo_patients import load_patients

TODAY = date(2026, 6, 15)
"""The day T of the demonstration's charts."""
BASE = "https://ehr.example.org/fhir"
PER_PATIENT = {"Observation": 65, "Condition": 12, "Procedure": 8, "MedicationRequest": 15}
REFERENCES = ("relative", "absolute", "versioned", "mixed")
OTHER_LEUKAEMIA_EVERY = 400
_DEMO_TYPES = ("CarePlan", "EpisodeOfCare", "MedicationAdministration", "FamilyMemberHistory", "Specimen")

_LABORATORY = (
    ("2951-2", "Sodium [Moles/volume] in Serum or Plasma", "mmol/L", 133, 146),
    ("2823-3", "Potassium [Moles/volume] in Serum or Plasma", "mmol/L", 3, 5),
    ("718-7", "Hemoglobin [Mass/volume] in Blood", "g/dL", 7, 14),
    ("26464-8", "Leukocytes [#/volume] in Blood", "10*3/uL", 2, 11),
    ("26453-1", "Erythrocytes [#/volume] in Blood", "10*6/uL", 3, 5),
    ("777-3", "Platelets [#/volume] in Blood by Automated count", "10*3/uL", 150, 400),
)
_CONDITIONS = (
    ("195967001", "Asthma"),
    ("62315008", "Diarrhea"),
    ("386661006", "Fever"),
    ("271737000", "Anemia"),
    ("65363002", "Otitis media"),
    ("38341003", "Hypertensive disorder, systemic arterial"),
)
_OTHER_LEUKAEMIA = ("91861009", "Acute myeloid leukemia")
_PROCEDURES = (("71388002", "Procedure"), ("430193006", "Medication reconciliation"))
_DRUGS = (
    ("161", "Acetaminophen"),
    ("26225", "Ondansetron"),
    ("10829", "Trimethoprim"),
    ("103", "mercaptopurine"),
    ("6851", "methotrexate"),
    ("11202", "vincristine"),
)
_PADDING = "Reviewed with the family; no change of the plan. " * 4
_META = {
    "versionId": "1",
    "lastUpdated": "2026-05-01T08:30:00.000Z",
    "source": "#3a9f1c2be0d4",
    "profile": ["http://hl7.org/fhir/us/core/StructureDefinition/us-core-resource"],
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What is written."""

    patients: int
    seed: int = 2026
    demo_every: int = 40
    packed: bool = False
    references: str = "relative"
    faults: bool = False


class Permutation:
    """The numbers below ``size`` in an order that looks random and needs no memory."""

    def __init__(self, size: int, seed: int) -> None:
        rng = random.Random(seed)
        self._size = size
        self._offset = rng.randrange(size)
        self._step = rng.randrange(size // 3 or 1, size) | 1
        while math.gcd(self._step, size) != 1:
            self._step += 1

    def __iter__(self) -> Iterator[int]:
        number = self._offset
        for _ in range(self._size):
            yield number
            number = (number + self._step) % self._size


def write_export(plan: Plan, out: Path) -> int:
    """Writes the export; returns how many resources it holds (planted faults are not counted)."""
    out.mkdir(parents=True, exist_ok=True)
    writer = _Writer(plan, out)
    written = writer.patients() + writer.medications()
    for kind, count in PER_PATIENT.items():
        written += writer.background(kind, count)
    for kind in _DEMO_TYPES:
        written += writer.background(kind, 0)
    if plan.faults:
        writer.plant()
    return written


class _Writer:
    def __init__(self, plan: Plan, out: Path) -> None:
        self._plan, self._out = plan, out
        self._charts = [_chart(patient.resources, patient.id) for patient in load_patients(TODAY)]
        self._rng = random.Random(plan.seed)
        self._templates = _templates()

    def patients(self) -> int:
        """Patient: one a patient."""
        plan = self._plan
        with self._file("Patient") as write:
            for number in Permutation(plan.patients, plan.seed):
                if self._demo(number) is None:
                    year, month = 1950 + number % 70, 1 + number % 12
                    write(_PATIENT % (number, number, b"male" if number % 2 else b"female", year, month))
                else:
                    self._write_demo(write, number, "Patient")
        return plan.patients

    def medications(self) -> int:
        """Medication: what a third of the orders refer to."""
        with self._file("Medication") as write:
            for code, title in _DRUGS:
                write(
                    _dumped({"resourceType": "Medication", "id": f"med-{code}", "code": _rxnorm(code, title)})
                )
        return len(_DRUGS)

    def background(self, kind: str, count: int) -> int:
        """All resources of one type; those of a demonstration patient among everybody's."""
        plan, written = self._plan, 0
        with self._file(kind) as write:
            rounds = max(count, 1)
            for turn in range(rounds):
                order = Permutation(plan.patients, plan.seed + 7919 * turn + len(kind))
                for number in order if count else range(0, plan.patients, plan.demo_every):
                    if self._demo(number) is not None:
                        written += self._write_demo(write, number, kind, turn, rounds)
                    elif count:
                        self._write_plain(write, kind, number, turn)
                        written += 1
        if not written:
            self._path(kind).unlink()
        return written

    def plant(self) -> None:
        """Lines that are wrong, each in its own way, in a file of their own and at the ends of others."""
        for kind, lines in _faults().items():
            with self._opened(kind, "ab") as file:
                file.writelines(line + b"\n" for line in lines)
        (self._out / "Observation.999.ndjson.gz").write_bytes(
            gzip.compress(b'{"resourceType":"Obs' * 400)[:-20]
        )

    def _demo(self, number: int) -> list[tuple[str, bytes]] | None:
        every = self._plan.demo_every
        return None if number % every else self._charts[(number // every) % len(self._charts)]

    def _write_demo(
        self, write: Callable[[bytes], Any], number: int, kind: str, turn: int = 0, rounds: int = 1
    ) -> int:
        lines = [line for found, line in self._demo(number) or () if found == kind][turn::rounds]
        for line in lines:
            text = line.replace(b"@PATIENT@", b"p%d" % number)
            write(self._spelled(text, number) + b"\n")
        return len(lines)

    def _write_plain(self, write: Callable[[bytes], Any], kind: str, number: int, turn: int) -> None:
        rng = self._rng
        choices = self._templates[kind]
        other = kind == "Condition" and not turn and number % OTHER_LEUKAEMIA_EVERY == 1
        template = (
            choices[-1] if other else choices[int(rng.random() * (len(choices) - (kind == "Condition")))]
        )
        months = int(rng.random() * 60)
        day = b"%d-%02d-%02d" % (2021 + months // 12, 1 + months % 12, 1 + number % 28)
        line = template % (number, turn, number, day, 1 + int(rng.random() * 99))
        write(self._spelled(line, number))

    def _spelled(self, line: bytes, number: int) -> bytes:
        how = self._plan.references
        if how == "relative":
            return line
        if how == "mixed":
            how = REFERENCES[(number // self._plan.demo_every) % 3]
        old, base = b'"reference":"Patient/', BASE.encode()
        if how == "absolute":
            return line.replace(old, b'"reference":"%b/Patient/' % base)
        if how == "versioned":
            return line.replace(
                b'"reference":"Patient/p%d"' % number, b'"reference":"Patient/p%d/_history/3"' % number
            )
        return line

    def _path(self, kind: str) -> Path:
        return self._out / (f"{kind}.000.ndjson.gz" if self._plan.packed else f"{kind}.000.ndjson")

    def _opened(self, kind: str, mode: str) -> IO[bytes]:
        path = self._path(kind)
        if self._plan.packed:
            return gzip.GzipFile(path, mode, compresslevel=3, mtime=0)  # type: ignore[return-value]
        return cast(IO[bytes], path.open(mode, buffering=1 << 20))

    def _file(self, kind: str) -> _Written:
        return _Written(self._opened(kind, "wb"))


class _Written:
    def __init__(self, file: IO[bytes]) -> None:
        self._stack = ExitStack()
        self._stack.enter_context(file)
        self._file = file

    def __enter__(self) -> Callable[[bytes], Any]:
        return self._file.write

    def __exit__(self, *fault: object) -> None:
        self._stack.close()


_PATIENT = (
    b'{"resourceType":"Patient","id":"p%d","identifier":[{"system":"urn:oid:1.2.36.146.595.217.0.1",'
    b'"value":"MRN%d"}],"active":true,"name":[{"family":"Example","given":["Robin"]}],"gender":"%b",'
    b'"birthDate":"%d-%02d-14"}\n'
)


def _chart(resources: Sequence[Any], patient: str) -> list[tuple[str, bytes]]:
    """The resources of a demonstration patient with ``@PATIENT@`` wherever the patient's id stands."""
    return [
        (str(one["resourceType"]), _dumped(one)[:-1].replace(patient.encode(), b"@PATIENT@"))
        for one in resources
    ]


def _dumped(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def _rxnorm(code: str, title: str) -> Any:
    system = "http://www.nlm.nih.gov/research/umls/rxnorm"
    return {"coding": [{"system": system, "code": code, "display": title}], "text": title}


def _snomed(code: str, title: str) -> Any:
    return {"coding": [{"system": "http://snomed.info/sct", "code": code, "display": title}], "text": title}


def _category(system: str, code: str) -> Any:
    return [{"coding": [{"system": f"http://terminology.hl7.org/CodeSystem/{system}", "code": code}]}]


def _template(kind: str, letter: str, **elements: Any) -> bytes:
    """Bytes with five blanks: patient and number of the id, patient, day, and a number up to 99."""
    whole = {
        "resourceType": kind,
        "id": f"{letter}@ID@",
        "meta": _META,
        **elements,
        "note": [{"text": _PADDING}],
    }
    text = _dumped(whole).replace(b"%", b"%%").replace(b"@ID@", b"%d-%d").replace(b"@PATIENT@", b"p%d")
    return text.replace(b"@DAY@", b"%b").replace(b'"@NUMBER@"', b"%d")


_SUBJECT = {"reference": "Patient/@PATIENT@"}


def _templates() -> dict[str, list[bytes]]:
    return {
        "Observation": [_observation(*one) for one in _LABORATORY],
        "Condition": [_condition(*one) for one in (*_CONDITIONS, _OTHER_LEUKAEMIA)],
        "Procedure": [_procedure(*one) for one in _PROCEDURES],
        "MedicationRequest": [
            _order(code, title, by_reference=number % 3 == 0) for number, (code, title) in enumerate(_DRUGS)
        ],
    }


def _observation(code: str, title: str, unit: str, low: int, high: int) -> bytes:
    ucum = "http://unitsofmeasure.org"
    return _template(
        "Observation",
        "o",
        status="final",
        category=_category("observation-category", "laboratory"),
        code={"coding": [{"system": "http://loinc.org", "code": code, "display": title}], "text": title},
        subject=_SUBJECT,
        effectiveDateTime="@DAY@",
        valueQuantity={"value": "@NUMBER@", "unit": unit, "system": ucum, "code": unit},
        referenceRange=[{"low": {"value": low, "unit": unit}, "high": {"value": high, "unit": unit}}],
    )


def _condition(code: str, title: str) -> bytes:
    return _template(
        "Condition",
        "c",
        clinicalStatus=_category("condition-clinical", "active")[0],
        verificationStatus=_category("condition-ver-status", "confirmed")[0],
        category=_category("condition-category", "problem-list-item"),
        code=_snomed(code, title),
        subject=_SUBJECT,
        onsetDateTime="@DAY@",
        severity={"text": "grade @NUMBER@".replace("@NUMBER@", "2")},
        stage=[
            {
                "summary": {"text": "visit"},
                "extension": [{"url": f"{BASE}/visit", "valueInteger": "@NUMBER@"}],
            }
        ],
    )


def _procedure(code: str, title: str) -> bytes:
    return _template(
        "Procedure",
        "r",
        status="completed",
        code=_snomed(code, title),
        subject=_SUBJECT,
        performedDateTime="@DAY@",
        extension=[{"url": f"{BASE}/visit", "valueInteger": "@NUMBER@"}],
    )


def _order(code: str, title: str, *, by_reference: bool) -> bytes:
    drug: dict[str, Any] = {"medicationCodeableConcept": _rxnorm(code, title)}
    if by_reference:
        drug = {"medicationReference": {"reference": f"Medication/med-{code}", "display": "see Medication"}}
    return _template(
        "MedicationRequest",
        "m",
        status="completed",
        intent="order",
        **drug,
        subject=_SUBJECT,
        authoredOn="@DAY@",
        dispenseRequest={"numberOfRepeatsAllowed": "@NUMBER@"},
    )


def _faults() -> dict[str, list[bytes]]:
    """Planted faults by type of file: what an export really brings."""
    all_code = _snomed("91857003", "Acute lymphoid leukemia")
    subject = {"reference": "Patient/planted-1"}
    return {
        "Condition": [
            b'{"resourceType":"Condition","id":"cut","code":{"coding":[',
            b"not json at all",
            _dumped({"resourceType": "Condition", "id": "nobody", "code": all_code})[:-1],
            _dumped({"resourceType": "Condition", "id": "ill-typed", "code": 5, "subject": subject})[:-1],
            _dumped({"resourceType": "Condition", "id": "caf\u00e9", "subject": subject, "code": all_code})[
                :-1
            ].replace("\u00e9".encode(), b"\xe9"),
            b"",
        ],
        "Observation": [
            b'{"resourceType":"Observation","id":"long","note":[{"text":"'
            + b"x" * (17 * 1024 * 1024)
            + b'"}]}',
            b"[1,2,3]",
            _dumped({"resourceType": "Observation", "id": "no-subject", "status": "final"})[:-1],
            # A Condition in a file of Observations is still a Condition.
            _dumped(
                {
                    "resourceType": "Condition",
                    "id": "astray",
                    "code": all_code,
                    "subject": {"reference": "Patient/planted-2"},
                }
            )[:-1],
        ],
        "Patient": [
            _dumped({"resourceType": "Patient", "id": "planted-1", "gender": "female"})[:-1],
            _dumped({"resourceType": "Patient", "id": "planted-2", "gender": "male"})[:-1],
        ],
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes one export and says how large it is."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.export", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--patients", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument(
        "--demo-every", type=int, default=40, help="every n-th patient is a demo chart; 1: all"
    )
    parser.add_argument("--gzip", action="store_true", help="write .ndjson.gz")
    parser.add_argument("--references", choices=REFERENCES, default="relative")
    parser.add_argument("--faults", action="store_true", help="plant lines that are wrong")
    chosen = parser.parse_args(arguments)
    plan = Plan(
        chosen.patients, chosen.seed, chosen.demo_every, chosen.gzip, chosen.references, chosen.faults
    )
    written = write_export(plan, chosen.out)
    size = sum(file.stat().st_size for file in chosen.out.iterdir())
    print(f"{written:,} resources of {plan.patients:,} patients, {size / 1e6:,.0f} MB, in {chosen.out}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
