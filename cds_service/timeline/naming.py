"""Short names for what the timeline shows, and citations as links."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cds_service.cards.text import clean
from fhir_mappings.assess import Fired, Knowledge, TimelinePoint

PANELS = {
    "marrow": ("Marrow blasts", "%"),
    "blood": ("Blood blasts", "%"),
    "csf": ("CSF leukocytes", "/µL"),
    "mrd": ("MRD, log scale", "%"),
}
"""Title and unit of each panel, in the order shown."""

PHASES = {
    "disease": "First disease",
    "remission": "Remission",
    "relapse": "Relapse",
    "possible-relapse": "Possible relapse",
}
BASES = {
    "diagnosis": "dated diagnosis",
    "documented": "documented",
    "derived": "derived from a marrow result",
    "undated": "on record without a date",
    "transplant": "closed by a transplant",
    "presumed": "presumed between two relapses, not on record",
    "default": "criterion met",
    "coded": "coded diagnosis",
    "consensus": "met by another criteria set only",
}
MARKS = {
    "diagnosis": "Diagnosis",
    "end-of-therapy": "End of therapy",
    "end-of-later-plan": "End of later plan",
    "finding": "Finding",
    "suspected-finding": "Suspected finding",
    "hsct-allogeneic": "Allogeneic HSCT",
    "hsct-autologous": "Autologous HSCT",
    "hsct-unspecified": "HSCT",
    "car-t": "CAR-T",
    "tbi": "TBI",
    "cranial-radiotherapy": "Cranial RT",
    "radiotherapy": "Radiotherapy",
    "orchiectomy": "Orchiectomy",
    "testis-biopsy": "Testis biopsy",
}
USES = {
    "used": "",
    "preliminary": "preliminary, not used",
    "gated": "share of a flow gate, not used",
}
REMARKS = {
    "blasts-present": "blasts present",
    "blasts-absent": "no blasts",
    "blasts-undetermined": "cytology not decided",
    "traumatic-tap": "traumatic tap",
}
THRESHOLDS = {
    "remission_marrow_below": "remission",
    "mrd_negative_below": "negative",
    "mrd_hsct_r3": "HSCT in ALL R3",
    "mrd_hsct_bfm": "HSCT in ALL-REZ BFM",
    "mrd_hsct_cog": "HSCT in COG",
}
SHORT_THRESHOLDS = {
    "remission_marrow_below": "remission",
    "mrd_negative_below": "negative",
    "mrd_hsct_r3": "HSCT R3",
    "mrd_hsct_bfm": "HSCT BFM",
    "mrd_hsct_cog": "HSCT COG",
}
"""As the lines of the picture are labelled; the page's table has the long names."""
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
        shown.append(Citation("reading " + ", ".join(loose), ""))
    return tuple(shown)


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


def value_text(point: TimelinePoint) -> str:
    """The value of a sample with its unit, as one harmless line."""
    if not point.value:
        return "no count"
    unit = "/µL" if point.unit == "/uL" else point.unit
    return clean(f"{point.value} {unit}")


def remarks_text(point: TimelinePoint) -> str:
    """What is to be said of a sample beside its value."""
    words = [REMARKS.get(one, one) for one in point.remarks]
    return ", ".join([*words, *([USES[point.use]] if USES[point.use] else [])])


def spoken(key: str) -> str:
    """A reason's key as words: ``donor-specimen`` is "donor specimen"."""
    return key.replace("-", " ").replace("_", " ")
