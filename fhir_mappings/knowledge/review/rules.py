"""What a clinician signs: every rule with its functions, the data it uses and the cases that pin it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from decimal import Decimal
from inspect import cleandoc
from itertools import groupby
from pathlib import Path
from typing import Any, Protocol

from fhir_mappings.clinical.options import OptionRule
from fhir_mappings.clinical.quantities import plain
from fhir_mappings.knowledge.criterion import Criterion, CriterionParameters
from fhir_mappings.knowledge.digests import file_digest, text_digest
from fhir_mappings.knowledge.model import Knowledge
from fhir_mappings.knowledge.relapsed_all.criteria import CRITERIA
from fhir_mappings.knowledge.review.case_records import CaseRecord
from fhir_mappings.knowledge.review.rule_sources import resolve
from fhir_mappings.knowledge.thresholds import ThresholdName
from fhir_mappings.knowledge.words import Words

_CLINICAL = "fhir_mappings.clinical."

TIMING_RULES: Mapping[str, tuple[str, tuple[ThresholdName, ...]]] = {
    "seed-003": ("seed_003", ("early_marrow_months", "early_extramedullary_months")),
    "seed-000": ("seed_000", ("end_of_therapy_months", "first_remission_months")),
    "bfm": ("bfm", ("very_early_months", "end_of_therapy_months")),
    "cog": ("cog", ("very_early_months", "early_marrow_months")),
}
"""Timing system: its function and its thresholds."""

SECTION_NUMBERS: Mapping[str, tuple[ThresholdName, ...]] = {
    "SUSPECT": (
        "suspect_marrow_at_least", "suspect_blood_at_least", "gcsf_days", "pegfilgrastim_days",
        "regeneration_days", "blood_marrow_days",
    ),
    "WORKUP": ("antigen_positive_at_least", "antigen_negative_below", "adult_years"),
    "MRD-DUE": ("mrd_due_before_days", "mrd_due_after_days"),
    "MRD-RES": (
        "mrd_negative_below", "mrd_hsct_r3", "mrd_hsct_bfm", "mrd_hsct_cog", "mrd_before_transplant_days",
    ),
    "HSCT": ("hsct_referral_days", "reminder_limit_days"),
    "PERSIST": ("persistent_marrow_at_least",),
    "DATA": ("blasts_marrow_at_least", "blasts_blood_at_least"),
}  # fmt: skip
"""Section: the thresholds that stand on its page. What no other page has stands on that of the status."""

_CNS_NUMBERS: tuple[ThresholdName, ...] = (
    "traumatic_csf_rbc_at_least", "steinherz_bleyer_factor", "blood_counts_window_days", "cns3_wbc_at_least",
)  # fmt: skip
_DIGEST = len("sha256:") + 12

_PACKS = {"R+": "RELAPSE TIMING WORKUP TRIAL OPT-B", "P+": "PROBABLE TIMING WORKUP TRIAL OPT-B"}


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing a clinician signs.

    ``guideline`` is what it decides, in words; ``data`` the numbers, sentences and table rows it uses, one a
    line; ``home`` the ids of the cases that are signed with it, ``cases`` of those that pin it, none where
    the cases are not at hand. ``functions`` are dotted names.
    """

    id: str
    title: str
    functions: tuple[str, ...]
    data: tuple[str, ...]
    cases: tuple[str, ...]
    guideline: tuple[str, ...] = ()
    home: tuple[str, ...] = ()


Cases = Mapping[str, CaseRecord]
Function = Callable[..., Any]


class ReviewedSection(Protocol):
    """A section of the answer as a rule: its name, what builds it, the beginnings of its sentences' keys."""

    @property
    def name(self) -> str: ...
    @property
    def build(self) -> Function: ...
    @property
    def words(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class RuleCode:
    """What lies above the knowledge and is signed with it: every section in reading order, the functions
    behind ``reading``, ``values``, ``reports``, ``status``, ``phrases``, ``timing`` and ``timeline``, and
    ``fill``, which fills the blanks of a sentence."""

    sections: tuple[ReviewedSection, ...]
    functions: Mapping[str, Function]
    fill: Callable[[str, Mapping[str, str]], str]

    def names(self, key: str) -> tuple[str, ...]:
        """The dotted name of the function behind ``key``."""
        return (dotted(self.functions[key]),)


def dotted(function: Function) -> str:
    """Module and name of a function or class."""
    return f"{function.__module__}.{function.__qualname__}"


def rules_of(knowledge: Knowledge, directory: Path, cases: Cases, code: RuleCode) -> tuple[Rule, ...]:
    """Every rule of the disease, in reading order."""
    found = _rules(knowledge, directory, cases, code)
    return tuple(
        replace(
            rule,
            guideline=tuple(filter(None, (_in_short(name) for name in rule.functions))),
            home=tuple(case.id for case in cases.values() if case.rule == rule.id),
        )
        for rule in found
    )


def _in_short(name: str) -> str:
    """The words of a function, as one line."""
    return " ".join(cleandoc(resolve(name).__doc__ or "").replace("``", "`").split())


def _rules(knowledge: Knowledge, directory: Path, cases: Cases, code: RuleCode) -> tuple[Rule, ...]:
    return (
        _reading(directory, cases, code),
        _values(cases, code),
        _reports(directory, cases, code),
        _status(knowledge, cases, code),
        _phrases(knowledge, cases, code),
        *_criteria(knowledge, cases, code),
        *_timing(knowledge, cases, code),
        *_classes(knowledge, cases),
        *_options(knowledge, cases),
        *_sections(knowledge, cases, code),
        *_timeline(knowledge, cases, code),
    )


def _reading(directory: Path, cases: Cases, code: RuleCode) -> Rule:
    """Which codes and units mean what."""
    paths = [directory / name for name in ("agents.toml", "concepts.toml", "needs.toml", "references.toml")]
    data = [f"file {path.name}: {file_digest(path)[:_DIGEST]}" for path in paths]
    sets = sorted((directory / "value_sets").glob("*.csv"))
    for kind, group in groupby(sets, key=lambda path: path.stem.partition("_")[0]):
        members = list(group)
        digest = text_digest(file_digest(path) for path in members)[:_DIGEST]
        data.append(f"value sets {kind}: {len(members)} files, {digest}")
    return Rule(
        "reading", "What is read from the record, by which codes", code.names("reading"),
        tuple(data), tuple(cases),
    )  # fmt: skip


def _values(cases: Cases, code: RuleCode) -> Rule:
    """How values are spelt."""
    return Rule(
        "reading-values", "How values and their units are read", code.names("values"), (),
        _ids(cases, lambda case: case.rule == "reading-values"),
    )  # fmt: skip


def _reports(directory: Path, cases: Cases, code: RuleCode) -> Rule:
    """The words of written reports."""
    paths = sorted((directory / "reports").glob("*.toml"))
    data = tuple(f"file {path.parent.name}/{path.name}: {file_digest(path)[:_DIGEST]}" for path in paths)
    return Rule(
        "reading-reports", "What is read from written reports", code.names("reports"), data,
        _ids(cases, lambda case: case.rule == "reading-reports"),
    )  # fmt: skip


def _status(knowledge: Knowledge, cases: Cases, code: RuleCode) -> Rule:
    elsewhere = {name for _, names in TIMING_RULES.values() for name in names} | {*_CNS_NUMBERS}
    elsewhere |= {name for names in SECTION_NUMBERS.values() for name in names}
    own = [name for name in knowledge.thresholds if name not in elsewhere]
    criteria = tuple(start for one in CRITERIA for start in one.words)
    gaps = [line for line in _words(knowledge, ("gap.",)) if not line.startswith(_keys(criteria))]
    data = (*_thresholds(knowledge, own), *gaps)
    return Rule(
        "status", "The status: relapse, probable, suspect, refractory, persistent or none",
        code.names("status"), data, tuple(cases),
    )  # fmt: skip


def _phrases(knowledge: Knowledge, cases: Cases, code: RuleCode) -> Rule:
    data = _words(knowledge, ("phrase.",))
    return Rule(
        "phrases", "Pieces that fill a blank of a sentence", code.names("phrases"), data, tuple(cases)
    )


def _criteria(knowledge: Knowledge, cases: Cases, code: RuleCode) -> Iterator[Rule]:
    for criterion in CRITERIA:
        data = (*_parts(knowledge, criterion, code), *_words(knowledge, criterion.words))
        wanted = _names(criterion, knowledge)
        yield Rule(
            f"criterion-{criterion.letter}", f"Criterion {_name(criterion, knowledge, code)}",
            (dotted(criterion.evaluate),), data, _ids(cases, wanted),
        )  # fmt: skip


def _name(criterion: Criterion, knowledge: Knowledge, code: RuleCode) -> str:
    """The name a clinician says, with the numbers of the first set that has the criterion."""
    sets = (*knowledge.criteria_sets, *knowledge.sets_off)
    numbers = next((part.numbers() for one in sets if (part := criterion.of(one)) is not None), None)
    words = knowledge.words[f"criterion.{criterion.letter}.name"]
    return code.fill(words.text, numbers) if numbers is not None else criterion.letter


def _names(criterion: Criterion, knowledge: Knowledge) -> Callable[[CaseRecord], bool]:
    """Whether a case names the criterion, or a set of its own where the default set does not have it."""
    own = {one.id for one in knowledge.criteria_sets if criterion.of(one) is not None}
    if criterion.of(knowledge.default_set) is not None:
        own = set()

    def names_it(case: CaseRecord) -> bool:
        letters = case.names("met", "not_met", "unknown")
        return criterion.letter in letters or bool(own & case.names("consensus", "no_consensus"))

    return names_it


def _timing(knowledge: Knowledge, cases: Cases, code: RuleCode) -> Iterator[Rule]:
    for name, (function, thresholds) in TIMING_RULES.items():
        prefixes = (f"timing.{name}",) if name != "seed-000" else ("timing.seed-000", "timing.cr1")
        data = (*_thresholds(knowledge, thresholds), *_words(knowledge, prefixes))
        functions = (f"{_CLINICAL}timing.{function}", *code.names("timing"))
        key = name.replace("-", "_")

        def names_it(case: CaseRecord, key: str = key, name: str = name) -> bool:
            told = any(words.startswith(f"timing.{name}") for words in case.names("says", "unsaid"))
            return key in case.expect or told

        yield Rule(f"timing-{name}", f"Timing by {name}", functions, data, _ids(cases, names_it))


def _classes(knowledge: Knowledge, cases: Cases) -> Iterator[Rule]:
    functions = tuple(f"{_CLINICAL}risk_groups.{name}_group" for name in ("bfm", "cog", "uk"))
    yield Rule(
        "risk-groups", "Risk groups of BFM, COG and UK", functions, _words(knowledge, ("risk.",)),
        _ids(cases, lambda case: _says(case, ("risk.",))),
    )  # fmt: skip
    yield Rule(
        "cns-classes", "CNS classes and the traumatic tap", (f"{_CLINICAL}cns.read_tap",),
        (*_thresholds(knowledge, _CNS_NUMBERS), *_words(knowledge, ("site.cns",))),
        _ids(cases, lambda case: _says(case, ("site.cns",)) or case.file == "criterion_e"),
    )  # fmt: skip


def _options(knowledge: Knowledge, cases: Cases) -> Iterator[Rule]:
    shared = _words(knowledge, ("reason.", "option.matches", "option.confirm", "option.outside-label"))
    for option in knowledge.options:
        own = _words(knowledge, (option.facts, *([option.safety] if option.safety else [])))

        def names_it(case: CaseRecord, wanted: str = option.id) -> bool:
            return wanted in case.names("options", "never")

        yield Rule(
            f"option-{option.id}", f"Option {option.title}", (f"{_CLINICAL}options.judge",),
            (*_row(option), *own, *shared), _ids(cases, names_it),
        )  # fmt: skip


def _sections(knowledge: Knowledge, cases: Cases, code: RuleCode) -> Iterator[Rule]:
    titles = knowledge.card_topics[0].wording.titles if knowledge.card_topics else {}
    for section in code.sections:
        name, prefixes = section.name, section.words

        def names_it(case: CaseRecord, wanted: str = name, prefixes: tuple[str, ...] = prefixes) -> bool:
            packed = _PACKS.get(str(case.expect.get("pack", "")), "").split()
            named = case.names("sections", "absent", "indicators", "milder")
            return wanted in named or wanted in packed or _says(case, prefixes)

        numbers = _thresholds(knowledge, SECTION_NUMBERS.get(name, ()))
        data = (f"title: {titles.get(name, '')}", *numbers, *_words(knowledge, prefixes))
        functions = (dotted(section.build),)
        yield Rule(f"section-{name}", f"Section {name}", functions, data, _ids(cases, names_it))


_LABELS = tuple(
    f"timeline.{kind}." for kind in ("panel", "phase", "basis", "mark", "use", "remark", "verdict", "summary")
)
_LABELS += ("timeline.threshold.", "timeline.threshold-short.")
"""The beginnings of the keys of the timeline's labels."""


def _timeline(knowledge: Knowledge, cases: Cases, code: RuleCode) -> Iterator[Rule]:
    labels = _words(knowledge, _LABELS)
    others = tuple(line for line in _words(knowledge, ("timeline.",)) if line not in labels)
    functions = code.names("timeline")
    yield Rule("timeline", "The picture over time", functions, others, tuple(cases))
    yield Rule("timeline-labels", "The labels of the picture over time", functions, labels, tuple(cases))


def _ids(cases: Cases, wanted: Callable[[CaseRecord], bool]) -> tuple[str, ...]:
    return tuple(case.id for case in cases.values() if wanted(case))


def _says(case: CaseRecord, prefixes: tuple[str, ...]) -> bool:
    return any(words.startswith(prefixes) for words in case.names("says", "unsaid"))


def _words(knowledge: Knowledge, prefixes: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(
        f"words {key}: {words.text} [{', '.join(words.cites)}]{' UNCONFIRMED' if words.unconfirmed else ''}"
        f"{_on_card(words)}"
        for key, words in sorted(knowledge.words.items())
        if key.startswith(prefixes)
    )


def _keys(prefixes: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"words {prefix}" for prefix in prefixes)


def _on_card(words: Words) -> str:
    """Its place on a card and what the card says, both of which a reviewer signs."""
    if words.rank is None:
        return ""
    return f"; on the card, rank {words.rank}" + (f": {words.brief}" if words.brief else "")


def _thresholds(knowledge: Knowledge, keys: Iterable[ThresholdName]) -> Iterator[str]:
    for key in keys:
        found = knowledge.thresholds[key]
        mark = "" if found.confirmed else " UNCONFIRMED"
        cites = ", ".join(found.cites)
        yield f"threshold {key}: {plain(found.value)} {found.unit}, {found.meaning} [{cites}]{mark}"


def _parts(knowledge: Knowledge, criterion: Criterion, code: RuleCode) -> Iterator[str]:
    for criteria in (*knowledge.criteria_sets, *knowledge.sets_off):
        parameters = criterion.of(criteria)
        if parameters is not None:
            asked = criterion.asks(parameters)
            sentence = code.fill(knowledge.words[asked.words].text, asked.values)
            yield f"criteria set {criteria.id}, {criterion.key}: {sentence}; {in_words(parameters)}"


def _row(option: OptionRule) -> Iterator[str]:
    yield f"option {in_words(option)}"


def in_words(part: object) -> str:
    """A table of the knowledge as a reviewer reads it: every key that is filled, with its value."""
    if isinstance(part, Decimal):
        return plain(part)
    if isinstance(part, (tuple, frozenset)):
        return ", ".join(in_words(one) for one in (part if isinstance(part, tuple) else sorted(part)))
    pairs: Iterable[tuple[str, object]] = ()
    if isinstance(part, CriterionParameters):
        pairs = part
    elif is_dataclass(part):
        pairs = ((field.name, getattr(part, field.name)) for field in fields(part))
    if pairs:
        return "; ".join(
            f"{name.replace('_', ' ')} {in_words(value)}"
            for name, value in pairs
            if value not in ("", (), None)
        )
    return str(part)
