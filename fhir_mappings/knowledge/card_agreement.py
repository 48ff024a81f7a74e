"""What must agree between the entries of ``cards.toml``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from string import Formatter

from fhir_mappings.knowledge.card_file import LINES, CardFile

Disagreement = tuple[str, str, str]
"""Key, problem, remedy."""


def disagreements(file: CardFile) -> Iterator[Disagreement]:
    """Key, problem and remedy of everything that is well-formed by itself and wrong together."""
    yield from _repetitions("override_reasons", "code", (entry.code for entry in file.override_reasons))
    yield from _repetitions("links", "key", (entry.key for entry in file.links))
    yield from _repetitions("suggestions", "key", (entry.key for entry in file.suggestions))
    yield from _repetitions("topics", "code", (entry.code for entry in file.topics))
    yield from _repetitions("topics", "rank", (str(entry.rank) for entry in file.topics))
    yield from _repetitions("topics", "section", (name for entry in file.topics for name in entry.sections))
    yield from _unknown_references(file)
    yield from _sections(file)
    yield from _sentences(file)


def _repetitions(table: str, what: str, keys: Iterable[str]) -> Iterator[Disagreement]:
    for key, count in Counter(keys).items():
        if count > 1:
            yield table, f"{what} {key} stands {count} times", "keep one"


def _unknown_references(file: CardFile) -> Iterator[Disagreement]:
    known = {
        "links": {entry.key for entry in file.links},
        "suggestions": {entry.key for entry in file.suggestions},
        "override_reasons": {entry.code for entry in file.override_reasons},
    }
    codes = {entry.code for entry in file.topics} | {""}
    for topic in file.topics:
        for table, keys in known.items():
            for key in getattr(topic, table):
                if key not in keys:
                    yield f"topics.{topic.code}.{table}", f"{key} is not defined", f"add it to [[{table}]]"
        if topic.joins not in codes or topic.joins == topic.code:
            yield f"topics.{topic.code}.joins", "not another topic", "name the code of another topic"
        if topic.follows not in codes or topic.follows == topic.code:
            yield f"topics.{topic.code}.follows", "not another topic", "name the code of another topic"


def _sections(file: CardFile) -> Iterator[Disagreement]:
    fed = {name for topic in file.topics for name in topic.sections}
    for name in file.titles:
        if name not in fed:
            yield "topics", f"section {name} feeds no topic", "add it to the sections of one topic"
    for name in sorted(fed - file.titles.keys()):
        yield "titles", f"section {name} has no title", "add one"
    for entry in file.suggestions:
        for name in entry.sections:
            if name not in file.titles:
                yield f"suggestions.{entry.key}.sections", f"no section {name}", "name one that has a title"


def _sentences(file: CardFile) -> Iterator[Disagreement]:
    for key in file.lines.keys() - LINES.keys():
        yield f"lines.{key}", "no card uses this sentence", f"known: {', '.join(LINES)}"
    for key, blanks in LINES.items():
        line = file.lines.get(key)
        if line is None:
            yield f"lines.{key}", "missing sentence", "add its text and cites"
        elif _blanks(line.text) != set(blanks):
            expected = ", ".join(f"{{{blank}}}" for blank in blanks) or "none"
            yield f"lines.{key}.text", "other blanks than expected", f"use: {expected}"


def _blanks(text: str) -> set[str]:
    try:
        return {name for _, name, _, _ in Formatter().parse(text) if name is not None}
    except ValueError:
        return {"unbalanced braces"}
