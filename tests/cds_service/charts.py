"""Small charts for tests of the service, and a FHIR server that is a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from cds_service.fhir_client import Deadline, RefusedServer
from cds_service.fhir_client.queries import Need
from cds_service.fhir_client.transport import Failed, Reply
from cds_service.http.fhir_base import FhirBase, parse_base
from cds_service.settings.model import Tenant
from fhir_mappings.assessment import Availability, NeedState
from fhir_mappings.fhir.bundles import NeedData
from fhir_mappings.fhir.decoding import decode
from fhir_mappings.fhir.elements import Entry

PATIENT_ID = "p1"
FHIR_SERVER = "https://ehr.example.org/fhir"
HOOK_INSTANCE = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"
TOKEN = "CANARY-access-token"
SNOMED, LOINC, UCUM = "http://snomed.info/sct", "http://loinc.org", "http://unitsofmeasure.org"
EMPTY: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "total": 0}

Json = dict[str, Any]


def bundle(*resources: Json, **more: Any) -> Json:
    """A searchset of the resources."""
    entries = [{"resource": resource} for resource in resources]
    return {"resourceType": "Bundle", "type": "searchset", "entry": entries, **more}


def patient(id: str = PATIENT_ID) -> Json:  # noqa: A002 - the name of the element
    """The patient."""
    return {"resourceType": "Patient", "id": id, "birthDate": "2010-05-01", "gender": "female"}


def condition(code: str, display: str, *, onset: str = "2020-01-01", owner: str = PATIENT_ID) -> Json:
    """A confirmed, active Condition."""
    status = "http://terminology.hl7.org/CodeSystem/condition-"
    return {
        "resourceType": "Condition",
        "id": f"c-{code}",
        "clinicalStatus": {"coding": [{"system": f"{status}clinical", "code": "active"}]},
        "verificationStatus": {"coding": [{"system": f"{status}ver-status", "code": "confirmed"}]},
        "code": {"coding": [{"system": SNOMED, "code": code, "display": display}]},
        "subject": {"reference": f"Patient/{owner}"},
        "onsetDateTime": onset,
        "recordedDate": onset,
    }


def asthma(owner: str = PATIENT_ID) -> Json:
    """A Condition that is no leukaemia."""
    return condition("195967001", "Asthma", owner=owner)


def leukaemia() -> Json:
    """B-cell acute lymphoblastic leukaemia."""
    return condition("277571004", "B-cell acute lymphoblastic leukaemia")


def marrow(percent: float = 1) -> Json:
    """A marrow blast percentage, of a remission where nothing else is said."""
    return {
        "resourceType": "Observation",
        "id": "marrow-1",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "11150-0"}]},
        "subject": {"reference": f"Patient/{PATIENT_ID}"},
        "effectiveDateTime": "2024-06-01",
        "valueQuantity": {
            "value": percent,
            "unit": "%",
            "system": "http://unitsofmeasure.org",
            "code": "%",
        },
    }


def request(prefetch: Mapping[str, Any] | None = None, **more: Any) -> Json:
    """The body of a patient-view call."""
    body: Json = {
        "hook": "patient-view",
        "hookInstance": HOOK_INSTANCE,
        "context": {"userId": "Practitioner/1", "patientId": PATIENT_ID},
        **more,
    }
    return body if prefetch is None else {**body, "prefetch": dict(prefetch)}


def with_server(**more: Any) -> Json:
    """The members of a request that open the FHIR server."""
    authorization = {
        "access_token": TOKEN,
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "patient/*.read",
        "subject": "relapse-cds",
    }
    return {"fhirServer": FHIR_SERVER, "fhirAuthorization": authorization, **more}


def found(value: Json) -> NeedData:
    """What a server's complete answer is for the evaluation."""
    resource = decode(_dump(value)).resource
    entries = (resource.entry or []) if resource.resource_type == "Bundle" else [Entry(resource=resource)]
    return NeedData(NeedState(Availability.PRESENT if entries else Availability.EMPTY), entries)


def failed(reason: str) -> NeedData:
    """What a server's failure is for the evaluation."""
    return NeedData(NeedState(Availability.UNKNOWN, reason))


def _dump(value: Json) -> bytes:
    import orjson

    return orjson.dumps(value)


@dataclass
class TableReader:
    """A FHIR server that answers each need from a table; what is not in it is empty."""

    answers: dict[str, NeedData] = field(default_factory=dict)
    pages: dict[str, NeedData] = field(default_factory=dict)
    studies: dict[str, Json] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    refuses: str = ""
    rounds: list[list[str]] = field(default_factory=list)
    opened: list[tuple[str, str, object]] = field(default_factory=list)
    closed: int = 0

    def open(
        self, tenant: Tenant, fhir_server: str, authorization: object, deadline: Deadline
    ) -> TableReader:
        """Remember who asked for what."""
        if self.refuses:
            raise RefusedServer(self.refuses)
        self.opened.append((tenant.id, fhir_server, authorization))
        return self

    def fetch(self, needs: Sequence[Need], patient_id: str) -> dict[str, NeedData]:
        """The answers of the table, noting the round."""
        self.rounds.append([need.key for need in needs])
        return {need.key: self.answers.get(need.key, found(EMPTY)) for need in needs}

    def ask_again(self, needs: Sequence[Need], patient_id: str) -> dict[str, NeedData]:
        """What the table says again, noting the round."""
        return self.fetch(needs, patient_id)

    def follow(self, need: Need, next_url: str) -> NeedData:
        """The pages of the table, noting the address."""
        self.rounds.append([next_url])
        return self.pages.get(need.key, failed("paging-blocked"))

    @property
    def base(self) -> FhirBase:
        """The one server there is."""
        return parse_base(FHIR_SERVER)

    def get(self, target: str) -> Reply | Failed:
        """The pages that are about no patient, noting what was asked."""
        self.asked.append(target)
        page = self.studies.get(target)
        return Reply(200, {}, _dump(page)) if page is not None else Failed("not-found")

    def close(self) -> None:
        """Nothing is held open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.closed += 1
