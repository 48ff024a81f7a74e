"""``reports/*.toml``: the words that written reports are read by."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictInt

from fhir_mappings.clinical.report_language import (
    Amount,
    Area,
    Assertion,
    Category,
    Cue,
    Figures,
    Heading,
    ReportLanguage,
    Side,
    Subject,
)
from fhir_mappings.clinical.vocabulary import TextRule, Vocabulary
from fhir_mappings.knowledge.errors import Fault
from fhir_mappings.knowledge.loader import KnowledgeFile, read_toml

_Id = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
_Word = Annotated[str, Field(min_length=1, max_length=60)]
_Words = Annotated[tuple[_Word, ...], Field(min_length=1)]
_Role = Literal["blasts", "residual", "leukocytes", "erythrocytes", "gene", "other"]
_AreaId = Literal["marrow", "blood", "csf", "testis", "elsewhere"]
_Section = Literal[
    "body", "history", "question", "specimen", "method", "reference", "flow", "genetics", "diagnosis",
    "addendum",
]  # fmt: skip
_Kind = Literal[
    "negated", "affirmed", "uncertain", "historical", "timepoint", "present", "hypothetical",
    "reference", "limit",
    "other-person", "gated", "superseded", "break",
]  # fmt: skip
_Reach = Literal["forward", "backward", "phrase", "clause", "statement", "report", "next", "last"]
_Presence = Literal["present", "absent", "indeterminate"]


class WordList(KnowledgeFile):
    """A table that only holds words."""

    words: _Words


class SubjectEntry(KnowledgeFile):
    """One ``[[subject]]``."""

    id: _Id
    role: _Role
    words: _Words
    concepts: dict[Literal["marrow", "blood", "csf", "testis", "elsewhere", "any"], _Id] = Field(
        default_factory=dict
    )
    doubtful: StrictBool = False
    short: StrictBool = False


class SubjectsFile(KnowledgeFile):
    """``subjects.toml``."""

    subject: tuple[SubjectEntry, ...]


class AreaEntry(KnowledgeFile):
    """One ``[[area]]``."""

    id: _AreaId
    words: _Words


class HeadingEntry(KnowledgeFile):
    """One ``[[heading]]``."""

    section: _Section
    words: _Words


class AreasFile(KnowledgeFile):
    """``areas.toml``."""

    area: tuple[AreaEntry, ...]
    heading: tuple[HeadingEntry, ...]


class CueEntry(KnowledgeFile):
    """One ``[[cue]]``. ``within`` counts words, for the reaches next and last."""

    kind: _Kind
    reach: _Reach
    words: _Words
    within: Annotated[StrictInt, Field(ge=0, le=20)] = 0


class CuesFile(KnowledgeFile):
    """``cues.toml``."""

    cue: tuple[CueEntry, ...]


class AssertionEntry(KnowledgeFile):
    """One ``[[assertion]]``."""

    says: Literal["present", "absent"]
    words: _Words
    area: _AreaId | Literal[""] = ""
    course: Literal["relapse", "remission", ""] = ""
    only_denied: StrictBool = False


class SilentEntry(KnowledgeFile):
    """One ``[[silent]]``."""

    words: _Words


class AssertionsFile(KnowledgeFile):
    """``assertions.toml``."""

    assertion: tuple[AssertionEntry, ...]
    silent: tuple[SilentEntry, ...]
    triggers: WordList


class CategoryEntry(KnowledgeFile):
    """One ``[[category]]``."""

    area: _AreaId
    words: _Words
    low: Decimal | None = None
    high: Decimal | None = None
    open: Literal["low", "high", ""] = ""
    presence: _Presence | Literal[""] = ""


class AmountEntry(KnowledgeFile):
    """One ``[[amount]]``."""

    presence: _Presence
    words: _Words


class SideEntry(KnowledgeFile):
    """One ``[sides.CONCEPT]``."""

    negative_below: Decimal | None = None
    positive_from: Decimal | None = None


class CategoriesFile(KnowledgeFile):
    """``categories.toml``."""

    category: tuple[CategoryEntry, ...]
    amount: tuple[AmountEntry, ...]
    sides: dict[_Id, SideEntry]


class NumbersFile(KnowledgeFile):
    """``numbers.toml``."""

    words: dict[str, Decimal]
    tens: WordList
    shares: dict[str, Decimal]
    comparators: dict[Literal["below", "at_most", "above", "at_least", "about"], _Words]
    units: dict[Literal["percent", "per_microlitre"], _Words]
    of: dict[Literal["all_cells", "estimate"], _Words]
    words_in_between: WordList


class KindEntry(KnowledgeFile):
    """One ``[[kind]]``."""

    area: Literal["marrow", "blood", "csf", "testis", "residual", "genetics"]
    pattern: str


class Pattern(KnowledgeFile):
    """A table that only holds a pattern."""

    pattern: str


class KindsFile(KnowledgeFile):
    """``kinds.toml``."""

    kind: tuple[KindEntry, ...]
    documents: Pattern


def with_report_kinds(vocabulary: Vocabulary, path: Path, faults: list[Fault]) -> Vocabulary:
    """The vocabulary with the words that say what a report is about."""
    file = read_toml(path, KindsFile, faults)
    if file is None:
        return vocabulary
    kinds = tuple(TextRule(_compiled(one.pattern, path, faults), one.area) for one in file.kind)
    return replace(
        vocabulary, report_kinds=kinds, document_text=_compiled(file.documents.pattern, path, faults)
    )


def _compiled(pattern: str, path: Path, faults: list[Fault]) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error:
        faults.append(Fault(str(path), 0, "pattern", "not a regular expression", "correct the pattern"))
        return re.compile(r"(?!)")


def read_report_language(directory: Path, faults: list[Fault]) -> ReportLanguage | None:
    """The language in ``directory``; None where a file could not be understood."""
    subjects = read_toml(directory / "subjects.toml", SubjectsFile, faults)
    areas = read_toml(directory / "areas.toml", AreasFile, faults)
    cues = read_toml(directory / "cues.toml", CuesFile, faults)
    assertions = read_toml(directory / "assertions.toml", AssertionsFile, faults)
    categories = read_toml(directory / "categories.toml", CategoriesFile, faults)
    numbers = read_toml(directory / "numbers.toml", NumbersFile, faults)
    if subjects is None or areas is None or cues is None:
        return None
    if assertions is None or categories is None or numbers is None:
        return None
    return ReportLanguage(
        subjects=tuple(
            Subject(
                one.id,
                one.role,
                one.words,
                {str(area): concept for area, concept in one.concepts.items()},
                one.doubtful,
                one.short,
            )
            for one in subjects.subject
        ),
        areas=tuple(Area(one.id, one.words) for one in areas.area),
        headings=tuple(Heading(one.section, one.words) for one in areas.heading),
        cues=tuple(Cue(one.kind, one.reach, one.words, one.within) for one in cues.cue),
        assertions=tuple(
            Assertion(one.says, one.words, one.area, one.course, one.only_denied)
            for one in assertions.assertion
        ),
        silent=tuple(word for one in assertions.silent for word in one.words),
        triggers=assertions.triggers.words,
        categories=tuple(
            Category(one.area, one.words, one.low, one.high, one.open, one.presence)
            for one in categories.category
        ),
        amounts=tuple(Amount(one.presence, one.words) for one in categories.amount),
        figures=_figures(numbers),
        sides={name: Side(one.negative_below, one.positive_from) for name, one in categories.sides.items()},
    )


def _figures(numbers: NumbersFile) -> Figures:
    return Figures(
        words=dict(numbers.words),
        tens=numbers.tens.words,
        shares=dict(numbers.shares),
        comparators={name: words for name, words in numbers.comparators.items()},
        units={name: words for name, words in numbers.units.items()},
        share_of={name: words for name, words in numbers.of.items()},
        between=frozenset(numbers.words_in_between.words),
    )
