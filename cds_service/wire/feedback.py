"""A feedback body as typed values (CDS Hooks 2.0.1, "Feedback"), with what EHRs are known to send.

Strict where a mistake would be counted as something else, tolerant elsewhere: unknown members and unknown
reason codes are taken; Epic's ``overrideReasons`` and its extension are understood; a reason may lack its
display, as the public sandbox sends it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from cds_service.http.problem import Problem, Refusal
from cds_service.http.strict_json import AmbiguousJson, read_object
from cds_service.http.validation import remedy_of
from cds_service.wire.timestamps import NotATimestamp, read_timestamp

MAX_ITEMS = 100
MAX_COMMENT_BYTES = 4096
AHEAD = timedelta(minutes=5)
"""How far an EHR's clock may run ahead of ours."""
EARLIEST = datetime(2018, 1, 1, tzinfo=UTC)
"""Before the first CDS Hooks feedback could have been given."""

EPIC = "com.epic.cdshooks.feedback.overrideReason."


def _storable(text: str) -> str:
    if "\x00" in text:
        raise ValueError("text cannot hold U+0000")
    return text


def _short(text: str) -> str:
    if len(text.encode()) > MAX_COMMENT_BYTES:
        raise ValueError(f"write at most {MAX_COMMENT_BYTES} bytes")
    return text


def _timestamp(value: Any) -> datetime:
    try:
        return read_timestamp(value)
    except NotATimestamp as fault:
        raise ValueError(str(fault)) from None


Text = Annotated[str, AfterValidator(_storable)]
Id = Annotated[str, Field(min_length=1, max_length=256), AfterValidator(_storable)]
Timestamp = Annotated[
    datetime,
    BeforeValidator(
        _timestamp, json_schema_input_type=Annotated[str, Field(json_schema_extra={"format": "date-time"})]
    ),
]


class _Member(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True, strict=True)


class AcceptedSuggestion(_Member):
    """A suggestion that the user took, by its uuid."""

    id: Id


class ReasonCoding(_Member):
    """Why a card was set aside, as a code: ours or the EHR's own."""

    code: Annotated[Text, Field(min_length=1, max_length=256)]
    system: Annotated[Text, Field(max_length=2048)] | None = None
    display: Annotated[Text, Field(max_length=1024)] | None = None


class OverrideReason(_Member):
    """Why a card was set aside: a code, a comment, or both. ``extension`` is read for Epic's reason."""

    reason: ReasonCoding | None = None
    userComment: Annotated[Text, AfterValidator(_short)] | None = Field(default=None, repr=False)
    extension: dict[str, Any] | None = None

    @property
    def coding(self) -> ReasonCoding | None:
        """The reason; where only Epic's extension names it, that."""
        return self.reason or _epic_reason(self.extension or {})


class FeedbackItem(_Member):
    """What became of one card."""

    card: Id
    outcome: Literal["accepted", "overridden"]
    acceptedSuggestions: Annotated[list[AcceptedSuggestion], Field(min_length=1, max_length=100)] | None = (
        None
    )
    overrideReason: OverrideReason | None = None
    overrideReasons: OverrideReason | None = Field(default=None, description="Epic's name of overrideReason")
    outcomeTimestamp: Timestamp

    @model_validator(mode="after")
    def _suggestions_when_accepted(self) -> Self:
        if self.outcome == "accepted" and self.acceptedSuggestions is None:
            raise ValueError("acceptedSuggestions is required when outcome is accepted")
        return self

    @property
    def override(self) -> OverrideReason | None:
        """The reason under either of its names."""
        return self.overrideReason or self.overrideReasons


class FeedbackRequest(_Member):
    """One or more outcomes, of any cards, in any order."""

    feedback: Annotated[list[FeedbackItem], Field(min_length=1, max_length=MAX_ITEMS)]


def read_feedback(body: bytes, at: datetime) -> tuple[FeedbackItem, ...]:
    """The items of a feedback body; one wrong item refuses them all.

    :raises Refusal: ``malformed-body``, or ``invalid-request`` naming the index and member of the first
        fault, never a value.
    """
    try:
        items = FeedbackRequest.model_validate(read_object(body)).feedback
    except AmbiguousJson as fault:
        raise Refusal(Problem.MALFORMED_BODY, str(fault)) from None
    except ValidationError as error:
        raise Refusal(Problem.INVALID_REQUEST, _first_fault(error)) from None
    for index, item in enumerate(items):
        if not EARLIEST <= item.outcomeTimestamp <= at + AHEAD:
            why = "outside of 2018-01-01 to five minutes ahead of now; check the clock and the zone"
            raise Refusal(Problem.INVALID_REQUEST, f"feedback[{index}].outcomeTimestamp: {why}")
    return tuple(items)


def _first_fault(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    path = ""
    for part in first["loc"]:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
    return f"{path}: {remedy_of(first, {})}"


def _epic_reason(extension: Mapping[str, Any]) -> ReasonCoding | None:
    """Epic names a reason by category, title and display (its documentation of CDS Hooks feedback)."""
    category, title, display = (
        _plain(extension.get(EPIC + name)) for name in ("reasonCategory", "reasonTitle", "reasonDisplay")
    )
    code = category or title or display
    if not code:
        return None
    return ReasonCoding(code=code, system=EPIC + "reasonCategory", display=display or title or None)


def _plain(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value.replace("\x00", "")[:256] if isinstance(value, str) else ""
