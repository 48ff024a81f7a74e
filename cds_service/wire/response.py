"""The response of a CDS service, CDS Hooks 2.0.1, with the invariants of its logical model.

Cards are built as plain objects on the hot path; these models are the contract they are checked against,
in tests, in the OpenAPI description and, where that is switched on, before a response leaves.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

SUMMARY_LIMIT = 139


def _absolute(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"https", "http"} or not parts.hostname or parts.username or parts.password:
        raise ValueError("must be an absolute web address without user information")
    return url


def _one_short_line(text: str) -> str:
    if len(text.encode("utf-16-le")) > 2 * SUMMARY_LIMIT or "\n" in text:
        raise ValueError(f"must be one line of at most {SUMMARY_LIMIT} UTF-16 code units")
    return text


Text = Annotated[str, StringConstraints(min_length=1, pattern=r"\S")]
Address = Annotated[str, AfterValidator(_absolute)]
Uuid = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
JsonObject = Annotated[dict[str, Any], Field(min_length=1)]


class WireModel(BaseModel):
    """Base of all parts: unknown names are refused, and nothing may be null or empty."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    extension: JsonObject | None = None

    @model_validator(mode="before")
    @classmethod
    def _nothing_null_or_empty(cls, value: Any) -> Any:
        if isinstance(value, dict):
            for name, part in value.items():
                if _has_nothing(part) and not (cls is CdsResponse and name == "cards" and part == []):
                    raise ValueError(f"{name} holds something null or empty; leave it out")
        return value


def _has_nothing(value: Any) -> bool:
    """Whether a value is null or empty, or holds something that is."""
    if isinstance(value, dict):
        return not value or any(map(_has_nothing, value.values()))
    if isinstance(value, list):
        return not value or any(map(_has_nothing, value))
    return value is None or value == ""


class Coding(WireModel):
    """A Coding of a topic."""

    code: Text
    system: Text
    display: Text | None = None


class OverrideReason(Coding):
    """A Coding of an override reason: it must have a display (cds-resp-4)."""

    display: Text


class Source(WireModel):
    """Where the guidance of a card comes from."""

    label: Text
    url: Address | None = None
    icon: Address | None = None
    topic: Coding | None = None


class Action(WireModel):
    """A change to the record that a clinician may accept."""

    type: Literal["create", "update", "delete"]
    description: Text | None = None
    resource: JsonObject | None = None
    resourceId: Text | None = None

    @model_validator(mode="after")
    def _resource_fits_the_type(self) -> Action:
        if self.type == "delete":
            if self.resourceId is None or self.resource is not None:
                raise ValueError("cds-resp-2: a delete has a resourceId and no resource")
        elif self.resource is None or not self.resource.get("resourceType"):
            raise ValueError(f"a {self.type} has a FHIR resource")
        return self


class SuggestedAction(Action):
    """An action of a suggestion: it must have a description (cds-resp-5)."""

    description: Text


class Suggestion(WireModel):
    """A proposal; its actions belong together."""

    label: Text
    uuid: Uuid | None = None
    isRecommended: bool | None = None
    actions: Annotated[list[SuggestedAction], Field(min_length=1)] | None = None
    actionSelectionBehavior: Literal["all", "any", "at-most-one"] | None = Field(
        default=None, description="cds-resp-7; only where the client is known to support it"
    )


class Link(WireModel):
    """A link to a page or, with type smart, to a SMART app's launch address."""

    label: Text
    url: Address
    type: Literal["absolute", "smart"]
    appContext: Text | None = None
    autolaunchable: bool | None = None

    @model_validator(mode="after")
    def _context_for_apps_only(self) -> Link:
        if self.appContext is not None and self.type != "smart":
            raise ValueError("cds-resp-3: appContext belongs to links of type smart only")
        return self


class Card(WireModel):
    """One card."""

    uuid: Uuid | None = None
    summary: Annotated[Text, AfterValidator(_one_short_line)]
    detail: Text | None = Field(default=None, description="GitHub-flavoured Markdown without HTML")
    indicator: Literal["info", "warning", "critical"]
    source: Source
    suggestions: Annotated[list[Suggestion], Field(min_length=1)] | None = None
    selectionBehavior: Literal["at-most-one", "any"] | None = None
    overrideReasons: Annotated[list[OverrideReason], Field(min_length=1)] | None = None
    links: Annotated[list[Link], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _suggestions_can_be_chosen(self) -> Card:
        suggestions = self.suggestions or []
        if suggestions and self.selectionBehavior is None:
            raise ValueError("cds-resp-6: suggestions need a selectionBehavior")
        recommended = [suggestion for suggestion in suggestions if suggestion.isRecommended]
        if self.selectionBehavior == "at-most-one" and len(recommended) > 1:
            raise ValueError("cds-resp-1: at most one suggestion can be recommended")
        return self

    @model_validator(mode="after")
    def _override_reasons_differ(self) -> Card:
        codes = [(reason.system, reason.code) for reason in self.overrideReasons or []]
        if len(codes) != len(set(codes)):
            raise ValueError("an override reason stands twice")
        return self


class CdsResponse(WireModel):
    """The whole body; ``cards`` is always there and may be empty."""

    cards: list[Card]
    systemActions: Annotated[list[Action], Field(min_length=1)] | None = None


def check_response(body: dict[str, Any]) -> None:
    """Raises pydantic.ValidationError where a response body breaks the specification."""
    CdsResponse.model_validate(body)
