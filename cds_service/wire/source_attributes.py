"""The source attributes as data: read from ``source_attributes.toml`` and filled in from the knowledge."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from string import Formatter
from typing import Annotated, Any, Self

import orjson
from pydantic import BaseModel, ConfigDict, Field, model_validator

from fhir_mappings.assess import Knowledge, filled

EVIDENCE_BASED = 13
PREDICTIVE = 31
RULE = "170.315.b.11.iv"
"""Where the attributes are listed: 45 CFR 170.315(b)(11)(iv), (A) evidence-based and (B) predictive."""

EXTENSION = "org.relapse-cds.source-attributes"
"""Name of the extension of a discovery entry that leads to the document."""

BLANKS = frozenset({"citations", "version", "review", "topics"})

Line = Annotated[str, Field(min_length=1, pattern=r"\S")]


class Attribute(BaseModel):
    """One attribute: a value, or the reason why it does not apply."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    key: Annotated[str, Field(pattern=r"^[a-z]+(-[a-z]+)*$")]
    title: Line
    value: Line | None = None
    not_applicable: Line | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.value is None) == (self.not_applicable is None):
            raise ValueError("write either value or not_applicable")
        blanks = {name for _, name, _, _ in Formatter().parse(self.text) if name is not None}
        if unknown := blanks - BLANKS:
            raise ValueError(f"unknown blanks: {', '.join(sorted(unknown))}")
        return self

    @property
    def text(self) -> str:
        """Whichever of the two is there."""
        return self.value or self.not_applicable or ""


class AttributeFile(BaseModel):
    """``source_attributes.toml``."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    evidence_based: Annotated[list[Attribute], Field(min_length=EVIDENCE_BASED, max_length=EVIDENCE_BASED)]
    predictive: Annotated[list[Attribute], Field(min_length=PREDICTIVE, max_length=PREDICTIVE)]

    @model_validator(mode="after")
    def _keys_differ(self) -> Self:
        keys = [one.key for one in (*self.evidence_based, *self.predictive)]
        if repeated := {key for key in keys if keys.count(key) > 1}:
            raise ValueError(f"keys that stand twice: {', '.join(sorted(repeated))}")
        return self


@dataclass(frozen=True, slots=True)
class SourceAttributes:
    """The whole document. ``digest`` covers the text of every attribute and the knowledge behind it."""

    version: str
    digest: str
    evidence_based: tuple[Mapping[str, str], ...]
    predictive: tuple[Mapping[str, str], ...]

    def announced(self, public_url: str, service_id: str) -> dict[str, Any]:
        """The extension of a service's entry in discovery."""
        url = f"{public_url}/cds-services/{service_id}/source-attributes"
        return {EXTENSION: {"url": url, "version": self.version, "digest": self.digest}}

    def as_json(self) -> dict[str, Any]:
        """The document as it is served."""
        return {
            "version": self.version,
            "digest": self.digest,
            "evidenceBased": [dict(one) for one in self.evidence_based],
            "predictive": [dict(one) for one in self.predictive],
        }


def read_attributes() -> AttributeFile:
    """The attributes as they are written. Raises pydantic.ValidationError where the file is not sound."""
    text = files(__package__).joinpath("source_attributes.toml").read_text(encoding="utf-8")
    return AttributeFile.model_validate(tomllib.loads(text))


def source_attributes(knowledge: Knowledge) -> SourceAttributes:
    """The document for one knowledge."""
    written = read_attributes()
    blanks = {
        "citations": "; ".join(_citation(source) for source in knowledge.sources.values()),
        "version": knowledge.version,
        "review": knowledge.review,
        "topics": "; ".join(topic.display for topic in knowledge.card_topics),
    }
    parts = [
        _filled(written.evidence_based, f"{RULE}.A", blanks),
        _filled(written.predictive, f"{RULE}.B", blanks),
    ]
    covered = orjson.dumps([knowledge.digest, *([dict(one) for one in part] for part in parts)])
    digest = f"sha256:{hashlib.sha256(covered).hexdigest()}"
    return SourceAttributes(knowledge.version, digest, *parts)


def _filled(
    attributes: list[Attribute], rule: str, blanks: Mapping[str, str]
) -> tuple[Mapping[str, str], ...]:
    return tuple(
        {
            "key": one.key,
            "rule": f"{rule}.{number}",
            "title": one.title,
            "value" if one.value else "notApplicable": filled(one.text, blanks),
        }
        for number, one in enumerate(attributes, 1)
    )


def _citation(source: Any) -> str:
    """Title and address of a source; what was not confirmed is said."""
    doubt = "" if source.confirmed else " (not confirmed)"
    return f"{source.title}{doubt}{f', {source.url}' if source.url else ''}"
