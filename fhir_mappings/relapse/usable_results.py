"""What of the chart may be used at the moment of evaluation, sorted into samples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from fhir_mappings.clinical.cns import TapReading, TraumaticTapRule, read_tap
from fhir_mappings.clinical.facts import (
    Diagnosis,
    Facts,
    Ignored,
    Medication,
    ProcedureDone,
    Result,
    ResultStatus,
    Specimen,
    SpecimenTaken,
)
from fhir_mappings.clinical.moments import Moment
from fhir_mappings.clinical.quantities import Measured, Narrative, Presence, Unusable, as_conflict
from fhir_mappings.clinical.samples import HUNDRED, Sample, group_csf, numeric
from fhir_mappings.clinical.verdict import Evidence
from fhir_mappings.knowledge.model import Knowledge

MARROW = ("marrow-lymphoblasts", "marrow-blasts", "marrow-malignant")
BLOOD = ("blood-lymphoblasts", "blood-blasts")
CSF_CYTOLOGY = ("csf-blasts", "csf-blast-count", "csf-cytology")
DECIDING = frozenset((*MARROW, *BLOOD, *CSF_CYTOLOGY, "csf-wbc", "csf-rbc", "mrd"))
# Under names of their own: Python 3.11 looks members of an Enum up slowly, and every result is asked.
_PRELIMINARY, _FINAL = ResultStatus.PRELIMINARY, ResultStatus.FINAL
# A percentage of a flow gate is not a share of nucleated cells.
_GATED = ("flow", "gate", "cytometr")


@dataclass(frozen=True, slots=True)
class View:
    """Usable, final, dated results at ``at``; and what was set aside, with reasons."""

    at: datetime
    today: Moment
    diagnoses: tuple[Diagnosis, ...]
    procedures: tuple[ProcedureDone, ...]
    medications: tuple[Medication, ...]
    marrow: tuple[Sample, ...]
    blood: tuple[Sample, ...]
    taps: tuple[TapReading, ...]
    mrd: tuple[Sample, ...]
    gated: tuple[Sample, ...]
    by_concept: dict[str, tuple[Result, ...]]
    preliminary: tuple[Result, ...]
    undated: tuple[Result, ...]
    unusable: tuple[Result, ...]
    ignored: tuple[Ignored, ...]

    def results(self, *concepts: str) -> tuple[Result, ...]:
        """All usable results of some concepts, in order of collection."""
        return _in_order(self.by_concept, concepts)


def view_of(facts: Facts, at: datetime, knowledge: Knowledge) -> View:
    """The usable part of the chart at ``at``: nothing later, nothing void, nothing of a donor."""
    ignored = list(facts.ignored)
    results = _usable_results(facts, at, ignored)
    preliminary = tuple(result for result in results if result.status is _PRELIMINARY)
    final = [result for result in results if result.status is _FINAL]
    dated = [result for result in final if result.collected is not None]
    by_concept: dict[str, list[Result]] = {}
    for result in dated:
        by_concept.setdefault(result.concept, []).append(result)
    ordered = {concept: tuple(sorted(found, key=_when)) for concept, found in by_concept.items()}
    titles = knowledge.titles
    marrow = _samples(ordered, MARROW, titles, knowledge)
    blood_counts = _samples(ordered, ("blood-blast-count",), titles, None)
    white, red = (
        _samples(ordered, ("blood-wbc",), titles, None),
        _samples(ordered, ("blood-rbc",), titles, None),
    )
    blood = _samples(ordered, BLOOD, titles, knowledge) + _shares(blood_counts, white)
    return View(
        at=at,
        today=Moment.on(at.date()),
        diagnoses=tuple(_not_after(facts.diagnoses, at)),
        procedures=tuple(
            done for done in facts.procedures if done.performed is None or not done.performed.is_after(at)
        ),
        medications=tuple(
            drug for drug in facts.medications if drug.start is None or not drug.start.is_after(at)
        ),
        marrow=marrow,
        blood=tuple(sorted(blood, key=lambda sample: (sample.day.sort_key, sample.result.resource))),
        taps=_taps(ordered, titles, white, red, knowledge),
        mrd=numeric(ordered.get("mrd", ()), titles, knowledge.number("contradicting_mrd_below")),
        gated=_gated_samples(ordered, titles),
        by_concept=ordered,
        preliminary=tuple(sorted(preliminary, key=_when)),
        undated=tuple(result for result in final if result.collected is None and result.concept in DECIDING),
        unusable=tuple(
            one for one in map(_unread, dated) if isinstance(one.value, Unusable) and one.concept in DECIDING
        ),
        ignored=tuple(ignored),
    )


def _unread(result: Result) -> Result:
    """A marrow whose value is text that no rule understands is no remission: it counts as unusable."""
    if result.concept in MARROW and isinstance(result.value, Narrative):
        return replace(result, value=Unusable("text-unread"))
    return result


def _usable_results(facts: Facts, at: datetime, ignored: list[Ignored]) -> list[Result]:
    specimens = {taken.resource: taken for taken in facts.specimens}
    usable = []
    for result in facts.results:
        taken = specimens.get(_relative(result.specimen_ref)) if result.specimen_ref and specimens else None
        if taken is not None:
            settled = _with_specimen(result, taken, ignored)
            if settled is None:
                continue
            result = settled
        if result.collected is not None and result.collected.is_after(at):
            ignored.append(Ignored(result.resource, "after-evaluation", result.concept))
            continue
        usable.append(result)
    return _without_copies(usable)


def _without_copies(results: list[Result]) -> list[Result]:
    """One of each: a copy has the same value of the same concept, and the same specimen or moment (D-09).

    A second delivery under another id is no second sample. The final one stays, else the first by name.
    """
    kept: dict[tuple[object, ...], Result] = {}
    stay: set[int] = set()
    for result in sorted(results, key=lambda one: (one.status is _PRELIMINARY, one.resource)):
        keys = _copy_keys(result)
        if any(key in kept and not _apart(kept[key], result) for key in keys):
            continue
        stay.add(id(result))
        for key in keys:
            kept.setdefault(key, result)
    return [result for result in results if id(result) in stay]


def _copy_keys(result: Result) -> list[tuple[object, ...]]:
    if result.collected is None or not isinstance(result.value, (Measured, Presence)):
        return []
    value: tuple[object, ...] = (result.value,)
    if isinstance(result.value, Measured):
        value = (result.value.low, result.value.high, result.value.low_open, result.value.high_open)
    same = (result.concept, result.method, result.specimen, *value)
    keys: list[tuple[object, ...]] = [("at", *same, *result.collected.sort_key)]
    if result.specimen_ref:
        keys.append(("of", *same, result.specimen_ref))
    return keys


def _apart(one: Result, other: Result) -> bool:
    """Whether two results name two specimens of the chart: then they are two samples."""
    names = {one.specimen_ref, other.specimen_ref}
    return len(names) == 2 and all(name and "#" not in name for name in names)


def _with_specimen(result: Result, taken: SpecimenTaken, ignored: list[Ignored]) -> Result | None:
    if taken.donor:
        ignored.append(Ignored(result.resource, "donor-specimen", result.concept))
        return None
    known = (Specimen.UNSTATED, Specimen.OTHER)
    if result.specimen not in known and taken.material not in known and result.specimen is not taken.material:
        ignored.append(Ignored(result.resource, "specimen-conflict", result.concept))
        return replace(result, specimen=Specimen.OTHER, value=as_conflict(result.value))
    if taken.collected is not None and result.date_basis == "reported":
        return replace(result, collected=taken.collected, date_basis="collected")
    return result


def _samples(
    ordered: dict[str, tuple[Result, ...]],
    concepts: Sequence[str],
    titles: Mapping[str, str],
    knowledge: Knowledge | None,
) -> tuple[Sample, ...]:
    found = [result for result in _in_order(ordered, concepts) if not _is_gated(result)]
    none_below = knowledge.number("remission_marrow_below") if knowledge is not None else None
    return numeric(found, titles, none_below) if found else ()


def _gated_samples(
    ordered: Mapping[str, tuple[Result, ...]], titles: Mapping[str, str]
) -> tuple[Sample, ...]:
    found = [result for result in _in_order(ordered, MARROW) if _is_gated(result)]
    return numeric(found, titles) if found else ()


def _in_order(ordered: Mapping[str, tuple[Result, ...]], concepts: Sequence[str]) -> tuple[Result, ...]:
    """The results of some concepts in order of collection, in which those of one concept are already."""
    groups = [ordered[concept] for concept in concepts if concept in ordered]
    if len(groups) == 1:
        return groups[0]
    return tuple(sorted((result for group in groups for result in group), key=_when))


def _is_gated(result: Result) -> bool:
    return result.concept in MARROW and any(word in result.method for word in _GATED)


def _shares(counts: Sequence[Sample], white: Sequence[Sample]) -> tuple[Sample, ...]:
    """Absolute blasts as a share of the leukocytes of the same day (S-000-03)."""
    found = []
    for count in counts:
        total = next((sample for sample in white if sample.day.first == count.day.first), None)
        number = count.value.exact
        whole = total.value.exact if total is not None else None
        if number is None or whole is None or whole <= 0 or number > whole:
            continue
        share = number / whole * HUNDRED
        found.append(replace(count, value=Measured(share, share, "%", count.value.original)))
    return tuple(found)


def _taps(
    ordered: dict[str, tuple[Result, ...]],
    titles: Mapping[str, str],
    white: Sequence[Sample],
    red: Sequence[Sample],
    knowledge: Knowledge,
) -> tuple[TapReading, ...]:
    cytology = [result for concept in CSF_CYTOLOGY for result in ordered.get(concept, ())]
    if not cytology and "csf-wbc" not in ordered and "csf-rbc" not in ordered:
        return ()
    rule = TraumaticTapRule(
        knowledge.number("traumatic_csf_rbc_at_least"),
        knowledge.number("steinherz_bleyer_factor"),
        knowledge.whole("blood_counts_window_days"),
        knowledge.number("cns3_wbc_at_least"),
    )
    draws = group_csf(
        _samples(ordered, ("csf-wbc",), titles, None),
        _samples(ordered, ("csf-rbc",), titles, None),
        [result for result in cytology if not isinstance(result.value, Unusable)],
    )
    return tuple(read_tap(draw, white, red, rule) for draw in draws)


def _not_after(diagnoses: Iterable[Diagnosis], at: datetime) -> Iterable[Diagnosis]:
    for diagnosis in diagnoses:
        if diagnosis.onset is not None and diagnosis.onset.is_after(at):
            continue
        if diagnosis.onset is None and diagnosis.recorded is not None and diagnosis.recorded.is_after(at):
            continue
        yield diagnosis


def _relative(reference: str) -> str:
    if reference.startswith("urn:") or "#" in reference:
        return f"Specimen/{reference}"
    return "/".join(reference.split("/_history/", 1)[0].rsplit("/", 2)[-2:])


def _when(result: Result) -> tuple[object, ...]:
    if result.collected is None:
        return ((), result.resource, result.concept)
    return (result.collected.sort_key, result.resource, result.concept)


def describe(result: Result, titles: Mapping[str, str]) -> Evidence:
    """A result that is not used for a verdict, as evidence for display."""
    value = result.value
    text = value.text if isinstance(value, Measured) else value.value if isinstance(value, Presence) else ""
    original = value.original if isinstance(value, (Measured, Unusable)) else ""
    return Evidence(
        resource=result.resource,
        what=titles.get(result.concept, result.concept),
        value=text,
        unit=value.unit if isinstance(value, Measured) else "",
        original=original,
        date=result.collected.text if result.collected else "",
    )


def measured(item: Evidence) -> str:
    """A datum in a few words: name, value, original, date."""
    value = f"{item.value} {item.unit}".strip() if item.value else ""
    original = f" (recorded as {item.original})" if item.original not in ("", value) else ""
    date = f" on {item.date}" if item.date else ""
    return f"{item.what} {value}".strip() + original + date
