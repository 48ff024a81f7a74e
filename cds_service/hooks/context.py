"""What every hook of this product has in common: its context names one patient."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from fhir_mappings.assess import Decoded

PATIENT_ID = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9\-._]{1,128}")
"""An id is opaque: FHIR R4 has 64 characters and no underscore, some EHRs write more. Matched in full: ``$``
would let a line break pass."""

_REFERENCE = "Patient/"


def is_patient_reference(value: object) -> bool:
    """True for ``Patient/x``, which occurs although the context holds a bare id."""
    return isinstance(value, str) and value.startswith(_REFERENCE)


def _bare(value: Any) -> Any:
    return value.removeprefix(_REFERENCE) if isinstance(value, str) else value


def _check_id(text: str) -> str:
    if not PATIENT_ID.fullmatch(text):
        raise ValueError("write the FHIR id of the Patient: 1 to 128 of A-Z a-z 0-9 - . _")
    return text


PatientId = Annotated[
    str,
    BeforeValidator(_bare),
    AfterValidator(_check_id),
    WithJsonSchema({"type": "string", "pattern": "^(Patient/)?[A-Za-z0-9._-]{1,128}$"}),
]


def _absent_when_empty(value: Any) -> Any:
    """An optional member that is empty says nothing; some EHRs send it so."""
    return None if value == "" else value


Text = Annotated[str, Field(min_length=1, max_length=512)]


class Context(BaseModel):
    """The context of a hook; members that are not listed are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True, strict=True)

    userId: Text
    patientId: PatientId
    encounterId: Annotated[Text | None, BeforeValidator(_absent_when_empty)] = None

    def proposed(self) -> Decoded | None:
        """What the user is about to order, as a Bundle; most hooks know of nothing."""
        return None


@dataclass(frozen=True, slots=True)
class HookService:
    """One entry of discovery: the service's id, the hook it answers, and the shape of its context."""

    id: str
    hook: str
    hook_version: str
    title: str
    description: str
    context: type[Context]
