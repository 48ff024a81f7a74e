"""What changed between two versions of the knowledge, in the words a changelog needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from fhir_mappings.clinical.quantities import plain
from fhir_mappings.knowledge.assembly import load_knowledge
from fhir_mappings.knowledge.code_rows import Code
from fhir_mappings.knowledge.model import Knowledge
from fhir_mappings.knowledge.relapsed_all.criteria import CRITERIA
from fhir_mappings.knowledge.review.rules import in_words


def differences(before: Path, after: Path) -> tuple[str, ...]:
    """One line a change: numbers, criteria sets, options, sentences, then codes.

    Raises KnowledgeError for knowledge that cannot be used.
    """
    old, new = load_knowledge(before.resolve()), load_knowledge(after.resolve())
    return tuple(
        [
            *_changed("Number", _numbers(old), _numbers(new)),
            *_changed("Criteria", _criteria(old), _criteria(new)),
            *_changed("Option", _options(old), _options(new)),
            *_changed("Sentence", _sentences(old), _sentences(new)),
            *_codes(old, new),
        ]
    )


def _changed(kind: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[str]:
    for key in sorted(old.keys() | new.keys()):
        was, now = old.get(key), new.get(key)
        if was is None:
            yield f"{kind} {key} is new: {now}"
        elif now is None:
            yield f"{kind} {key} is gone; it was: {was}"
        elif was != now:
            yield f"{kind} {key} is {now}; it was: {was}"


def _numbers(knowledge: Knowledge) -> Mapping[str, str]:
    return {
        key: f"{plain(one.value)} {one.unit} ({one.meaning}) [{', '.join(one.cites)}]"
        for key, one in knowledge.thresholds.items()
    }


def _criteria(knowledge: Knowledge) -> Mapping[str, str]:
    return {
        f"{criterion.letter} of {criteria.id}": in_words(part)
        for criteria in (*knowledge.criteria_sets, *knowledge.sets_off)
        for criterion in CRITERIA
        if (part := criterion.of(criteria)) is not None
    }


def _options(knowledge: Knowledge) -> Mapping[str, str]:
    return {one.id: in_words(one) for one in knowledge.options}


def _sentences(knowledge: Knowledge) -> Mapping[str, str]:
    found = {}
    for key, words in knowledge.words.items():
        mark = ", not confirmed" if words.unconfirmed else ""
        found[key] = f'"{words.text}" [{", ".join(words.cites)}{mark}]'
    return found


def _codes(old: Knowledge, new: Knowledge) -> Iterator[str]:
    for name in sorted(old.value_sets.keys() | new.value_sets.keys()):
        was, now = _rows(old, name), _rows(new, name)
        for row in sorted(now - was):
            yield f"Code in {name} is new: {row}"
        for row in sorted(was - now):
            yield f"Code in {name} is gone: {row}"


def _rows(knowledge: Knowledge, name: str) -> frozenset[str]:
    return frozenset(_row(code) for code in knowledge.value_sets.get(name, ()))


def _row(code: Code) -> str:
    return in_words(code)
