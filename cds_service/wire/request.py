"""A CDS Hooks request as typed values (CDS Hooks 2.0.1, "Calling a CDS Service").

Strict about what is used, tolerant of everything else: unknown members and extensions are ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from cds_service.hooks import Context, HookService
from cds_service.hooks.context import PatientId, is_patient_reference
from cds_service.http.problem import Problem, Refusal
from cds_service.http.validation import remedy_of
from cds_service.wire.body import Body, read_body
from fhir_mappings.assess import Decoded

UUID = r"^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$"
"""A UUID of any version and letter case; some EHRs send version 1."""


def _bearer(value: Any) -> Any:
    return "Bearer" if isinstance(value, str) and value.lower() == "bearer" else value


def _seconds(value: Any) -> Any:
    """expires_in is an integer; some EHRs send it as text."""
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value


class FhirAuthorization(BaseModel):
    """How to read the EHR's FHIR server for this one call. The token is never printed."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True, strict=True)

    access_token: str = Field(min_length=1, repr=False)
    token_type: Annotated[Literal["Bearer"], BeforeValidator(_bearer)]
    expires_in: Annotated[int, BeforeValidator(_seconds)]
    scope: str
    subject: str
    patient: PatientId | None = None


_FORMS = {"hookInstance": "write a UUID: 32 hexadecimal digits in groups of 8, 4, 4, 4 and 12"}
"""Of members that have a form of their own."""


class Envelope(BaseModel):
    """The members of a request beside context and prefetch."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True, strict=True)

    hook: str = Field(min_length=1, max_length=128)
    hookInstance: str = Field(pattern=UUID)
    fhirServer: str | None = Field(default=None, min_length=1, max_length=2048)
    fhirAuthorization: FhirAuthorization | None = None
    context: dict[str, Any]

    @model_validator(mode="after")
    def _check_server(self) -> Self:
        if self.fhirAuthorization is not None and self.fhirServer is None:
            raise ValueError("fhirServer is required with fhirAuthorization")
        return self


@dataclass(frozen=True, slots=True)
class HookRequest:
    """One call of a service. ``prefetch`` holds what arrived under each key; None is JSON null.

    ``patient_id_was_reference`` is True when the context named the patient as ``Patient/x``.
    """

    hook: str
    instance: str
    context: Context
    fhir_server: str | None = None
    authorization: FhirAuthorization | None = None
    prefetch: Mapping[str, Decoded | None] = field(default_factory=dict)
    patient_id_was_reference: bool = False

    @property
    def patient_id(self) -> str:
        """The bare FHIR id of the patient."""
        return self.context.patientId


def read_request(data: bytes, service: HookService, max_resources: int) -> HookRequest:
    """Read the body of a call to ``service``.

    Raises Refusal: malformed-body, invalid-request, or too-many-resources.
    """
    body = read_body(data)
    if body.resources > max_resources:
        raise Refusal(Problem.TOO_MANY_RESOURCES, f"at most {max_resources} resources")
    return request_of(body, service)


def request_of(body: Body, service: HookService) -> HookRequest:
    """The typed request of a decoded body. Raises Refusal (invalid-request)."""
    try:
        envelope = Envelope.model_validate(body.envelope)
    except ValidationError as error:
        raise Refusal(Problem.INVALID_REQUEST, described(error)) from None
    if envelope.hook != service.hook:
        raise Refusal(Problem.INVALID_REQUEST, f"hook: this service answers {service.hook}")
    try:
        context = service.context.model_validate(envelope.context)
    except ValidationError as error:
        raise Refusal(Problem.INVALID_REQUEST, described(error, "context")) from None
    authorization = envelope.fhirAuthorization
    if authorization is not None and authorization.patient not in (None, context.patientId):
        raise Refusal(Problem.INVALID_REQUEST, "fhirAuthorization.patient: not the patient of the context")
    return HookRequest(
        hook=envelope.hook,
        instance=envelope.hookInstance,
        context=context,
        fhir_server=envelope.fhirServer,
        authorization=authorization,
        prefetch=body.prefetch,
        patient_id_was_reference=is_patient_reference(envelope.context.get("patientId")),
    )


def described(error: ValidationError, root: str = "") -> str:
    """What is wrong where, for each fault, without the value that stood there."""
    lines = []
    for detail in error.errors(include_url=False, include_input=False, include_context=False):
        where = ".".join([root, *map(str, detail["loc"])] if root else map(str, detail["loc"]))
        what = remedy_of(detail, _FORMS)
        lines.append(f"{where}: {what}" if where else what)
    return "; ".join(lines)
