"""Each reason of an option with its blanks, and the order in which states win."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fhir_mappings.clinical.answers import Answer
from fhir_mappings.clinical.facts import Lineage
from fhir_mappings.clinical.options import (
    Marker,
    OptionRule,
    OptionState,
    Reason,
    Recipient,
    finding_name,
    judge,
)

POSITIVE, NEGATIVE, UNKNOWN = Marker.POSITIVE, Marker.NEGATIVE, Marker.UNKNOWN
MARKERS = {"cd19": POSITIVE, "cd22": POSITIVE, "bcr-abl1": POSITIVE, "kmt2a": POSITIVE}
PATIENT = Recipient(
    lineage=Lineage.B,
    markers=MARKERS,
    age_months=120,
    adult=Answer.NO,
    relapses=1,
    regimens=1,
    refractory=False,
    received=frozenset(),
)
RULE = OptionRule("x", "X", "OPT-B", "targeted", ("B",), "facts", "US", ("BLIN",))
MATCHES, CONFIRM = OptionState.MATCHES, OptionState.CONFIRM
OUTSIDE, EXCLUDED = OptionState.OUTSIDE_LABEL, OptionState.EXCLUDED
LINEAGE = ("reason.lineage-matches", {"lineage": "B"})


def told(
    rule: dict[str, Any], patient: dict[str, Any]
) -> tuple[OptionState, list[tuple[str, dict[str, str]]]]:
    markers = patient.pop("markers", {})
    state, reasons = judge(replace(RULE, **rule), replace(PATIENT, markers=MARKERS | markers, **patient))
    return state, [(reason.words, dict(reason.values)) for reason in reasons]


@pytest.mark.parametrize(
    ("rule", "patient", "state", "reasons"),
    [
        ({}, {}, MATCHES, [LINEAGE]),
        ({}, {"lineage": Lineage.T}, EXCLUDED, [("reason.lineage", {"lineage": "T"})]),
        ({}, {"lineage": Lineage.UNKNOWN}, EXCLUDED, [("reason.lineage", {"lineage": "unknown"})]),
        ({"antigen": "cd19"}, {}, MATCHES, [LINEAGE, ("reason.antigen-positive", {"antigen": "CD19"})]),
        (
            {"antigen": "cd22"},
            {"markers": {"cd22": NEGATIVE}},
            EXCLUDED,
            [("reason.antigen-negative", {"antigen": "CD22"})],
        ),
        (
            {"antigen": "cd22"},
            {"markers": {"cd22": UNKNOWN}},
            CONFIRM,
            [("reason.antigen-unknown", {"antigen": "CD22"})],
        ),
        (
            {"requires": "bcr-abl1"},
            {},
            MATCHES,
            [LINEAGE, ("reason.finding-present", {"finding": "BCR::ABL1"})],
        ),
        (
            {"requires": "kmt2a"},
            {"markers": {"kmt2a": NEGATIVE}},
            EXCLUDED,
            [("reason.finding-absent", {"finding": "KMT2A rearrangement"})],
        ),
        (
            {"requires": "kmt2a"},
            {"markers": {"kmt2a": UNKNOWN}},
            CONFIRM,
            [("reason.finding-unknown", {"finding": "KMT2A rearrangement"})],
        ),
        ({"age_years_at_most": 25}, {"age_months": 311}, MATCHES, [LINEAGE]),
        (
            {"age_years_at_most": 25},
            {"age_months": 312},
            EXCLUDED,
            [("reason.too-old", {"age": "26", "limit": "25"})],
        ),
        ({"age_months_at_least": 12}, {"age_months": 12}, MATCHES, [LINEAGE]),
        ({"age_months_at_least": 12}, {"age_months": 11}, EXCLUDED, [("reason.too-young", {"limit": "1 y"})]),
        (
            {"age_months_at_least": 11},
            {"age_months": 10},
            EXCLUDED,
            [("reason.too-young", {"limit": "11 mo"})],
        ),
        (
            {"age_years_at_least": 18},
            {"age_months": 215},
            EXCLUDED,
            [("reason.too-young", {"limit": "18 y"})],
        ),
        ({"age_years_at_least": 18}, {"age_months": 216}, MATCHES, [LINEAGE]),
        (
            {"age_years_at_least": 1, "age_months_at_least": 18},
            {"age_months": 17},
            EXCLUDED,
            [("reason.too-young", {"limit": "1 y"})],
        ),
        ({"age_years_at_most": 25}, {"age_months": None}, CONFIRM, [("reason.age-unknown", {})]),
        ({"age_months_at_least": 1}, {"age_months": None}, CONFIRM, [("reason.age-unknown", {})]),
        ({}, {"age_months": None}, MATCHES, [LINEAGE]),
        ({"off_label": True}, {}, OUTSIDE, [("reason.off-label", {"jurisdiction": "US"})]),
        ({"regimens_at_least": 1}, {}, MATCHES, [LINEAGE]),
        ({"regimens_at_least": 2}, {}, OUTSIDE, [("reason.regimens", {"limit": "2", "count": "1"})]),
        ({"regimens_at_least": 2}, {"regimens": 2}, MATCHES, [LINEAGE]),
        (
            {"regimens_at_least": 2},
            {"regimens": None},
            CONFIRM,
            [("reason.regimens-unknown", {"limit": "2"})],
        ),
        ({"relapse_at_least": 2}, {}, OUTSIDE, [("reason.relapse-number", {"count": "1"})]),
        ({"relapse_at_least": 2}, {"relapses": 2}, MATCHES, [LINEAGE]),
        ({"relapse_at_least": 2}, {"refractory": True}, OUTSIDE, [("reason.relapse-number", {"count": "1"})]),
        ({"relapse_at_least": 2, "refractory_suffices": True}, {"refractory": True}, MATCHES, [LINEAGE]),
        (
            {"relapse_at_least": 2, "refractory_suffices": True},
            {},
            OUTSIDE,
            [("reason.relapse-number", {"count": "1"})],
        ),
        ({"relapse_at_least": 2}, {"relapses": None}, CONFIRM, [("reason.relapse-number-unknown", {})]),
        ({"relapse_at_least": 2}, {"relapses": None, "refractory": True}, MATCHES, [LINEAGE]),
        ({}, {"relapses": None, "regimens": None}, MATCHES, [LINEAGE]),
        ({"population": "adult"}, {}, CONFIRM, [("reason.evidence-adult", {})]),
        ({"population": "adult"}, {"adult": Answer.YES}, MATCHES, [LINEAGE]),
        ({"population": "paediatric"}, {}, MATCHES, [LINEAGE]),
        ({"population": "paediatric"}, {"adult": Answer.YES}, CONFIRM, [("reason.evidence-paediatric", {})]),
        ({"population": "adult"}, {"adult": Answer.UNSURE}, MATCHES, [LINEAGE]),
        # The worst state wins; what is outside the label and what is unknown are told together.
        (
            {"off_label": True, "antigen": "cd19"},
            {"markers": {"cd19": UNKNOWN}},
            OUTSIDE,
            [("reason.off-label", {"jurisdiction": "US"}), ("reason.antigen-unknown", {"antigen": "CD19"})],
        ),
        (
            {"off_label": True, "antigen": "cd19"},
            {"lineage": Lineage.T, "markers": {"cd19": NEGATIVE}},
            EXCLUDED,
            [("reason.lineage", {"lineage": "T"}), ("reason.antigen-negative", {"antigen": "CD19"})],
        ),
    ],
)
def test_state_and_reasons(
    rule: dict[str, Any],
    patient: dict[str, Any],
    state: OptionState,
    reasons: list[tuple[str, dict[str, str]]],
) -> None:
    assert told(rule, dict(patient)) == (state, reasons)


def test_findings_are_written_as_clinicians_write_them() -> None:
    names = [finding_name(name) for name in ("bcr-abl1", "kmt2a", "tp53")]
    assert names == ["BCR::ABL1", "KMT2A rearrangement", "tp53"]


def test_a_reason_keeps_its_words_and_values() -> None:
    _state, (reason,) = judge(RULE, PATIENT)
    assert reason == Reason("reason.lineage-matches", {"lineage": "B"})
