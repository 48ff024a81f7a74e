"""Charts drawn at random: a leukaemia or none, and results and treatments in any order of events."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

from hypothesis import strategies as st

from fhir_mappings.assess import Knowledge, Subject, as_json, assess, load_knowledge
from fhir_mappings.fhir.decoding import decode

Json = dict[str, Any]

AT = datetime(2024, 6, 4, 12, tzinfo=UTC)
PATIENT = "p1"
LOINC, SNOMED, UCUM = "http://loinc.org", "http://snomed.info/sct", "http://unitsofmeasure.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
_STATUS = "http://terminology.hl7.org/CodeSystem/condition-"
_FIRST, _LAST = date(2021, 1, 1), date(2024, 6, 1)
_DECIDED = (
    "status",
    "phase",
    "relapseNumber",
    "site",
    "eventDate",
    "timing",
    "lineage",
    "sections",
    "options",
)

RESTATED = {
    "%": (("1", 100), ("10*-2", 1), ("/100{WBCs}", 1), ("%", 1)),
    "MRD": (("1", 100), ("%", 1)),
    "/uL": (("10*6/L", 1), ("/mm3", 1), ("{cells}/uL", 1), ("/uL", 1)),
    "10*3/uL": (("10*9/L", 1), ("10*3/uL", 1)),
}
"""The same quantity in other units: the unit, and what its number is to be divided by."""


@cache
def knowledge() -> Knowledge:
    """The knowledge inside the package."""
    return load_knowledge()


def person() -> Json:
    """The patient of every chart."""
    return {"resourceType": "Patient", "id": PATIENT, "birthDate": "2014-05-01", "gender": "male"}


def answer(resources: Iterable[Json], at: datetime = AT) -> Json:
    """The assessment of the resources, as JSON."""
    read = [decode(json.dumps(one).encode()).resource for one in resources]
    return as_json(assess(read, at, knowledge(), subject=Subject(PATIENT)))


def decided(found: Json) -> Json:
    """What the rules made of the data, without how the record wrote them."""
    verdicts = [(one["set"], one["id"], one["verdict"]) for one in found.get("criteria", [])]
    kept = {name: found.get(name) for name in _DECIDED if name != "options"}
    return kept | {
        "criteria": verdicts,
        "options": [(one["agent"], one["state"]) for one in found.get("options", [])],
    }


def observation(code: str, day: date, value: Json, status: str = "final", number: int = 0) -> Json:
    """One result."""
    return {
        "resourceType": "Observation",
        "id": f"o{number}",
        "status": status,
        "code": {"coding": [{"system": LOINC, "code": code}]},
        "subject": {"reference": f"Patient/{PATIENT}"},
        "effectiveDateTime": day.isoformat(),
        **value,
    }


def quantity(number: float, unit: str, comparator: str = "") -> Json:
    """The value of a result."""
    found: Json = {"value": number, "unit": unit, "system": UCUM, "code": unit}
    return {"valueQuantity": found | ({"comparator": comparator} if comparator else {})}


def residual(day: date, share: str, status: str = "final", number: int = 0) -> Json:
    """Minimal residual disease in the marrow, recognised by its text: there is no code for it."""
    found = observation("", day, quantity(float(share), "%"), status, number)
    return found | {"code": {"text": "Minimal residual disease (MRD), bone marrow"}}


def full_remission(day: date) -> Json:
    """A disease status that states a full remission."""
    answer = {"coding": [{"system": SNOMED, "code": "103338009"}]}
    return observation("97509-4", day, {"valueCodeableConcept": answer})


_any_day = st.integers(0, (_LAST - _FIRST).days).map(lambda count: _FIRST + timedelta(days=count))
_recent = st.integers(0, 110).map(lambda count: _LAST - timedelta(days=count))
days = st.one_of(_recent, _recent, _any_day)
"""Mostly within the alert window, where an answer can change."""
_percentages = st.sampled_from([0, 1, 2, 4, 5, 6, 20, 25, 26, 49, 50, 51, 78, 100])
_comparators = st.sampled_from(["", "", "", "", "<", ">", "<=", ">="])
_statuses = st.sampled_from(["final", "final", "final", "amended", "preliminary", "entered-in-error"])
_seen = st.booleans().map(lambda seen: {"valueBoolean": seen})


_MATERIALS = {
    "11150-0": "Bone marrow", "50724-4": "Bone marrow", "51101-4": "Bone marrow", "26446-5": "Blood",
    "34922-5": "Blood", "26464-8": "Blood", "26465-5": "CSF", "26454-9": "CSF", "26447-3": "CSF",
    "42209-7": "CSF",
}  # fmt: skip


def _drawn(result: Json, named: bool, stray: str) -> Json:
    """The result with its specimen: none, its own material, or now and then one that contradicts the code."""
    material = stray or _MATERIALS[result["code"]["coding"][0]["code"]]
    return result | ({"specimen": {"display": material}} if named or stray else {})


def _results(code: str, values: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    plain = st.builds(observation, st.just(code), days, values, _statuses)
    strays = st.sampled_from(["", "", "", "", "", "Bone marrow", "Blood", "CSF", "donor marrow"])
    return st.builds(_drawn, plain, st.booleans(), strays)


def _quantities(numbers: st.SearchStrategy[int], unit: str) -> st.SearchStrategy[Json]:
    return st.builds(quantity, numbers, st.just(unit), _comparators)


results = st.one_of(
    _results("11150-0", _quantities(_percentages, "%")),
    _results("50724-4", _quantities(_percentages, "%")),
    _results("26446-5", _quantities(st.sampled_from([0, 1, 2, 10]), "%")),
    _results("26464-8", _quantities(st.integers(1, 30), "10*3/uL")),
    _results("26465-5", _quantities(st.sampled_from([0, 3, 5, 6, 80]), "/uL")),
    _results("26454-9", _quantities(st.sampled_from([0, 9, 10, 2000]), "/uL")),
    _results("42209-7", _seen),
    _results("51101-4", _quantities(st.sampled_from([0, 15, 95]), "%")),
    _results("34922-5", _quantities(st.sampled_from([0, 1, 2, 10]), "%")),
    _results("26447-3", _quantities(st.sampled_from([0, 3, 60]), "%")),
    st.builds(residual, days, st.sampled_from(["0.001", "0.05", "0.9", "1", "6", "25"]), _statuses),
    st.builds(full_remission, days),
)


def condition(code: str, clinical: str, day: date | None, number: int = 0) -> Json:
    """One confirmed diagnosis."""
    made: Json = {
        "resourceType": "Condition",
        "id": f"c{number}",
        "clinicalStatus": {"coding": [{"system": f"{_STATUS}clinical", "code": clinical}]},
        "verificationStatus": {"coding": [{"system": f"{_STATUS}ver-status", "code": "confirmed"}]},
        "code": {"coding": [{"system": SNOMED, "code": code}]},
        "subject": {"reference": f"Patient/{PATIENT}"},
    }
    return made | ({"onsetDateTime": day.isoformat()} if day else {})


leukaemias = st.builds(
    condition,
    st.sampled_from(["277571004", "277575008", "91857003", "425941003"]),
    st.sampled_from(["active", "active", "remission", "relapse"]),
    st.one_of(st.just(date(2020, 12, 1)), st.just(date(2020, 12, 1)), st.none(), _any_day),
)
first_remissions = st.lists(st.just(full_remission(date(2021, 2, 1))), max_size=1)


def _done(kind: str, code: str, system: str, day: date) -> Json:
    made: Json = {"resourceType": kind, "status": "completed", "subject": {"reference": f"Patient/{PATIENT}"}}
    concept = {"coding": [{"system": system, "code": code}]}
    if kind == "Procedure":
        return made | {"code": concept, "performedDateTime": day.isoformat()}
    return made | {"intent": "order", "medicationCodeableConcept": concept, "authoredOn": day.isoformat()}


def _given_growth_factor(day: date) -> Json:
    made = _done("MedicationRequest", "68442", RXNORM, day) | {"resourceType": "MedicationAdministration"}
    return made | {"effectiveDateTime": day.isoformat()}


def _reinduction(day: date, weeks: int) -> Json:
    """A treatment plan of the chart's first leukaemia, which stands first and so has the id r0."""
    return {
        "resourceType": "CarePlan",
        "status": "completed",
        "intent": "plan",
        "subject": {"reference": f"Patient/{PATIENT}"},
        "addresses": [{"reference": "Condition/r0"}],
        "period": {"start": day.isoformat(), "end": (day + timedelta(weeks=weeks)).isoformat()},
    }


treatments = st.one_of(
    st.builds(_given_growth_factor, days),
    st.builds(_reinduction, days, st.integers(3, 8)),
    st.builds(_done, st.just("Procedure"), st.just("23719005"), st.just(SNOMED), days),
    st.builds(_done, st.just("Procedure"), st.just("277762005"), st.just(SNOMED), days),
    st.builds(_done, st.just("MedicationRequest"), st.just("103"), st.just(RXNORM), days),
    st.builds(_done, st.just("MedicationRequest"), st.just("1597258"), st.just(RXNORM), days),
)


def _numbered(parts: tuple[Sequence[Json], ...]) -> list[Json]:
    """Ids by place, so that no two resources share one."""
    every = [one for part in parts for one in part]
    return [person(), *({**one, "id": f"r{number}"} for number, one in enumerate(every))]


charts = st.tuples(
    st.lists(leukaemias, max_size=2),
    first_remissions,
    st.lists(results, max_size=8),
    st.lists(treatments, max_size=2),
).map(_numbered)
"""Any chart, with leukaemia or without."""

leukaemia_charts = st.tuples(
    st.lists(leukaemias, min_size=1, max_size=2),
    first_remissions,
    st.lists(results, max_size=8),
    st.lists(treatments, max_size=2),
).map(_numbered)
"""A chart with leukaemia in it."""


def _puncture(day: date, cells: int, red: int) -> list[Json]:
    return [
        observation("26465-5", day, quantity(cells, "/uL")),
        observation("26454-9", day, quantity(red, "/uL")),
        observation("42209-7", day, {"valueBoolean": True}),
    ]


_disease = st.one_of(
    st.builds(
        observation,
        st.sampled_from(["11150-0", "50724-4"]),
        _recent,
        st.builds(quantity, st.sampled_from([5, 12, 26, 51, 78]), st.just("%")),
    ).map(lambda one: [one]),
    st.builds(
        observation, st.just("26446-5"), _recent, st.builds(quantity, st.sampled_from([2, 30]), st.just("%"))
    ).map(lambda one: [one]),
    st.builds(residual, _recent, st.sampled_from(["0.9", "6", "25"])).map(lambda one: [one]),
    st.builds(_puncture, _recent, st.sampled_from([3, 5, 6, 80]), st.sampled_from([0, 10, 2000])),
)
_second_remissions = st.lists(_recent.map(full_remission), max_size=1)

diseased_charts = st.tuples(
    st.sampled_from(["277571004", "277575008", "91857003"]).map(
        lambda code: [condition(code, "active", date(2020, 12, 1))]
    ),
    first_remissions,
    st.lists(_disease, min_size=1, max_size=3).map(lambda found: [one for each in found for one in each]),
    _second_remissions,
    st.lists(results, max_size=5),
    st.lists(treatments, max_size=3),
).map(_numbered)
"""A chart with leukaemia and with something in it that looks like disease: most answers say something."""


def _other(kind: str, system: str, code: str) -> Json:
    return {
        "resourceType": kind,
        "status": "completed",
        "code": {"coding": [{"system": system, "code": code}]},
        "subject": {"reference": f"Patient/{PATIENT}"},
        "effectiveDateTime": "2024-06-03",
        "valueQuantity": {"value": 99, "unit": "%"},
    }


unrelated = st.sampled_from(
    [
        _other("Observation", LOINC, "2951-2"),
        _other("Observation", "http://ehr.example.org/labs", "K-4711"),
        _other("Observation", LOINC, "11118-7") | {"status": "final"},
        _other("Condition", SNOMED, "195967001"),
        _other("Procedure", SNOMED, "430193006"),
        _other("DiagnosticReport", LOINC, "11150-0"),
        _other("AllergyIntolerance", SNOMED, "277571004"),
        {"resourceType": "Encounter", "status": "finished", "subject": {"reference": f"Patient/{PATIENT}"}},
        {"resourceType": "Organization", "name": "A hospital"},
        _other("Observation", LOINC, "29463-7") | {"specimen": {"display": "Bone marrow"}, "status": "final"},
        _other("MedicationRequest", RXNORM, "161") | {"status": "active", "intent": "order"},
        _other("ServiceRequest", SNOMED, "73761001") | {"status": "active", "intent": "order"},
        _other("ImagingStudy", SNOMED, "277571004"),
        {
            "resourceType": "FamilyMemberHistory",
            "status": "completed",
            "patient": {"reference": f"Patient/{PATIENT}"},
            "relationship": {"text": "brother"},
            "condition": [{"code": {"coding": [{"system": SNOMED, "code": "91857003"}]}}],
        },
    ]
).map(lambda one: {**one, "id": "unrelated"})
"""Resources that no rule reads."""
