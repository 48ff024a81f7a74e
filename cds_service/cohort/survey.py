"""Which result codes an export holds: known to the rules, reading like one of theirs, or neither."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from cds_service.cohort.exports import Shard, chunks
from cds_service.cohort.heads import NOT_DECODED, Block
from cds_service.cohort.local import Job, Progress, Run, do_all, no_progress, processes
from cds_service.cohort.rules import Rules
from cds_service.cohort.work_folder import WorkFolder
from fhir_mappings.assess import Malformed, Resource, decode, decode_lines, resembling, result_codes

MOST_CODES = 20_000
"""Different codes that are told apart in one shard; those beyond are left out."""


class CodeCount(msgspec.Struct):
    """One code with one unit. ``concept`` is what the rules take it for, ``resembles`` what it reads like."""

    code: str
    text: str
    unit: str
    concept: str
    resembles: str
    results: int = 0
    undated: int = 0


class _Range(msgspec.Struct):
    text: str = ""


class _Ranges(msgspec.Struct, rename="camel"):
    reference_range: list[_Range] = []


_ranges = msgspec.json.Decoder(_Ranges)


def survey(lines: Sequence[bytes], rules: Rules, found: dict[tuple[bytes, bytes], list[CodeCount]]) -> None:
    """Counts the codes of the Observations among the lines into ``found``, by code and unit as written."""
    for number, resource in _resources(lines):
        if resource.resource_type != "Observation":
            continue
        key = bytes(resource.code), _unit_bytes(resource)
        counts = found.get(key)
        if counts is None:
            if len(found) >= MOST_CODES:
                continue
            counts = found[key] = _counts(resource, lines[number], rules)
        undated = not (
            resource.effective_date_time
            or resource.effective_period
            or resource.effective_instant
            or resource.issued
        )
        for count in counts:
            count.results += 1
            count.undated += undated


def survey_shard(shard: Shard, rules: Rules) -> list[CodeCount]:
    """The counts of one shard."""
    found: dict[tuple[bytes, bytes], list[CodeCount]] = {}
    for chunk in chunks(shard):
        survey(chunk.lines, rules, found)
    return merged(count for counts in found.values() for count in counts)


def merged(counts: Iterable[CodeCount]) -> list[CodeCount]:
    """Counts of the same code and unit added up, the most frequent first."""
    found: dict[tuple[str, str, str], CodeCount] = {}
    for one in counts:
        key = (one.code, one.unit, "" if one.code else one.text)
        known = found.get(key)
        if known is None:
            found[key] = msgspec.structs.replace(one)
        else:
            known.results += one.results
            known.undated += one.undated
            known.resembles = known.resembles or one.resembles
    return sorted(found.values(), key=lambda one: (-one.results, one.code, one.unit, one.text))


def run_survey(run: Run, progress: Progress = no_progress) -> list[CodeCount]:
    """The counts of an export."""
    work = WorkFolder(run.job.out)
    tasks = {
        str(number): (shard.size, (_survey, run.job, str(number), shard))
        for number, shard in enumerate(run.shards)
    }
    with processes(run) as pool:
        do_all("survey", tasks, work, pool, progress)
    return merged(count for name in tasks for count in work.read("survey", name, list[CodeCount]))


def _survey(job: Job, name: str, shard: Shard) -> None:
    WorkFolder(job.out).write("survey", name, survey_shard(shard, job.source.load()))


def _resources(lines: Sequence[bytes]) -> Iterator[tuple[int, Resource]]:
    resources = decode_lines(lines.data) if isinstance(lines, Block) else None
    if resources is not None and len(resources) == len(lines):
        yield from enumerate(resources)
        return
    for number, line in enumerate(lines):
        try:
            yield number, decode(line).resource
        except Malformed:
            continue


def _unit_bytes(resource: Resource) -> bytes:
    """The Quantity without its number, as far as it must be looked at to tell units apart."""
    quantity = bytes(resource.value_quantity)
    _head, separator, rest = quantity.partition(b'"unit"')
    return rest if separator else b""


def _counts(resource: Resource, line: bytes, rules: Rules) -> list[CodeCount]:
    words = _range_words(line)
    return [
        CodeCount(
            one.code,
            one.text,
            one.unit,
            one.concept,
            "" if one.concept else resembling(f"{one.text} {words}", one.unit),
        )
        for one in result_codes([resource], rules.knowledge, rules.local_codes)
    ]


def _range_words(line: bytes) -> str:
    try:
        return " ".join(one.text for one in _ranges.decode(line).reference_range)
    except NOT_DECODED:
        return ""
