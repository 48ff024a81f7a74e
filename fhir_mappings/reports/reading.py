"""The text of one report to everything that it says about the leukaemia."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from fhir_mappings.clinical.report_language import Area, ReportLanguage, Subject
from fhir_mappings.clinical.written_reports import (
    About,
    DescribedResult,
    Effect,
    Reading,
    ReadState,
    Trust,
)
from fhir_mappings.reports.describing import Describer
from fhir_mappings.reports.effects import effect_of
from fhir_mappings.reports.grounds import Surroundings
from fhir_mappings.reports.layout import Statement, statements_of
from fhir_mappings.reports.lexicon import DECIDING, Lexicon, lexicon_of
from fhir_mappings.reports.marks import Marked, mark
from fhir_mappings.reports.tables import read_tables
from fhir_mappings.reports.text import fold, tokens_of

MAX_TEXT = 200_000
"""Characters of a report that are read; a longer one is read so far and counts as partly read."""

SHORT = 2_000
"""Characters of a report on fluid of which every statement is read: it may say "lymphocytes only"."""

_DECISIVE = frozenset(
    {
        "marrow-lymphoblasts",
        "marrow-blasts",
        "blood-lymphoblasts",
        "blood-blasts",
        "csf-blasts",
        "csf-cytology",
        "csf-flow",
        "csf-blast-count",
        "csf-wbc",
        "mrd",
        "testis-biopsy",
        "other-site",
        "bcr-abl1",
        "kmt2a",
    }
)
_DIFFERENTIAL = (Decimal(95), Decimal(105))


@dataclass(slots=True)
class _Carried:
    """What goes on from one statement to the next within a section."""

    section: tuple[int, int] = (-1, -1)
    area: str = ""
    subject: Subject | None = None
    flow: bool = False
    asked: str = ""


def read_report(text: str, about: About, language: ReportLanguage) -> Reading:
    """Every described result of a text, and how far the text was understood.

    Never raises for any text; time grows with its length only.
    """
    lexicon = lexicon_of(language)
    cut = text[:MAX_TEXT]
    folded = fold(cut)
    results = _resolved(list(_results(cut, folded, about, lexicon)), lexicon)
    return Reading(_state(results, len(text) > MAX_TEXT), tuple(results))


def _results(text: str, folded: str, about: About, lexicon: Lexicon) -> Iterator[DescribedResult]:
    tables = read_tables(text, folded, about, lexicon)
    yield from tables.results
    places = _telling_places(folded, lexicon)
    donor = _donor_of(text, folded, lexicon)
    carried = _Carried()
    found: list[tuple[Statement, DescribedResult]] = []
    last = -1
    for statement in statements_of(folded, lexicon.headings):
        if any(begin <= statement.start and statement.end <= end for begin, end in tables.covered):
            continue
        _enter(statement, folded, lexicon, carried)
        if not (_is_telling(statement, places) or _goes_on(statement, folded, about, carried)):
            _note_area(statement, folded, lexicon, carried)
            continue
        marked = mark(folded, statement, lexicon)
        around = Surroundings(
            about, carried.area or about.area, donor, carried.subject, _has_percent_head(folded, statement),
            carried.flow, carried.asked,
        )  # fmt: skip
        results = Describer(text, marked, lexicon, around).results()
        found.extend((statement, one) for one in results)
        carried.asked = next((one.concept for one in results if one.reason == "hypothetical"), "")
        _carry(marked, carried)
        last = statement.end
    del last
    yield from _with_differential(found, folded, lexicon)


def _telling_places(folded: str, lexicon: Lexicon) -> list[int]:
    """Where a word stands that makes a statement worth a closer look, in order."""
    places = []
    folded = folded.replace("\n", " ").replace("\r", " ")
    for stem in lexicon.stems:
        place = folded.find(stem)
        while place >= 0:
            places.append(place)
            place = folded.find(stem, place + 1)
    places.sort()
    return places


def _is_telling(statement: Statement, places: list[int]) -> bool:
    low, high = 0, len(places)
    while low < high:
        middle = (low + high) // 2
        if places[middle] < statement.start:
            low = middle + 1
        else:
            high = middle
    return low < len(places) and places[low] < statement.end


def _goes_on(statement: Statement, folded: str, about: About, carried: _Carried) -> bool:
    """A statement without a telling word counts where the text is a value, or goes on about a subject."""
    if (
        about.concept
        or (about.area == "csf" and len(folded) <= SHORT)
        or (carried.asked and statement.end - statement.start <= 40)
    ):
        return True
    if carried.subject is None and about.area not in ("marrow", "residual", "blood", "csf"):
        return False
    part = folded[statement.start : statement.end]
    return "%" in part and any(word in part for word in ("this", "these", "they", "sample", "specimen"))


def _donor_of(text: str, folded: str, lexicon: Lexicon) -> str:
    """The words that say that the whole report is about a donor."""
    for phrase in lexicon.whole_report:
        first = phrase.split(" ", 1)[0]
        place = folded.find(first)
        while place >= 0:
            words = phrase.split(" ")
            tokens = tokens_of(folded, place, min(len(folded), place + len(phrase) + 20))
            if list(tokens.words[: len(words)]) == words:
                return text[tokens.starts[0] : tokens.ends[len(words) - 1]]
            place = folded.find(first, place + 1)
    return ""


def _enter(statement: Statement, folded: str, lexicon: Lexicon, carried: _Carried) -> None:
    """A new heading brings its own material and forgets the subject before it."""
    if statement.heading == carried.section:
        return
    begin, end = statement.heading
    carried.section, carried.subject = statement.heading, None
    heading = folded[begin:end]
    carried.flow = statement.section == "flow"
    named = _areas_in(heading, lexicon)
    if named:
        carried.area = named[-1]


def _note_area(statement: Statement, folded: str, lexicon: Lexicon, carried: _Carried) -> None:
    """A line that only names the specimen ("Bone marrow aspirate:") sets the material of what follows."""
    if not any(stem in folded[statement.start : statement.end] for stem in lexicon.area_stems):
        return
    if statement.end - statement.start > 80 and statement.section != "specimen":
        return
    named = _areas_in(folded[statement.start : statement.end], lexicon)
    if len(set(named)) == 1 and (statement.section == "specimen" or statement.end - statement.start <= 50):
        carried.area = named[0]


def _areas_in(folded: str, lexicon: Lexicon) -> list[str]:
    words = tokens_of(folded).words
    return [one.meaning.id for one in lexicon.phrases.find(words) if isinstance(one.meaning, Area)]


def _carry(marked: Marked, carried: _Carried) -> None:
    named = [
        one.meaning for one in marked.subjects if one.meaning.role in DECIDING and one.meaning.role != "gene"
    ]
    carried.subject = named[-1] if named else carried.subject


def _has_percent_head(folded: str, statement: Statement) -> bool:
    """Whether a heading or column above says that the figures are percentages."""
    above = folded[max(0, statement.start - 400) : statement.start]
    return any(
        sign in above for sign in ("(%)", "in %", "[%]", ", %)", " %)", " %\n", "\t%\n", "percent)")
    ) or ("%:" in folded[statement.start : statement.end] or "(%)" in folded[statement.start : statement.end])


def _with_differential(
    found: list[tuple[Statement, DescribedResult]], folded: str, lexicon: Lexicon
) -> Iterator[DescribedResult]:
    """Figures without a unit whose list adds up to a hundred are percentages."""
    for statement, one in found:
        if one.reason == "no-unit" and one.unit == "%" and _adds_up(statement, folded, lexicon):
            one = replace(one, trust=Trust.KNOWN, reason="", cue="")
            one = replace(one, effect=effect_of(one, lexicon))
        yield one


def _adds_up(statement: Statement, folded: str, lexicon: Lexicon) -> bool:
    begin, end = statement.start, statement.end
    if len(lexicon.figures.find(folded, begin, end)) < 4:
        begin, end = _block(folded, begin, end)
    numbers = [
        one.low for one in lexicon.figures.find(folded, begin, end)
        if one.low is not None and one.low == one.high and one.kind == "single" and one.low <= 100
    ]  # fmt: skip
    if len(numbers) < 3:
        return False
    return _DIFFERENTIAL[0] <= sum(numbers, Decimal(0)) <= _DIFFERENTIAL[1]


def _block(folded: str, begin: int, end: int) -> tuple[int, int]:
    """The lines around a line, as far as no empty line parts them."""
    first = folded.rfind("\n\n", 0, begin)
    last = folded.find("\n\n", end)
    return (first + 2 if first >= 0 else 0), (last if last >= 0 else len(folded))


def _resolved(results: list[DescribedResult], lexicon: Lexicon) -> list[DescribedResult]:
    """In order; a bare mention beside a real statement goes; statements that disagree are doubtful."""
    real = {_family(one) for one in results if one.is_used and one.reason != "no-amount"}
    kept = [one for one in results if one.reason != "no-amount" or _family(one) not in real]
    sides: dict[str, set[Effect]] = {}
    for one in kept:
        if one.trust is Trust.KNOWN and one.effect in (Effect.POSITIVE, Effect.NEGATIVE):
            sides.setdefault(_family(one), set()).add(one.effect)
    settled = [
        replace(one, trust=Trust.DOUBTFUL, reason="disagrees")
        if one.trust is Trust.KNOWN and len(sides.get(_family(one), ())) > 1
        else one
        for one in kept
    ]
    return sorted(settled, key=lambda one: (one.start, one.end, one.concept))


def _family(one: DescribedResult) -> str:
    return "marrow" if one.concept in ("marrow-lymphoblasts", "marrow-blasts") else one.concept


def _state(results: Iterable[DescribedResult], was_cut: bool) -> ReadState:
    results = list(results)
    used = [one for one in results if one.is_used and one.concept in _DECISIVE]
    if not used:
        others = [one for one in results if one.reason == "other-person"]
        return ReadState.READ if others and len(others) == len(results) else ReadState.UNREAD
    plain = all(one.trust is Trust.KNOWN for one in used)
    return ReadState.READ if plain and not was_cut else ReadState.PARTLY
