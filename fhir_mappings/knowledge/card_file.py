"""The shape of ``cards.toml``: every key, and what each value may be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from fhir_mappings.knowledge.loader import KnowledgeFile

LINES = {
    "draft": ("version", "digest"),
    "approved": ("version", "digest"),
    "evaluated": ("date", "specimen"),
    "evaluated-undated": ("date",),
    "not-evaluated": ("items",),
    "rules": ("items",),
    "evidence": ("items",),
    "more": ("count",),
    "unconfirmed": (),
    "doses": (),
    "disclaimer": (),
    "closing-draft": ("version",),
    "closing-approved": ("version",),
    "closing-page": (),
    "closing-card": (),
    "line-timing": ("items",),
    "line-site": ("items",),
    "line-open": ("items",),
    "line-outside": ("items",),
    "line-mrd": ("items",),
    "line-undone": ("items",),
    "not-seen": ("items",),
    "more-of-a-kind": ("count",),
    "more-topics": ("items",),
    "result": (),
    "value": (),
    "date": (),
    "rule": (),
    "study": (),
    "phase": (),
    "accrual": (),
    "distance": (),
    "to-confirm": (),
    "more-studies": ("count",),
}
"""The fixed sentences every card can need, with the blanks each must have."""


def _web_address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or parts.username or parts.password:
        raise ValueError("must be an https address without user information")
    return url


Text = Annotated[str, StringConstraints(min_length=1, max_length=400, pattern=r"^\S(.*\S)?$")]
Key = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
WordsKey = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]*$")]
Cites = Annotated[tuple[str, ...], Field(min_length=1)]
TopicCode = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{1,100}$")]
WebAddress = Annotated[str, AfterValidator(_web_address)]
OwnPath = Annotated[str, StringConstraints(pattern=r"^/[A-Za-z0-9._/-]*$")]
SectionName = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]+(-[A-Z0-9]+)*$")]
"""The name of a section; which sections there are is the business of what is said, above the knowledge."""


class LineEntry(KnowledgeFile):
    """A fixed sentence with named blanks."""

    text: Text
    cites: Cites


class OverrideReasonEntry(KnowledgeFile):
    """One ``[[override_reasons]]``."""

    code: Key
    display: Text
    category: Literal[
        "",
        "cds-not-applicable",
        "cds-suboptimal-context",
        "recipient-disagrees-evidence",
        "recipient-concerns-outcomes",
        "does-not-align-preferences",
        "not-convenient-feasible",
    ] = Field(description="top-level code of the non-adherence reasons, empty where none fits")
    quiet: Literal["snooze", "days", "evidence"]
    quiet_days: int = Field(default=0, ge=0, le=365)

    @model_validator(mode="after")
    def _days_where_days_are_meant(self) -> OverrideReasonEntry:
        if (self.quiet == "days") != (self.quiet_days > 0):
            raise ValueError('quiet_days belongs to quiet = "days", and only there')
        return self


class LinkEntry(KnowledgeFile):
    """One ``[[links]]``."""

    key: Key
    label: Text
    type: Literal["absolute", "smart"]
    url: WebAddress | Literal[""] = ""
    source: str = ""
    path: OwnPath | Literal[""] = ""
    unless: tuple[WordsKey, ...] = ()

    @model_validator(mode="after")
    def _one_target(self) -> LinkEntry:
        if [bool(self.url), bool(self.source), bool(self.path)].count(True) != 1:
            raise ValueError("exactly one of url, source and path")
        return self


class ProcedureCodeEntry(KnowledgeFile):
    """The code of a proposed order."""

    system: WebAddress | Literal["http://snomed.info/sct"]
    code: Text
    display: Text


class SuggestionEntry(KnowledgeFile):
    """One ``[[suggestions]]``."""

    key: Key
    label: Text
    description: Text
    order: Text
    reason: Text
    cites: Cites
    code: ProcedureCodeEntry | None = None
    sections: tuple[SectionName, ...] = ()
    only_with: tuple[WordsKey, ...] = ()
    unless: tuple[WordsKey, ...] = ()
    only_unknown: tuple[Literal["cd19", "cd22", "bcr_abl1", "kmt2a"], ...] = ()
    not_lineages: tuple[Literal["B", "T", "mixed", "unknown"], ...] = ()


class TopicEntry(KnowledgeFile):
    """One ``[[topics]]``."""

    code: TopicCode
    display: Text
    rank: int = Field(ge=1)
    sections: tuple[SectionName, ...] = ()
    joins: TopicCode | Literal[""] = ""
    follows: TopicCode | Literal[""] = ""
    complete: bool = False
    lines: int = Field(default=2, ge=1, le=9)
    source: Text = Field(description="key of sources.toml")
    links: tuple[Key, ...] = ()
    suggestions: tuple[Key, ...] = ()
    override_reasons: Annotated[tuple[Key, ...], Field(min_length=1)]


class CardFile(KnowledgeFile):
    """The whole of ``cards.toml``."""

    source_page: OwnPath
    titles: Mapping[SectionName, Text]
    lines: Mapping[str, LineEntry]
    override_reasons: tuple[OverrideReasonEntry, ...]
    links: tuple[LinkEntry, ...]
    suggestions: tuple[SuggestionEntry, ...]
    topics: tuple[TopicEntry, ...]
