"""Which scopes are asked for, and whether those granted are enough (SMART App Launch 2.2, "Scopes")."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from fhir_mappings.assess import Need

_GRANTED = re.compile(r"(?:patient|user)/(?P<type>\*|[A-Za-z]+)\.(?P<may>read|\*|c?r?u?d?s?)(?P<only>\?.*)?")
_CONCLUDING = frozenset({"always", "with-all"})


def wanted_scopes(types: Iterable[str], *, version_1: bool, launched: bool) -> str:
    """The scopes of an authorisation request: reading and searching, of one patient, and nothing else.

    ``version_1`` for servers that only know the older syntax. ``launched``: the EHR names the patient;
    otherwise its server is asked to let the user choose one.
    """
    may = "read" if version_1 else "rs"
    context = "launch" if launched else "launch/patient"
    return " ".join([context, *(f"patient/{kind}.{may}" for kind in sorted(types))])


def covers(granted: str, needs: Iterable[Need]) -> bool:
    """Whether the granted scopes let everything be read without which nothing may be concluded.

    A scope narrowed by a query does not count: a filtered answer looks like a complete one.
    """
    wanted = {need.resource_type for need in needs if need.requirement in _CONCLUDING}
    return all(_may_search(kind, granted.split()) for kind in wanted)


def _may_search(kind: str, scopes: Collection[str]) -> bool:
    for scope in scopes:
        found = _GRANTED.fullmatch(scope)
        if found is None or found["only"] or found["type"] not in ("*", kind):
            continue
        if found["may"] in ("read", "*") or ("r" in found["may"] and "s" in found["may"]):
            return True
    return False
