"""Our codes and value sets before a terminology server: valid, unknown there, or not answered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from cds_service.cohort.fhir_requests import CommandClient, decoded
from cds_service.fhir_client.transport import Failed
from fhir_mappings.assess import Knowledge

VALID, UNKNOWN, UNANSWERED = "valid", "unknown", "not answered"


def checked(client: CommandClient, knowledge: Knowledge) -> dict[str, Any]:
    """Every code through ``$validate-code`` and every value set through ``$expand``.

    A system of which the server knows no code is one that it does not hold: its codes are not answered, and
    not called unknown.
    """
    codes: dict[str, dict[str, str]] = defaultdict(dict)
    for rows in knowledge.value_sets.values():
        for row in rows:
            if row.system.startswith(("http", "urn:")) and row.code:
                codes[row.system].setdefault(row.code, "")
    for system, known in codes.items():
        for code in known:
            known[code] = _validated(client, system, code)
        if VALID not in known.values():
            known.update(dict.fromkeys(known, UNANSWERED))
    sets = {name: _expanded(client, rows) for name, rows in sorted(knowledge.value_sets.items())}
    return {
        "server": client.base.url,
        "systems": {
            system: {
                state: sum(found == state for found in known.values())
                for state in (VALID, UNKNOWN, UNANSWERED)
            }
            for system, known in sorted(codes.items())
        },
        "unknown": sorted(
            f"{system}|{code}"
            for system, known in codes.items()
            for code, state in known.items()
            if state == UNKNOWN
        ),
        "value_sets": sets,
    }


def terminology_text(found: Mapping[str, Any]) -> str:
    """The same for a terminal."""
    lines = ["", f"terminology server {found['server']}:"]
    for system, states in found["systems"].items():
        lines.append(
            f"  {system}: " + ", ".join(f"{count} {state}" for state, count in states.items() if count)
        )
    lines += [f"  unknown there: {code}" for code in found["unknown"]]
    expanded = sum(one["state"] == "expanded" for one in found["value_sets"].values())
    lines.append(f"  {expanded} of {len(found['value_sets'])} value sets expanded whole")
    return "\n".join(lines) + "\n"


def _validated(client: CommandClient, system: str, code: str) -> str:
    reply = client.get(f"CodeSystem/$validate-code?url={quote(system, safe='')}&code={quote(code, safe='')}")
    if isinstance(reply, Failed) or reply.status != 200:
        return UNANSWERED
    for part in decoded(reply).get("parameter") or ():
        if isinstance(part, dict) and part.get("name") == "result":
            return VALID if part.get("valueBoolean") is True else UNKNOWN
    return UNANSWERED


def _expanded(client: CommandClient, rows: Sequence[Any]) -> dict[str, Any]:
    """The state of one value set: expanded whole, with codes missing, or not answered."""
    by_system: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        if row.system.startswith(("http", "urn:")) and row.code:
            by_system[row.system].append(row.code)
    if not by_system:
        return {"state": "has no codes of a system"}
    include = [
        {"system": system, "concept": [{"code": code} for code in dict.fromkeys(codes)]}
        for system, codes in by_system.items()
    ]
    body = {
        "resourceType": "Parameters",
        "parameter": [
            {
                "name": "valueSet",
                "resource": {"resourceType": "ValueSet", "status": "active", "compose": {"include": include}},
            }
        ],
    }
    reply = client.post("ValueSet/$expand", body)
    if isinstance(reply, Failed) or reply.status != 200:
        return {
            "state": UNANSWERED,
            "why": reply.reason if isinstance(reply, Failed) else f"status {reply.status}",
        }
    contains = (decoded(reply).get("expansion") or {}).get("contains") or ()
    seen = {(one.get("system"), one.get("code")) for one in contains if isinstance(one, dict)}
    missing = [
        f"{system}|{code}"
        for system, codes in by_system.items()
        for code in codes
        if (system, code) not in seen
    ]
    return {"state": "expanded" if not missing else "codes missing", "missing": missing}
