"""How one option fits one patient: excluded, outside the label, to be confirmed, or a match."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from fhir_mappings.clinical.answers import Answer
from fhir_mappings.clinical.facts import Lineage
from fhir_mappings.clinical.options import Marker, OptionRule, OptionState, Recipient, judge

POSITIVE, NEGATIVE, UNKNOWN = Marker.POSITIVE, Marker.NEGATIVE, Marker.UNKNOWN
MATCHES, CONFIRM = OptionState.MATCHES, OptionState.CONFIRM
OUTSIDE, EXCLUDED = OptionState.OUTSIDE_LABEL, OptionState.EXCLUDED

RULE = OptionRule(
    id="agent", title="an agent", section="OPT-B", kind="agent", lineages=("B",),
    facts="x", jurisdiction="US", cites=("X",),
)  # fmt: skip
CHILD = Recipient(
    lineage=Lineage.B,
    markers={"cd19": POSITIVE, "cd22": UNKNOWN, "bcr-abl1": NEGATIVE, "kmt2a": UNKNOWN},
    age_months=120,
    adult=Answer.NO,
    relapses=1,
    regimens=1,
    refractory=False,
    received=frozenset(),
)


@pytest.mark.parametrize(
    ("rule", "patient", "state", "reason"),
    [
        ({}, {}, MATCHES, "reason.lineage-matches"),
        ({}, {"lineage": Lineage.T}, EXCLUDED, "reason.lineage"),
        ({}, {"lineage": Lineage.UNKNOWN}, EXCLUDED, "reason.lineage"),
        ({}, {"lineage": Lineage.MIXED}, EXCLUDED, "reason.lineage"),
        ({"lineages": ("B", "T")}, {"lineage": Lineage.T}, MATCHES, "reason.lineage-matches"),
        ({"antigen": "cd19"}, {}, MATCHES, "reason.antigen-positive"),
        ({"antigen": "cd22"}, {}, CONFIRM, "reason.antigen-unknown"),
        ({"antigen": "cd19"}, {"markers": {"cd19": NEGATIVE}}, EXCLUDED, "reason.antigen-negative"),
        ({"requires": "bcr-abl1"}, {}, EXCLUDED, "reason.finding-absent"),
        ({"requires": "kmt2a"}, {}, CONFIRM, "reason.finding-unknown"),
        ({"requires": "kmt2a"}, {"markers": {"kmt2a": POSITIVE}}, MATCHES, "reason.finding-present"),
        ({"age_months_at_least": 1}, {"age_months": 0}, EXCLUDED, "reason.too-young"),
        ({"age_months_at_least": 1}, {"age_months": 1}, MATCHES, "reason.lineage-matches"),
        ({"age_years_at_least": 18}, {"age_months": 215}, EXCLUDED, "reason.too-young"),
        ({"age_years_at_least": 18}, {"age_months": 216}, MATCHES, "reason.lineage-matches"),
        ({"age_years_at_most": 25}, {"age_months": 26 * 12 - 1}, MATCHES, "reason.lineage-matches"),
        ({"age_years_at_most": 25}, {"age_months": 26 * 12}, EXCLUDED, "reason.too-old"),
        ({"age_years_at_most": 25}, {"age_months": None}, CONFIRM, "reason.age-unknown"),
        ({"regimens_at_least": 2}, {"regimens": 1}, OUTSIDE, "reason.regimens"),
        ({"regimens_at_least": 2}, {"regimens": 2}, MATCHES, "reason.lineage-matches"),
        ({"regimens_at_least": 2}, {"regimens": None}, CONFIRM, "reason.regimens-unknown"),
        ({"relapse_at_least": 2}, {"relapses": 1}, OUTSIDE, "reason.relapse-number"),
        ({"relapse_at_least": 2}, {"relapses": 2}, MATCHES, "reason.lineage-matches"),
        ({"relapse_at_least": 2}, {"relapses": None}, CONFIRM, "reason.relapse-number-unknown"),
        ({"relapse_at_least": 2}, {"refractory": True}, OUTSIDE, "reason.relapse-number"),
        (
            {"relapse_at_least": 2, "refractory_suffices": True},
            {"refractory": True},
            MATCHES,
            "reason.lineage-matches",
        ),
        ({"off_label": True}, {}, OUTSIDE, "reason.off-label"),
        ({"population": "adult"}, {}, CONFIRM, "reason.evidence-adult"),
        ({"population": "paediatric"}, {}, MATCHES, "reason.lineage-matches"),
        ({"population": "paediatric"}, {"adult": Answer.YES}, CONFIRM, "reason.evidence-paediatric"),
    ],
)
def test_the_state_and_its_reason(
    rule: Mapping[str, Any], patient: Mapping[str, Any], state: OptionState, reason: str
) -> None:
    found, reasons = judge(replace(RULE, **rule), replace(CHILD, **patient))
    assert found is state
    assert reason in [one.words for one in reasons]


def test_every_reason_is_told_and_an_exclusion_wins() -> None:
    rule = replace(RULE, antigen="cd22", regimens_at_least=2, off_label=True)
    state, reasons = judge(rule, CHILD)
    assert state is OUTSIDE
    assert [one.words for one in reasons] == ["reason.off-label", "reason.regimens", "reason.antigen-unknown"]
    state, reasons = judge(rule, replace(CHILD, lineage=Lineage.T))
    assert state is EXCLUDED
    assert [one.words for one in reasons] == ["reason.lineage"]
