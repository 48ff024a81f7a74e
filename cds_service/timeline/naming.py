"""Short names for what the timeline shows, and citations as links."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cds_service.cards.text import clean
from fhir_mappings.assess import Fired, Knowledge, TimelinePoint, filled

UNITS = {"marrow": "%", "blood": "%", "csf": "/µL", "mrd": "%"}
"""The panels in the order shown, each with its unit."""

_STATEMENT_SOURCES = {"S-000": "seed-000", "S-003": "seed-003"}


@dataclass(frozen=True, slots=True)
class Citation:
    """A source to read: its label, and its address where one is certain."""

    label: str
    url: str
    ids: str = ""


def citations(cites: Iterable[str], knowledge: Knowledge, first: str = "") -> tuple[Citation, ...]:
    """The sources behind statement ids, each once, ``first`` leading; the ids stand with their source."""
    found: dict[str, list[str]] = {first: []} if first else {}
    loose = []
    for cite in cites:
        key = _STATEMENT_SOURCES.get(cite[:5], cite)
        if key in knowledge.sources:
            named = found.setdefault(key, [])
            if key != cite:
                named.append(cite)
        else:
            loose.append(cite)
    shown = [
        Citation(knowledge.sources[key].label, knowledge.sources[key].url, ", ".join(ids))
        for key, ids in found.items()
    ]
    if loose:
        shown.append(Citation(label(knowledge, "reading", cites=", ".join(loose)), ""))
    return tuple(shown)


def label(knowledge: Knowledge, key: str, **values: str) -> str:
    """A word of the page, from the words ``timeline.KEY``."""
    return filled(knowledge.words[f"timeline.{key}"].text, values)


def label_or_key(knowledge: Knowledge, kind: str, key: str) -> str:
    """The word for a key of some kind; a key without a word is shown as it is."""
    return label(knowledge, f"{kind}.{key}") if f"timeline.{kind}.{key}" in knowledge.words else key


def threshold_label(key: str, knowledge: Knowledge, *, short: bool = False) -> str:
    """What a threshold is for; the lines of the picture have short names, the page's table long ones."""
    kind = "threshold-short" if short else "threshold"
    return label(knowledge, f"{kind}.{key.replace('_', '-')}")


def set_label(set_id: str, knowledge: Knowledge) -> str:
    """The name of a criteria set."""
    return next((one.label for one in knowledge.criteria_sets if one.id == set_id), set_id)


def short_set_label(set_id: str, knowledge: Knowledge) -> str:
    """The name of a criteria set without what stands in brackets, for the lines of the picture."""
    return set_label(set_id, knowledge).partition(" (")[0]


def fired_text(fired: Iterable[Fired], knowledge: Knowledge) -> str:
    """Which criteria a sample met: those of the deciding set by letter, then the other sets."""
    chosen = knowledge.default_set.id
    own: list[str] = []
    other: dict[str, list[str]] = {}
    for one in fired:
        if one.criteria_set == chosen:
            own.append(one.id)
        else:
            other.setdefault(one.criteria_set, []).append(one.id)
    parts = [", ".join(dict.fromkeys(own))] if own else []
    parts.extend(
        f"{set_label(name, knowledge)}: {', '.join(dict.fromkeys(ids))}" for name, ids in other.items()
    )
    return "; ".join(parts)


def fired_letters(fired: Iterable[Fired], knowledge: Knowledge) -> str:
    """The letters of the deciding set that a sample met."""
    chosen = knowledge.default_set.id
    return ", ".join(dict.fromkeys(one.id for one in fired if one.criteria_set == chosen))


def value_text(point: TimelinePoint, knowledge: Knowledge) -> str:
    """The value of a sample with its unit, as one harmless line."""
    if not point.value:
        return label(knowledge, "no-count")
    unit = "/µL" if point.unit == "/uL" else point.unit
    return clean(f"{point.value} {unit}")


def remarks_text(point: TimelinePoint, knowledge: Knowledge) -> str:
    """What is to be said of a sample beside its value."""
    words = [label_or_key(knowledge, "remark", one) for one in point.remarks]
    if point.use != "used":
        words.append(label(knowledge, f"use.{point.use}"))
    return ", ".join(words)


def spoken(key: str) -> str:
    """A reason's key as words: ``donor-specimen`` is "donor specimen"."""
    return key.replace("-", " ").replace("_", " ")
