"""What the evaluation asks of a FHIR client: one call's access to one server, need by need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Protocol, Self

from cds_service.fhir_client.deadline import Deadline
from cds_service.fhir_client.queries import Need
from cds_service.fhir_client.tokens import FhirAuthorization
from cds_service.fhir_client.transport import Failed, Reply
from cds_service.http.fhir_base import FhirBase
from cds_service.settings.model import Tenant
from fhir_mappings.assess import NeedData


class Reading(Protocol):
    """One call's access to one FHIR server."""

    def fetch(self, needs: Sequence[Need], patient_id: str) -> Mapping[str, NeedData]: ...
    def ask_again(self, needs: Sequence[Need], patient_id: str) -> Mapping[str, NeedData]: ...
    def follow(self, need: Need, next_url: str) -> NeedData: ...
    @property
    def base(self) -> FhirBase: ...
    def get(self, target: str) -> Reply | Failed: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


class Reader(Protocol):
    """The FHIR servers of all tenants. ``open`` raises RefusedServer where none may be contacted."""

    def open(
        self,
        tenant: Tenant,
        fhir_server: str,
        authorization: FhirAuthorization | None,
        deadline: Deadline,
    ) -> Reading: ...
    def close(self) -> None: ...
