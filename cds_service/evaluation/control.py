"""Whether "no results" may be believed: searches by code held against a search without codes.

What lies between service and server may change or drop a part of a query, and a search for the wrong code is
answered like one that finds nothing. So an empty answer counts only where the newest results of the chart,
read whatever their codes, agree with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from fhir_mappings.assess import (
    DATA_EMPTY,
    DATA_PRESENT,
    RESULT_NEEDS,
    Availability,
    Entry,
    NeedData,
    NeedState,
    named_codes,
)

NOT_CONTROLLED = NeedState(Availability.UNKNOWN, "not-controlled")
MISSED = NeedState(Availability.UNKNOWN, "results-missed")
LOOKED_PARTLY = NeedState(Availability.UNKNOWN, "looked-partly")
NOT_LOOKED_FOR = NeedState(Availability.UNKNOWN, "not-looked-for")


@dataclass(frozen=True, slots=True)
class Control:
    """What the newest results of a chart say about the searches by code.

    ``added`` are the results that no search had brought. ``missed`` names the needs whose codes they have,
    ``agreed`` those of which a result came both ways. ``is_whole`` says that the chart has no others,
    ``was_read`` that it could be read at all.
    """

    added: Sequence[Entry] = ()
    missed: frozenset[str] = frozenset()
    agreed: frozenset[str] = frozenset()
    is_whole: bool = False
    was_read: bool = False


@dataclass(slots=True)
class _Counted:
    added: list[Entry] = field(default_factory=list)
    missed: set[str] = field(default_factory=set)
    agreed: set[str] = field(default_factory=set)


def held_against(
    survey: NeedData, entries: Iterable[Entry], by_code: Mapping[tuple[str, str], tuple[str, ...]]
) -> Control:
    """The control of ``entries`` by the newest results. ``by_code`` names the needs of a type and code."""
    known = {key for entry in entries if (key := _identity(entry))}
    own: set[tuple[str, str]] = set()
    counted = _Counted()
    for entry in survey.entries:
        key = _identity(entry)
        resource = entry.resource
        if resource is None or resource.resource_type != "Observation":
            continue
        needs = {
            need for code in named_codes(resource.code) for need in by_code.get(("Observation", code), ())
        }
        if key and key in known:
            counted.agreed |= needs
        elif key not in own:
            counted.added.append(entry)
            counted.missed |= needs
        if key:
            own.add(key)
    return Control(
        counted.added,
        frozenset(counted.missed),
        frozenset(counted.agreed),
        is_whole=survey.state.availability is not Availability.UNKNOWN,
        was_read=survey.reason in ("", "truncated"),
    )


def believed(states: Mapping[str, NeedState], control: Control, coded: Iterable[str]) -> dict[str, NeedState]:
    """The needs for results whose states the control does not bear out. ``coded`` are asked for by code."""
    changed: dict[str, NeedState] = {}
    for key in coded:
        state = states[key]
        if state.reason == "query-changed":
            changed[key] = DATA_PRESENT if control.is_whole else state
        elif key in control.missed and state.availability is not Availability.UNKNOWN:
            changed[key] = DATA_PRESENT if control.is_whole else MISSED
        elif state == DATA_EMPTY and key in RESULT_NEEDS and control.was_read:
            if not control.is_whole:
                changed[key] = NOT_CONTROLLED
    return changed


def after_second_question(state: NeedState, answer: NeedData | None, control: Control) -> NeedState:
    """The state of a doubted need after it was asked for in other words."""
    if answer is None or state == DATA_PRESENT:
        return state
    if answer.state == DATA_PRESENT:
        return DATA_PRESENT
    works = bool(control.agreed - control.missed)
    return DATA_EMPTY if state != MISSED and answer.state == DATA_EMPTY and works else state


def without_known(entries: Iterable[Entry], known: Iterable[Entry]) -> list[Entry]:
    """The entries whose resources are not among the known ones."""
    seen = {key for entry in known if (key := _identity(entry))}
    return [entry for entry in entries if _identity(entry) not in seen]


def unasked(control: Control | None) -> NeedState:
    """The state of a need without a code: it is looked for among the newest results, or nowhere."""
    if control is None or not control.was_read:
        return NOT_LOOKED_FOR
    return DATA_PRESENT if control.is_whole else LOOKED_PARTLY


def _identity(entry: Entry) -> tuple[str, str] | None:
    resource = entry.resource
    if resource is None or not resource.id:
        return None
    return (resource.resource_type or "", resource.id)
