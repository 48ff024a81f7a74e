"""Figures in words: percentages, ranges, fractions, powers of ten, counts, number words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from fhir_mappings.clinical.report_language import Figures
from fhir_mappings.reports.text import fold, words_of

_HUNDRED = Decimal(100)
_NUMBER = (
    r"\d{1,3}(?:[,']\d{3})+(?![\d])|\d{1,3}(?:\.\d{3}){2,}(?!\d)|\d{1,3}(?: \d{3}){2,}(?!\d)|\d+(?:[.,]\d+)?"
)
_ARTICLE = r"(?:a|an|the|un|una|los|las|der|die|to be|at|:)"
_TOTAL = (
    r"million|mio\.?|mill\.?|10\s*\^?\s*6|10\s*\^?\s*5|10\s*\^\s*4|1\s*e\s*6"
    r"|1,000,000|1 000 000|1\.000\.000|100,000|100\.000|100 000|10,000|10\.000|10 000"
)
_GAP = r"(?:\s+[a-z][a-z-]*){0,5}?"
_GROUPED = re.compile(r"\d{1,3}(?:[,' .]\d{3})+")
_SMALLEST_TOTAL = 20
"""A fraction of fewer cells than this is no differential: "1 of 3 tubes"."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A figure at ``start`` to ``end`` of the folded text.

    ``unit`` is ``%``, ``/uL`` or empty. ``estimated`` says that the words call it approximate; ``kind`` is
    single, range, fraction, rate (per million), power, words or chamber (``27/3``).
    """

    start: int
    end: int
    low: Decimal | None
    high: Decimal | None
    low_open: bool
    high_open: bool
    unit: str
    kind: str
    estimated: bool = False


class FigureReader:
    """Finds every figure of a text. Made once for a language."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures
        self._comparators = {
            " ".join(words_of(word)): name for name, words in figures.comparators.items() for word in words
        }
        self._units = {
            "".join(words_of(word)): name for name, words in figures.units.items() for word in words
        }
        self._words = {word: number for word, number in figures.words.items()}
        self._shares = {" ".join(words_of(word)): number for word, number in figures.shares.items()}
        self._pattern = self._compiled()
        self.hint = re.compile(r"\d|" + _any_of([*self._words, *(name.split()[0] for name in self._shares)]))

    def find(self, folded: str, start: int, end: int) -> list[Quantity]:
        """The figures between two offsets, in order; none overlap."""
        found = [self._read(match) for match in self._pattern.finditer(folded, start, end)]
        return [one for one in found if one is not None]

    def _compiled(self) -> re.Pattern[str]:
        comparator = rf"(?:(?P<cmp>{_any_of(self._comparators, spaced=True)})\s*(?:{_ARTICLE}\s+)?)?"
        percent = _any_of([w for u, w in _unit_words(self._figures) if u == "percent"], spaced=True)
        unit = rf"(?P<unit>{_any_of([w for _u, w in _unit_words(self._figures)], spaced=True)})"
        tens = "|".join(self._figures.tens.__iter__())
        word = rf"(?:(?:{tens})[\s-]+(?:one|two|three|four|five|six|seven|eight|nine)|{_any_of(self._words)})"
        parts = (
            rf"(?:(?P<mantissa>{_NUMBER})\s*[x*]\s*)?10\s*(?:\^|\*\*|e)?\s*(?:-\s*(?P<power>\d)|\(\s*-\s*(?P<power2>\d)\s*\))(?!\d)(?!\s*%)"
            rf"|(?P<scientific>\d+(?:\.\d+)?)e(?P<exponent>-\d{{1,2}})(?!\d)",
            rf"(?P<rate>{_NUMBER}){_GAP}\s*(?:per|/|in|pro|por|among|par)\s+(?:a\s+)?(?P<rated>{_TOTAL})(?![\d,.]*\d)",
            rf"(?P<part>\d+(?:[,'.]\d{{3}})*){_GAP}\s+(?:out\s+of|of|in|among|von|aus|de|sur|per)\s+(?:a\s+total\s+of\s+|the\s+|total\s+)?(?P<total>\d+(?:[,'.]\d{{3}})*)(?!\s*%)(?![.,]?\d)",
            r"(?P<counted>\d{1,5})\s?/\s?(?P<of>\d{1,5})(?![\d/-]|\.\d)(?!\s*%)",
            rf"(?:between|zwischen|entre)\s+(?P<low1>{_NUMBER})\s*(?:{percent})?\s*(?:and|und|y|et)\s+(?P<high1>{_NUMBER})\s*{unit}",
            rf"(?<!from )(?<!von )(?<!from)(?P<low2>{_NUMBER})\s*(?:{percent})?\s*(?:-|to|bis|a)\s*"
            rf"(?P<high2>{_NUMBER})(?:\s*[|\t]?\s*{unit.replace('P<unit>', 'P<unit2>')})?(?![\d-])",
            rf"(?P<word>\b{word})\s*(?:{percent})(?![a-z])",
            rf"\b(?P<share>{_any_of(self._shares, spaced=True)})(?=\s+(?:of\b|der\b|des\b|de\b|the\b))",
            rf"(?P<single>{_NUMBER})(?:\s*[|\t]?\s*{unit.replace('P<unit>', 'P<unit3>')})?",
        )
        return re.compile(rf"(?<![a-z0-9.,])(?:{comparator}(?:{'|'.join(parts)}))")

    def _read(self, match: re.Match[str]) -> Quantity | None:
        comparator = self._comparators.get(" ".join((match["cmp"] or "").split()), "")
        if match["power"] or match["power2"] or match["scientific"]:
            return self._quantity(match, _power(match), comparator, "%", "power")
        if match["rate"]:
            return self._quantity(match, _rate(match["rate"], match["rated"]), comparator, "%", "rate")
        if match["part"]:
            return self._fraction(match, match["part"], match["total"], comparator)
        if match["counted"]:
            return self._counted(match, comparator)
        if match["low1"]:
            return self._range(match, match["low1"], match["high1"], self._unit(match["unit"]), comparator)
        if match["low2"]:
            return self._range(match, match["low2"], match["high2"], self._unit(match["unit2"]), comparator)
        if match["word"]:
            return self._quantity(match, self._worded(match["word"]), comparator, "%", "words")
        if match["share"]:
            share = self._shares.get(" ".join(match["share"].split()))
            return self._quantity(match, share, comparator, "%", "words")
        unit = self._unit(match["unit3"])
        return self._quantity(match, decimal_of(match["single"], unit == "%"), comparator, unit, "single")

    def _unit(self, text: str | None) -> str:
        name = self._units.get("".join((text or "").split()), "")
        return {"percent": "%", "per_microlitre": "/uL"}.get(name, "")

    def _worded(self, text: str) -> Decimal | None:
        words = text.replace("-", " ").split()
        if len(words) == 1:
            return self._words.get(words[0])
        whole = self._words.get("-".join(words))
        if whole is not None:
            return whole
        numbers = [self._words[word] for word in words if word in self._words]
        return sum(numbers, Decimal(0)) if len(numbers) == len(words) else None

    def _fraction(self, match: re.Match[str], part: str, total: str, comparator: str) -> Quantity | None:
        top, bottom = decimal_of(part, False), decimal_of(total, False)
        if top is None or bottom is None or bottom < _SMALLEST_TOTAL or top > bottom:
            return self._quantity(match, None, comparator, "", "fraction")
        return self._quantity(match, top * _HUNDRED / bottom, comparator, "%", "fraction")

    def _counted(self, match: re.Match[str], comparator: str) -> Quantity | None:
        top, bottom = Decimal(match["counted"]), Decimal(match["of"])
        if bottom == 3:
            return self._quantity(match, top / bottom, comparator, "/uL", "chamber")
        return self._fraction(match, match["counted"], match["of"], comparator)

    def _range(
        self, match: re.Match[str], low: str, high: str, unit: str, comparator: str
    ) -> Quantity | None:
        lowest, highest = decimal_of(low, unit == "%"), decimal_of(high, unit == "%")
        if lowest is None or highest is None or lowest > highest:
            return self._quantity(match, None, "", "", "range")
        about = comparator == "about"
        return Quantity(match.start(), match.end(), lowest, highest, False, False, unit, "range", about)

    def _quantity(
        self, match: re.Match[str], number: Decimal | None, comparator: str, unit: str, kind: str
    ) -> Quantity | None:
        start, end = match.start(), match.end()
        if number is None:
            # A figure without a meaning still stands there: it must not be read as another one.
            return Quantity(start, end, None, None, False, False, "", "none")
        low: Decimal | None = number
        high: Decimal | None = number
        if comparator in ("below", "at_most"):
            low = None
        elif comparator in ("above", "at_least"):
            high = None
        return Quantity(
            start,
            end,
            low,
            high,
            comparator == "above",
            comparator == "below",
            unit,
            kind,
            comparator == "about",
        )


def decimal_of(text: str, is_share: bool) -> Decimal | None:
    """A figure as it is written: thousands are grouped in threes, except where a share would exceed 100."""
    text = text.strip()
    if _GROUPED.fullmatch(text) and not text.startswith("0"):
        grouped = re.sub(r"[,' .]", "", text)
        if not is_share or Decimal(grouped) <= _HUNDRED:
            if "." not in text or text.count(".") > 1:
                return Decimal(grouped)
    try:
        return Decimal(text.replace(",", "."))
    except InvalidOperation:
        return None


def _power(match: re.Match[str]) -> Decimal | None:
    if match["scientific"]:
        exponent = int(match["exponent"])
        number = decimal_of(match["scientific"], True)
        return None if number is None or exponent >= 0 else number * _HUNDRED * Decimal(10) ** exponent
    mantissa = decimal_of(match["mantissa"], True) if match["mantissa"] else Decimal(1)
    return (
        None
        if mantissa is None
        else mantissa * _HUNDRED * Decimal(10) ** -int(match["power"] or match["power2"])
    )


def _rate(part: str, total: str) -> Decimal | None:
    number = decimal_of(part, False)
    digits = re.sub(r"\D", "", total)
    if total.startswith(("mi", "1e")) or digits in ("106", "1000000", "16"):
        whole = Decimal(1_000_000)
    elif digits in ("105", "100000"):
        whole = Decimal(100_000)
    else:
        whole = Decimal(10_000)
    return None if number is None or number > whole else number * _HUNDRED / whole


def _unit_words(figures: Figures) -> Iterator[tuple[str, str]]:
    for unit, words in figures.units.items():
        for word in words:
            yield unit, word


def _any_of(words: Iterable[str], spaced: bool = False) -> str:
    """An alternation of literals, longest first, with room between their tokens."""
    forms = sorted({fold(word) for word in words}, key=lambda word: (-len(word), word))
    return "|".join(_literal(form, spaced) for form in forms)


def _literal(form: str, spaced: bool) -> str:
    parts = [re.escape(part) for part in words_of(form)]
    text = r"\s*".join(parts) if spaced else re.escape(form)
    if spaced:
        text = text.replace(r"\s*", r"\s+") if all(part.isalpha() for part in words_of(form)) else text
    return text + (r"\b" if form[-1:].isalpha() else "")
