"""What was done for a relapse, by the record: salvage drug, trial enrolment, transplant referral."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from cds_service.cohort.plan import chart_entries
from cds_service.cohort.rules import Rules
from fhir_mappings.assess import ForeignResource, Subject, UnreadableElement, read_facts
from fhir_mappings.trials import ENROLLED_STATES

_NO_SALVAGE = ("corticosteroid", "g-csf", "maintenance")
_TAKEN = frozenset({"given", "running"})


class _Period(msgspec.Struct):
    start: str | None = None


class _Enrolment(msgspec.Struct, rename="camel"):
    resource_type: str | None = None
    status: str | None = None
    period: _Period | None = None


_enrolment = msgspec.json.Decoder(_Enrolment)


def actions_of(patient: str, lines: Sequence[bytes], rules: Rules) -> list[tuple[str, str]]:
    """Days and kinds of everything that was done; the drugs of maintenance and intrathecal ones are none."""
    entries, unreadable = chart_entries(patient, lines, rules.unasked_types)
    subject = Subject(patient, rules.bases)
    try:
        facts = read_facts(entries, subject, rules.knowledge, rules.local_codes, unreadable)
    except (ForeignResource, UnreadableElement):
        return []
    other = frozenset(agent for name in _NO_SALVAGE for agent in rules.knowledge.agents_of(name))
    found = [
        (drug.start.first.isoformat(), "salvage")
        for drug in facts.medications
        if drug.start is not None
        and drug.state.value in _TAKEN
        and not drug.intrathecal
        and drug.agent not in other
    ]
    found += [
        (one.authored.first.isoformat(), "trial" if one.kind == "trial" else "transplant-referral")
        for one in facts.referrals
        if one.authored is not None and one.kind in ("trial", "hsct-evaluation")
    ]
    return sorted([*found, *_enrolments(lines)])


def _enrolments(lines: Sequence[bytes]) -> Iterator[tuple[str, str]]:
    for line in lines:
        if b'"ResearchSubject"' not in line:
            continue
        try:
            one = _enrolment.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
        begun = one.period.start if one.period is not None else None
        if one.resource_type == "ResearchSubject" and one.status in ENROLLED_STATES and begun:
            yield begun[:10], "trial"
