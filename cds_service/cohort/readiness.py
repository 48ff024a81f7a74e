"""Is a site ready? What its charts hold for each need, what to map, and what could never be said."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cds_service.cohort.report import Counts
from cds_service.cohort.rows import Row
from cds_service.cohort.rules import Rules
from cds_service.cohort.summary import Summary
from cds_service.cohort.survey import CodeCount

MOST_PROPOSED = 200


def readiness(
    rows: Iterable[Row], codes: Sequence[CodeCount], types: Mapping[str, int], rules: Rules
) -> dict[str, Any]:
    """The content of readiness.json: needs, proposals, gaps."""
    summary, drugs, charts_with_drugs = Summary(), 0, 0
    for row in rows:
        summary.add(row)
        drugs += row.unread_drugs
        charts_with_drugs += bool(row.unread_drugs)
    proposals = [one for one in codes if one.resembles and one.code][:MOST_PROPOSED]
    return {
        "patients": types.get("Patient", 0),
        "opened": summary.opened,
        "types": dict(sorted(types.items())),
        "needs": [_need(need, summary, codes, rules) for need in rules.knowledge.needs],
        "proposed": [_proposal(one) for one in proposals],
        "unreadable_without_code": [_proposal(one) for one in codes if one.resembles and not one.code][:50],
        "drugs": {"without_medication": drugs, "charts": charts_with_drugs},
        "never": _never(summary, types, rules),
    }


def proposed_codes(found: Mapping[str, Any], tenant: str) -> str:
    """The proposed table, to be reviewed and pasted into the configuration."""
    lines = [
        "# Proposed by `relapse-cds readiness`: results that no rule knows and that read like one of ours.",
        "# Look at each with the laboratory, take out what is wrong, put the rest into the tenant's table.",
        f"[tenants.codes]  # of the tenant {json.dumps(tenant)}",
    ]
    by_concept: dict[str, list[Mapping[str, Any]]] = {}
    for one in found["proposed"]:
        by_concept.setdefault(one["concept"], []).append(one)
    for concept, ones in sorted(by_concept.items()):
        lines.append(f"{concept} = [")
        told = dict.fromkeys(one["code"] for one in ones)
        for code in told:
            same = [one for one in ones if one["code"] == code]
            results = sum(one["results"] for one in same)
            words = " ".join(f"{same[0]['text']}, {' '.join(one['unit'] for one in same)}".split())
            lines.append(f"    {json.dumps(code)},  # {words[:80]} ({results} results)")
        lines.append("]")
    return "\n".join(lines) + "\n"


def readiness_text(found: Mapping[str, Any], small_cells: bool) -> str:
    """The same for a terminal."""
    counts = Counts(small_cells)
    lines = [
        f"{counts.text(found['patients'])} patients, {counts.text(found['opened'])} charts opened",
        "",
        "need                         charts  usable  undated  codes (results)",
    ]
    for need in found["needs"]:
        codes = ", ".join(f"{one['code']} {one['unit']} ({one['results']})" for one in need["codes"][:3])
        lines.append(
            f"{need['title'][:28]:28} {counts.text(need['charts']):>6}  {counts.text(need['usable']):>6}  "
            f"{counts.text(need['undated']):>7}  {codes or '-'}"
        )
    lines += ["", "reads like one of ours, known to no rule:"]
    lines += [
        f"  {one['concept']:22} {one['code']} {one['unit']}: {one['text'][:60]} ({one['results']})"
        for one in found["proposed"]
    ] or ["  nothing"]
    lines += ["", "what could never be said here:"]
    lines += [f"  {line}" for line in found["never"]] or [
        "  nothing that the data would keep from being said"
    ]
    drugs = found["drugs"]
    if drugs["without_medication"]:
        lines.append(
            f"\n{counts.text(drugs['without_medication'])} orders in {counts.text(drugs['charts'])} charts "
            "name a Medication that is not in the export"
        )
    return "\n".join(lines) + "\n"


def _need(need: Any, summary: Summary, codes: Iterable[CodeCount], rules: Rules) -> dict[str, Any]:
    own = [one for one in codes if one.concept and rules.need_of.get(one.concept) == need.key]
    count = summary.needs.get(need.key)
    return {
        "need": need.key,
        "title": need.title,
        "resource_type": need.resource_type,
        "charts": count.charts if count else 0,
        "usable": count.usable if count else 0,
        "reasons": dict(sorted(count.reasons.items())) if count else {},
        "undated": sum(one.undated for one in own),
        "codes": [
            {"code": one.code, "unit": one.unit, "concept": one.concept, "results": one.results}
            for one in own[:20]
        ],
    }


def _proposal(one: CodeCount) -> dict[str, Any]:
    return {
        "concept": one.resembles,
        "code": one.code,
        "text": one.text,
        "unit": one.unit,
        "results": one.results,
        "undated": one.undated,
    }


def _never(summary: Summary, types: Mapping[str, int], rules: Rules) -> list[str]:
    """Sentences about types that are not there, and criteria that no chart decides."""
    absent = sorted(
        {need.resource_type for need in rules.knowledge.needs if not need.on_request} - types.keys()
    )
    lines = [f"nothing that rests on {kind}: the export holds none" for kind in absent]
    if not summary.opened:
        return [*lines, "nothing at all: no chart holds a diagnosis of ALL that is understood"]
    for (name, letter), count in sorted(summary.criteria.items()):
        if count.met + count.not_met == 0:
            why = "; ".join(f"{what}: {reason}" for (what, reason), _charts in count.because.most_common(2))
            lines.append(f"criterion {letter} of {name} is decided in no chart ({why or 'no data'})")
    return lines
