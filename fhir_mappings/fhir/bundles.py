"""What a FHIR answer means for one need: its data, none, or the reason why it means nothing.

One judge for prefetched and fetched answers alike (FHIR R4, "Bundle", "Search" and "OperationOutcome").
Nothing here guesses in favour of "no data".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from fhir_mappings.assessment import Availability, NeedState
from fhir_mappings.fhir.decoding import Decoded, Unreadable
from fhir_mappings.fhir.elements import Entry, Issue, Link, Resource
from fhir_mappings.fhir.lazy_elements import is_plain_text
from fhir_mappings.fhir.search_links import asks_otherwise, encoded_codes, page_size_of

SEARCH_RESULTS = ("searchset", "collection")
REFERRED_TYPES = frozenset(
    {
        "Device",
        "Encounter",
        "Location",
        "Medication",
        "Organization",
        "Patient",
        "Practitioner",
        "PractitionerRole",
        "Provenance",
        "Specimen",
    }
)
"""Types that servers add to results without a search mode; nobody's result is one of them by mistake."""
_LOSES_DATA = {"incomplete", "timeout", "too-costly", "throttled", "exception", "transient", "no-store"}
"""Issue types that say, even as a warning, that results are missing."""
_MAY_BE_PARTIAL = "4119"
"""Epic's standing notice on almost every answer; it says nothing about this one."""
_OLDER_TYPES = {"MedicationOrder": "DSTU2", "DiagnosticOrder": "DSTU2", "Conformance": "DSTU2"}
_DIGITS = re.compile(r"[0-9]{1,9}")

DATA_PRESENT = NeedState(Availability.PRESENT)
DATA_EMPTY = NeedState(Availability.EMPTY)


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked for.

    Args:
        resource_type: the type of the results; empty where any type is an answer.
        codes: ``system|code`` that the results are narrowed to; none where they are not.
        patient_id: whose results; empty where the answer's links say nothing about that.
        parameter: the search parameter that carried the codes; empty where the query was not narrowed.
    """

    resource_type: str = ""
    codes: tuple[str, ...] = ()
    patient_id: str = ""
    parameter: str = "code"
    encoded: str = field(init=False, compare=False, repr=False, default="")

    def __post_init__(self) -> None:
        """Keep the codes as they stand in a URL: most links carry them like that."""
        object.__setattr__(self, "encoded", encoded_codes(self.codes))


@dataclass(frozen=True, slots=True)
class NeedData:
    """The data of one need, and whether they are all there is.

    ``next_url`` is the address of the rest: None where there is none, empty where it cannot be read.
    ``entries`` hold what was read even where the state is unknown. ``matches`` counts the results,
    ``total`` is the server's own count, ``page_size`` the one it says it used.
    """

    state: NeedState
    entries: Sequence[Entry] = ()
    unreadable: tuple[Unreadable, ...] = ()
    next_url: str | None = None
    matches: int = 0
    total: int | None = None
    page_size: int | None = None

    @property
    def reason(self) -> str:
        """Why the data are unknown; empty where they are known."""
        return self.state.reason

    @property
    def is_faulty(self) -> bool:
        """Whether the answer is unusable, and not only a part of several."""
        return self.state.availability is Availability.UNKNOWN and self.state.reason != "truncated"


def unknown_need(reason: str, unreadable: tuple[Unreadable, ...] = ()) -> NeedData:
    """A need of which nothing is known for ``reason``."""
    return NeedData(NeedState(Availability.UNKNOWN, reason), unreadable=unreadable)


def judge_answer(answer: Decoded, question: Question) -> NeedData:
    """What a decoded answer says. A single resource counts as the only result."""
    resource = answer.resource
    if resource.resource_type == "OperationOutcome":
        return unknown_need("outcome-error")
    if resource.resource_type is None:
        return unknown_need("unreadable", answer.unreadable)
    if resource.resource_type == "Bundle":
        return _judged_bundle(resource, answer.unreadable, question)
    entries = (Entry(resource=resource),)
    return NeedData(
        _state(_fault(entries, answer.unreadable, question), entries), entries, answer.unreadable, matches=1
    )


def older_version(resource: Resource) -> str:
    """DSTU2 or STU3 where a resource has a shape that R4 does not; otherwise empty.

    Before R4, the states of a Condition were plain codes; DSTU2 named its subject ``patient``.
    """
    kind = resource.resource_type or ""
    if kind != "Condition":
        return _OLDER_TYPES.get(kind, "")
    if resource.subject is None and resource.patient is not None:
        return "DSTU2"
    states = (resource.clinical_status, resource.verification_status)
    return "STU3" if any(is_plain_text(state) for state in states) else ""


def is_result(entry: Entry) -> bool:
    """Whether an entry is one of the results that a server counts, not an include or a notice."""
    resource = entry.resource
    if resource is None or resource.resource_type in (None, "OperationOutcome"):
        return False
    return entry.search is None or entry.search.mode in (None, "match")


def _judged_bundle(bundle: Resource, unreadable: tuple[Unreadable, ...], question: Question) -> NeedData:
    if isinstance(bundle.type, str) and bundle.type not in SEARCH_RESULTS:
        return unknown_need("not-fhir", unreadable)
    every, links = bundle.entry or (), bundle.link or ()
    entries = [entry for entry in every if _kind(entry) not in (None, "OperationOutcome")]
    matches = len(unreadable) + sum(map(is_result, entries))
    following, total = next_url(links), total_of(bundle)
    fault = _loss(every) or _fault(entries, unreadable, question)
    if not fault and asks_otherwise(links, question, entries):
        fault = "query-changed"
    if not fault and (following is not None or (total is not None and total > matches)):
        fault = "truncated"
    state = _state(fault, entries)
    return NeedData(state, entries, unreadable, following, matches, total, page_size_of(links))


def _state(fault: str, entries: Sequence[Entry]) -> NeedState:
    if fault:
        return NeedState(Availability.UNKNOWN, fault)
    return DATA_PRESENT if entries else DATA_EMPTY


def _loss(entries: Iterable[Entry]) -> str:
    """What the entries themselves say about results that are not there."""
    kinds = [_kind(entry) for entry in entries]
    if "OperationOutcome" in kinds and any(map(_reports_loss, entries)):
        return "outcome-error"
    return "unreadable" if None in kinds else ""


def _fault(entries: Sequence[Entry], unreadable: tuple[Unreadable, ...], question: Question) -> str:
    if any(entry.resource is not None and older_version(entry.resource) for entry in entries):
        return "wrong-version"
    if _holds_another_type(entries, question):
        return "wrong-type"
    if any(_concerns(item, question) for item in unreadable):
        return "unreadable"
    return ""


def _holds_another_type(entries: Sequence[Entry], question: Question) -> bool:
    """Whether something else stands where results of the type that was asked for should."""
    kind = question.resource_type
    if not kind or not entries:
        return False
    if not any(_kind(entry) == kind for entry in entries):
        return any(map(is_result, entries))
    return any(
        is_result(entry)
        and _kind(entry) != kind
        and not (_mode(entry) is None and _kind(entry) in REFERRED_TYPES)
        for entry in entries
    )


def _kind(entry: Entry) -> str | None:
    return entry.resource.resource_type if entry.resource is not None else None


def _mode(entry: Entry) -> str | None:
    return entry.search.mode if entry.search is not None else None


def _reports_loss(entry: Entry) -> bool:
    """An outcome that is an error, says that data are missing, or says nothing at all."""
    if entry.resource is None or entry.resource.resource_type != "OperationOutcome":
        return False
    return not entry.resource.issue or any(map(_is_loss, entry.resource.issue))


def _is_loss(issue: Issue) -> bool:
    if issue.severity not in ("warning", "information") or issue.code in _LOSES_DATA:
        return True
    if issue.code != "suppressed":
        return False
    codings = issue.details.coding if issue.details else None
    return not any(coding.code == _MAY_BE_PARTIAL for coding in codings or ())


def _concerns(item: Unreadable, question: Question) -> bool:
    """Whether an unreadable resource may be one that was looked for, as far as its type and codes say."""
    if item.resource_type and question.resource_type not in ("", item.resource_type):
        return False
    return not item.codes or not question.codes or any(code in question.codes for code in item.codes)


def next_url(links: Iterable[Link]) -> str | None:
    """The URL of the next page; None when there is none. Empty when the link has no readable URL."""
    for link in links:
        if link.relation == "next":
            return link.url or ""
    return None


def total_of(bundle: Resource) -> int | None:
    """The number of results that the server counts, where it names one."""
    text = bytes(bundle.total or b"").decode("ascii", "replace").strip()
    return int(text) if _DIGITS.fullmatch(text) else None
