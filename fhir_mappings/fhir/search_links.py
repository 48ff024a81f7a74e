"""The ``self`` link of a search result: the question that the server understood (FHIR R4, "Search").

A gateway may change a query on its way; the answer is then a good one to another question.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Protocol
from urllib.parse import parse_qsl, quote

from fhir_mappings.fhir.decoding import named_codes
from fhir_mappings.fhir.elements import Entry, Link

_OWNERS = ("patient", "subject", "individual")
_DIGITS = re.compile(r"[0-9]{1,9}")
_LONGEST = 64 * 1024
"""Characters of a link that is looked at."""


class Asked(Protocol):
    """What was asked for; see ``bundles.Question``."""

    @property
    def resource_type(self) -> str: ...
    @property
    def codes(self) -> tuple[str, ...]: ...
    @property
    def patient_id(self) -> str: ...
    @property
    def parameter(self) -> str: ...
    @property
    def encoded(self) -> str: ...


def encoded_codes(codes: Iterable[str]) -> str:
    """Codes as the value of a search parameter in a URL: every reserved character is encoded."""
    return quote(",".join(codes), safe="")


def asks_otherwise(links: Sequence[Link], asked: Asked, entries: Sequence[Entry]) -> bool:
    """Whether the self link names another question than the one asked.

    Only what loses results counts: another patient, a code that is missing from the list, or no list at
    all beside a patient. No link, another order, more codes or parameters and another encoding do not.
    A list that was dropped by a server which then sent everything has lost nothing.
    """
    query = _self_query(links)
    codes = asked.codes if asked.parameter else ()
    if not query or not (codes or asked.patient_id):
        return False
    if _is_as_sent(query, asked) and not asked.patient_id:
        return False
    parameters = [(name.partition(":")[0], value) for name, value in parse_qsl(query, keep_blank_values=True)]
    owners = [value for name, value in parameters if name in _OWNERS]
    if asked.patient_id and owners and not any(_is_patient(value, asked.patient_id) for value in owners):
        return True
    if not codes or _is_as_sent(query, asked):
        return False
    lists = [value for name, value in parameters if name == asked.parameter]
    if not lists:
        return bool(owners) and not _holds_others(entries, asked)
    named = {token.strip() for value in lists for token in value.split(",")}
    return not all(_is_named(code, named) for code in codes)


def page_size_of(links: Iterable[Link]) -> int | None:
    """The page size that the server says it used."""
    for link in links:
        if link.relation == "self" and link.url:
            counts = [value for name, value in parse_qsl(link.url.partition("?")[2]) if name == "_count"]
            if counts and _DIGITS.fullmatch(counts[0]):
                return int(counts[0])
    return None


def _self_query(links: Iterable[Link]) -> str:
    for link in links:
        if link.relation == "self" and link.url:
            return link.url[:_LONGEST].partition("#")[0].partition("?")[2]
    return ""


def _is_as_sent(query: str, asked: Asked) -> bool:
    return f"&{asked.parameter}={asked.encoded}&" in f"&{query}&"


def _is_patient(value: str, patient_id: str) -> bool:
    return any(one.rpartition("/")[2] == patient_id for one in value.split(","))


def _is_named(code: str, named: set[str]) -> bool:
    """A server may leave the system out: it then looks for more than was asked."""
    return code in named or code.partition("|")[2] in named


def _holds_others(entries: Iterable[Entry], asked: Asked) -> bool:
    """Whether results came that no code asked for."""
    return any(
        entry.resource is not None
        and entry.resource.resource_type == asked.resource_type
        and (codes := named_codes(entry.resource.code))
        and not any(code in asked.codes for code in codes)
        for entry in entries
    )
