"""The language of the knowledge made ready to search with; once in a process."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from fhir_mappings.clinical.report_language import (
    Amount,
    Area,
    Assertion,
    Category,
    Cue,
    ReportLanguage,
    Subject,
)
from fhir_mappings.reports.layout import Headings
from fhir_mappings.reports.phrases import PhraseTable
from fhir_mappings.reports.quantities import FigureReader
from fhir_mappings.reports.text import words_of


@dataclass(frozen=True, slots=True)
class ShareOf:
    """What a share may be taken of: ``all_cells`` or ``estimate``."""

    kind: str


@dataclass(frozen=True, slots=True)
class Silent:
    """A phrase that says nothing and hides what stands in it."""


Meaning = Subject | Area | Cue | Assertion | Category | Amount | ShareOf | Silent
DECIDING = ("blasts", "residual", "gene")
"""Roles whose mention makes a statement worth reading."""


@dataclass(frozen=True, slots=True, eq=False)
class Lexicon:
    """A language and its search tables."""

    language: ReportLanguage
    phrases: PhraseTable[Meaning]
    figures: FigureReader
    headings: Headings
    stems: tuple[str, ...]
    subjects: dict[str, Subject]
    whole_report: tuple[str, ...]
    area_stems: tuple[str, ...]


@lru_cache(maxsize=8)
def lexicon_of(language: ReportLanguage) -> Lexicon:
    """The search tables of a language."""
    return Lexicon(
        language=language,
        phrases=PhraseTable(_meanings(language)),
        figures=FigureReader(language.figures),
        headings=Headings.of({word: one.section for one in language.headings for word in one.words}),
        stems=tuple(dict.fromkeys(language.triggers)),
        subjects={subject.id: subject for subject in language.subjects},
        area_stems=tuple(
            {max(words_of(word), key=len).rstrip("*")[:6] for one in language.areas for word in one.words}
        ),
        whole_report=tuple(
            " ".join(words_of(word)) for cue in language.cues if cue.reach == "report" for word in cue.words
        ),
    )


def _meanings(language: ReportLanguage) -> Iterator[tuple[str, Meaning]]:
    for group in (
        language.subjects, language.areas, language.cues, language.assertions, language.categories,
        language.amounts,
    ):  # fmt: skip
        for one in group:
            for word in one.words:
                yield word, one
    for kind, words in language.figures.share_of.items():
        for word in words:
            yield word, ShareOf(kind)
    for word in language.silent:
        yield word, Silent()
