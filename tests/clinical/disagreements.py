"""Where an answer differs from a case, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.clinical.case_files import PACKS, Case, Expectation

_MONTHS_TOLERANCE = 0.15
"""Months are for display: 40 months and 14 days are 40.4 by days of the year, 40.5 by days of the month."""
_BELOW_WARNING = ("info", None)

Answer = Mapping[str, Any]


Said = Mapping[str, Sequence[str]]
"""Keys of the sentences that are said, each with its sentences, blanks filled."""


Read = Mapping[str, Sequence[tuple[str, str]]]
"""Names of the sections, each with its sentences in their order: key and text, the summary first."""


def disagreements(
    case: Case, answer: Answer, indicators: Mapping[str, str], said: Said, read: Read
) -> list[str]:
    """One sentence per difference between ``answer`` (assess --json) and the case."""
    expect = case.expect
    sentences = [
        *_plain_facts(expect, answer),
        *_timing(expect, answer.get("timing", {})),
        *_criteria(expect, answer.get("criteria", []), case.criteria_set or "seed-000"),
        *_options(expect, answer.get("options", [])),
        *_sections(expect, answer.get("sections", []), indicators),
        *_ignored(expect, answer.get("ignored", [])),
        *_words(expect, said),
        *_reads(expect, read),
    ]
    return [f"{case.id}: {sentence}" for sentence in sentences]


def _should(what: str, expected: object, found: object) -> Iterator[str]:
    if expected is not None and expected != found:
        yield f"{what} should be {expected}, is {'not stated' if found is None else found}"


def _plain_facts(expect: Expectation, answer: Answer) -> Iterator[str]:
    yield from _should("status", expect.status, answer.get("status"))
    yield from _should("phase", expect.phase, answer.get("phase"))
    yield from _should("relapse number", expect.relapse_number, answer.get("relapseNumber"))
    yield from _should("site", expect.site, answer.get("site"))
    event = expect.event_date.isoformat() if expect.event_date else None
    yield from _should("event date", event, answer.get("eventDate"))
    yield from _should("lineage", expect.lineage, answer.get("lineage"))
    yield from _should("BCR::ABL1", expect.bcr_abl1, answer.get("bcrAbl1"))
    yield from _should("CD19", expect.cd19, answer.get("cd19"))
    yield from _should("CD22", expect.cd22, answer.get("cd22"))


def _timing(expect: Expectation, timing: Answer) -> Iterator[str]:
    for name, value, months in (
        ("seed-003", expect.seed_003, expect.seed_003_months),
        ("seed-000", expect.seed_000, expect.seed_000_months),
        ("bfm", expect.bfm, None),
    ):
        found = timing.get(name, {})
        yield from _should(f"timing by {name}", value, found.get("class"))
        if months is not None and abs(float(found.get("months", "inf")) - months) > _MONTHS_TOLERANCE:
            yield f"months by {name} should be {months}, are {found.get('months', 'not stated')}"
    yield from _should(
        "first remission over 18 months", expect.cr1_over_18_months, timing.get("cr1Over18Months")
    )


def _criteria(expect: Expectation, criteria: list[Answer], deciding: str) -> Iterator[str]:
    seed = {each["id"]: each["verdict"] for each in criteria if each["set"] == deciding}
    if expect.met is not None:
        found = sorted(name for name, verdict in seed.items() if verdict == "met")
        yield from _should("the met seed criteria", sorted(expect.met), found)
    for verdict, names in (("not-met", expect.not_met), ("unknown", expect.unknown)):
        for name in names:
            yield from _should(f"criterion {name}", verdict, seed.get(name))
    fulfilled = {each["set"] for each in criteria if each["verdict"] == "met"}
    for criteria_set in expect.consensus:
        if criteria_set not in fulfilled:
            yield f"the criteria set {criteria_set} should be met, is not"
    for criteria_set in expect.no_consensus:
        if criteria_set in fulfilled:
            yield f"the criteria set {criteria_set} should not be met, is"


def _options(expect: Expectation, options: list[Answer]) -> Iterator[str]:
    states = {each["agent"]: each["state"] for each in options}
    for agent, state in expect.options.items():
        yield from _should(agent, state, states.get(agent))
    for agent in expect.never:
        if states.get(agent, "excluded") != "excluded":
            yield f"{agent} should not be offered, is {states[agent]}"


def _sections(expect: Expectation, sections: list[str], indicators: Mapping[str, str]) -> Iterator[str]:
    wanted = [*(PACKS[expect.pack] if expect.pack else ()), *expect.sections]
    missing = [name for name in wanted if name not in sections]
    if missing:
        yield f"sections {', '.join(missing)} should be present, there are {', '.join(sections) or 'none'}"
    for name in expect.absent:
        if name in sections:
            yield f"section {name} should be absent, is present"
    if expect.quiet and sections:
        yield f"there should be nothing to show, there are {', '.join(sections)}"
    for name, indicator in expect.indicators.items():
        yield from _should(f"section {name}", indicator, indicators.get(name))
    for name in expect.milder:
        if indicators.get(name) not in _BELOW_WARNING:
            yield f"section {name} should be below a warning, is {indicators[name]}"


def _ignored(expect: Expectation, ignored: list[Answer]) -> Iterator[str]:
    found = {each["resource"].rpartition("/")[2] for each in ignored}
    for name in expect.ignored:
        if name not in found:
            yield f"{name} should be listed as ignored, listed are {', '.join(sorted(found)) or 'none'}"


def _words(expect: Expectation, said: Said) -> Iterator[str]:
    for wanted in expect.says:
        key, _, text = wanted.partition(": ")
        if key not in said:
            yield f"it should say {key}, does not"
        elif not any(text in sentence for sentence in said[key]):
            yield f"{key} should contain {text!r}, reads {'; '.join(said[key])!r}"
    for key in expect.unsaid:
        if key in said:
            yield f"it should not say {key}, does"


def _reads(expect: Expectation, read: Read) -> Iterator[str]:
    for name, wanted in expect.reads.items():
        found = read.get(name, ())
        keys = [each.partition(": ")[0] for each in wanted]
        spoken = [key for key, _text in found]
        if keys != spoken:
            yield f"section {name} should read {', '.join(keys)}, reads {', '.join(spoken)}"
            continue
        for each, (key, sentence) in zip(wanted, found, strict=True):
            if each.partition(": ")[2] not in sentence:
                yield f"{key} should contain {each.partition(': ')[2]!r}, reads {sentence!r}"
