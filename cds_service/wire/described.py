"""Answers that are built as plain objects, described for the API document and for tests."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Text = Annotated[str, Field(min_length=1)]


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class AttributesLink(_Answer):
    """Where the source attributes of a service are, and which they are."""

    url: Text
    version: Text
    digest: Text


class ServiceExtension(_Answer):
    """Our extension of a service's entry."""

    attributes: Annotated[AttributesLink, Field(alias="org.relapse-cds.source-attributes")]


class ServiceEntry(_Answer):
    """One service (CDS Hooks 2.0.1, "Discovery"). The last three members are a setting."""

    hook: Text
    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9.-]+$")]
    title: Text
    description: Text
    usageRequirements: Text
    prefetch: Annotated[dict[str, Text], Field(min_length=1)]
    version: Text | None = None
    hookVersion: Text | None = None
    extension: ServiceExtension | None = None


class Discovery(_Answer):
    """The services that are offered; none is an empty list."""

    services: list[ServiceEntry]


class IssueText(_Answer):
    """What happened, in fixed words."""

    text: Text


class OutcomeIssue(_Answer):
    """What happened, as a code of the FHIR value set issue-type, and codes or paths for the integrator."""

    severity: Literal["error"]
    code: Text
    details: IssueText
    diagnostics: Text | None = None


class OperationOutcome(_Answer):
    """The body of every answer outside 2xx. ``id`` is the X-Request-Id; a 401 has none."""

    resourceType: Literal["OperationOutcome"]
    id: Text | None = None
    issue: Annotated[list[OutcomeIssue], Field(min_length=1, max_length=1)]


class FeedbackReceived(_Answer):
    """How many items were stored."""

    received: int


class SourceAttribute(_Answer):
    """One attribute of 45 CFR 170.315(b)(11)(iv): a value, or why it does not apply."""

    key: Text
    rule: Text
    title: Text
    value: Text | None = None
    notApplicable: Text | None = None


class SourceAttributesDocument(_Answer):
    """The 13 attributes of evidence-based and the 31 of predictive decision support."""

    version: Text
    digest: Text
    evidenceBased: Annotated[list[SourceAttribute], Field(min_length=13, max_length=13)]
    predictive: Annotated[list[SourceAttribute], Field(min_length=31, max_length=31)]


class Health(_Answer):
    """The state of the process."""

    status: Literal["alive", "ready"]


class KnowledgeStamp(_Answer):
    """Which content decides."""

    disease: Text
    version: Text
    digest: Text
    review: Literal["draft", "approved"]
    siteDigest: Text | None = None


class Version(_Answer):
    """Which software and which content decide."""

    name: Text
    version: Text
    cdsHooks: Text
    fhir: Text
    knowledge: KnowledgeStamp
