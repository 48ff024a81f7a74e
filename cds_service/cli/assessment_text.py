"""An assessment as text for a terminal, from its stable JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from cds_service.cards.text import clean

if TYPE_CHECKING:
    from fhir_mappings.assess import Knowledge

_TIMING = ("seed-003", "seed-000", "bfm", "cog")


def assessment_as_text(found: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """Status, criteria with evidence, timing, and what is missing or was left out.

    ``names`` are the names of criteria sets and timing systems by id.
    """
    return "\n".join(_lines(found, names)) + "\n"


def names_in(knowledge: Knowledge) -> Mapping[str, str]:
    """The names of criteria sets and timing systems, which the JSON calls by their ids."""
    systems = {key: knowledge.sources[key].label for key in _TIMING if key in knowledge.sources}
    sets = {one.id: one.label for one in knowledge.criteria_sets}
    return {**{key: key.upper() for key in _TIMING}, **systems, **sets}


def _lines(found: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[str]:
    knowledge = found["knowledge"]
    yield f"Patient    {_word(found.get('patient', ''))} at {found['at']}"
    yield f"Knowledge  {knowledge['disease']} {knowledge['version']} ({knowledge['review']})"
    yield f"Status     {found['status']}" + _detail(found)
    for key, title in (("site", "Site"), ("lineage", "Lineage"), ("bcrAbl1", "BCR::ABL1")):
        if found.get(key):
            yield f"{title:<11}{_word(found[key])}"
    yield from _criteria(found.get("criteria", ()), names)
    yield from _timing(found.get("timing", {}), names)
    yield from _options(found.get("options", ()))
    yield from _statements(found.get("statements", ()))
    yield from _pairs("Not evaluated", found.get("notEvaluated", ()), "what", "why")
    yield from _pairs("Left out", found.get("ignored", ()), "resource", "why")


def _detail(found: Mapping[str, Any]) -> str:
    parts = [
        str(found.get("phase", "")),
        f"relapse number {found['relapseNumber']}" if found.get("relapseNumber") else "",
        f"event {found['eventDate']}" if found.get("eventDate") else "",
    ]
    named = ", ".join(part for part in parts if part)
    return f" ({named})" if named else ""


def _criteria(criteria: Any, names: Mapping[str, str]) -> Iterator[str]:
    for name, items in groupby(criteria, key=itemgetter("set")):
        yield f"Criteria: {names.get(name, name)}"
        for item in items:
            yield f"  {item['id']}: {item['verdict']}" + _cites(item)
            for evidence in item.get("because", ()):
                yield f"    {_evidence(evidence)}"
            for missing in item.get("missing", ()):
                yield f"    missing: {_missing(missing)}"


def _evidence(evidence: Mapping[str, Any]) -> str:
    value = " ".join(str(evidence[key]) for key in ("value", "unit") if evidence.get(key))
    text = f"{evidence.get('what', '')} {value}".strip()
    if evidence.get("original"):
        text += f" (written {evidence['original']})"
    if evidence.get("threshold"):
        text += f" {evidence.get('comparator', '')} {evidence['threshold']}".rstrip()
    if evidence.get("date"):
        text += f" on {evidence['date']}"
    return _word(f"{text} [{evidence.get('resource', '')}]")


def _missing(item: Any) -> str:
    if isinstance(item, Mapping):
        return _word(": ".join(str(item[key]) for key in ("what", "why") if item.get(key)))
    return _word(str(item))


def _timing(timing: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[str]:
    named = [(key, timing[key]) for key in _TIMING if isinstance(timing.get(key), Mapping)]
    if named:
        yield "Timing"
    for key, value in named:
        months = f", {value['months']} months" if value.get("months") is not None else ""
        arithmetic = f" ({value['arithmetic']})" if value.get("arithmetic") else ""
        yield _word(f"  {names.get(key, key)}: {value.get('class', '')}{months}{arithmetic}")


def _options(options: Any) -> Iterator[str]:
    if options:
        yield "Options"
    for option in options:
        yield _word(f"  {option['agent']}: {option['state']}") + _cites(option)


def _statements(statements: Any) -> Iterator[str]:
    """Every statement by section; a star stands before what a brief card shows."""
    if statements:
        yield "Statements (* on a card)"
    for name, items in groupby(statements, key=itemgetter("section")):
        yield f"  {name}"
        for item in items:
            yield _word(f"  {'*' if item['onCard'] else ' '} {item['text']}") + _cites(item)


def _pairs(title: str, items: Any, first: str, second: str) -> Iterator[str]:
    if items:
        yield title
    for item in items:
        yield _word(f"  {item.get(first, '')}: {item.get(second, '')}")


def _cites(item: Mapping[str, Any]) -> str:
    return f"  [{', '.join(item['cites'])}]" if item.get("cites") else ""


def _word(text: str) -> str:
    """One line; whatever could steer a terminal is removed, the indentation stays."""
    indent = text[: len(text) - len(text.lstrip(" "))]
    return indent + clean(text.strip())
