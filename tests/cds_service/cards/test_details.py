"""The detail of a card."""

from __future__ import annotations

import dataclasses
from typing import Any

from cds_service.cards import CardChoices, build_cards
from fhir_mappings.assessment import CriterionResult, NotEvaluated, Section
from fhir_mappings.clinical.verdict import Evidence, Unknown
from tests.cds_service.cards.assessments import (
    DATA,
    EVERYTHING,
    FINDING,
    HSCT,
    KNOWLEDGE,
    TIMING,
    assessment,
    section,
    statement,
)


def detail(*sections: Section, profile: str = "strict", explain: bool = False, **changes: Any) -> str:
    cards = build_cards(
        assessment(*sections, **changes), KNOWLEDGE, CardChoices(full=True, profile=profile, explain=explain)
    )
    found: str = cards[0]["detail"]
    return found


def test_a_card_of_one_section_is_a_short_list() -> None:
    assert detail(HSCT) == (
        "- Plan HSCT evaluation early.\n"
        "\n"
        "---\n"
        "\n"
        "- Statements applied: S-003-07.\n"
        "- Content 0.1.0 (0123456789ab): draft, not yet approved by a clinician.\n"
        "- Evaluated on 2024-06-04; latest specimen used: 2024-06-03.\n"
        "- Not evaluated: CSF (no result within 14 days).\n"
        "- No doses are shown; doses and contra-indications stay with pharmacy and the local protocol.\n"
        "- For health professionals: supports clinical judgement and does not replace it; "
        "verify against the record."
    )


def test_several_sections_have_titles() -> None:
    assert detail(FINDING, TIMING).startswith(
        "**Relapse**\n"
        "\n"
        "- Meets criterion A: marrow lymphoblasts 78 % (> 50 %) on 2024-06-03.\n"
        "\n"
        "**Timing**\n"
        "\n"
        "- Late: 38.8 months from diagnosis 2021-03-10; threshold 36.\n"
        "\n"
        "---\n"
    )


def test_what_was_merged_is_told_with_its_title() -> None:
    text = build_cards(assessment(*EVERYTHING), KNOWLEDGE, CardChoices(full=True, max_cards=1))[0]["detail"]
    assert "**Clinical trial**" in text
    assert "**Allogeneic HSCT**" in text


def test_approved_content_says_so() -> None:
    stamp = dataclasses.replace(assessment().knowledge, review="approved")
    assert "Content 0.1.0 (0123456789ab): approved by a clinician." in detail(HSCT, knowledge=stamp)
    other = dataclasses.replace(assessment().knowledge, review="something else")
    assert "not yet approved" in detail(HSCT, knowledge=other)


def test_without_evidence_there_is_no_specimen_date() -> None:
    undecided = CriterionResult("seed-000", "A", Unknown(()), ())
    assert "Evaluated on 2024-06-04; no dated specimen was used." in detail(HSCT, criteria=(undecided,))


def test_everything_that_was_not_evaluated_is_named_and_escaped() -> None:
    gaps = (NotEvaluated("CSF", "no result"), NotEvaluated("<b>x</b>", "a|b"))
    assert "Not evaluated: CSF (no result); &lt;b&gt;x&lt;/b&gt; (a\\|b)." in detail(HSCT, not_evaluated=gaps)
    assert "Not evaluated" not in detail(HSCT, not_evaluated=())


def test_explaining_lists_the_records_used() -> None:
    assert "Records used: Observation/x." in detail(FINDING, explain=True)
    assert "Records used" not in detail(FINDING)
    assert "Records used" not in detail(FINDING, explain=True, criteria=())


def test_a_sample_behind_a_suspicion_is_a_record_used() -> None:
    repeat = (Evidence("Observation/y", "marrow lymphoblasts"),)
    assert "Records used: Observation/x, Observation/y." in detail(FINDING, explain=True, beside=repeat)


def test_statements_of_the_record_cite_before_the_words_do() -> None:
    own = dataclasses.replace(statement("hsct.early"), cites=("S-003-32",))
    assert "Statements applied: S-003-32." in detail(section("HSCT", own))


def test_small_clients_get_the_finding_whole_and_the_rest_shortened() -> None:
    many = [statement("text", value=f"line {number}") for number in range(9)]
    finding, rest = section("RELAPSE", *many), section("TRIAL", *many)
    cards = build_cards(assessment(finding, rest, DATA), KNOWLEDGE, CardChoices(full=True, profile="cerner"))
    assert "line 8" in cards[0]["detail"]
    assert "line 4" in cards[1]["detail"]
    assert "line 5" not in cards[1]["detail"]
    assert "Left out here for space: 4 further lines." in cards[1]["detail"]
    assert "Statements applied" not in cards[0]["detail"]


def test_what_is_merged_for_a_small_client_is_shortened_too() -> None:
    many = [statement("text", value=f"line {number}") for number in range(9)]
    found = assessment(section("RELAPSE", *many[:2]), section("TRIAL", *many))
    cards = build_cards(found, KNOWLEDGE, CardChoices(full=True, profile="compact", max_cards=1))
    assert "line 4" in cards[0]["detail"]
    assert "line 5" not in cards[0]["detail"]
    assert "4 further lines" in cards[0]["detail"]
