"""Leukaemias named in words: which one, its lineage, and what the words beside it make of it."""

from __future__ import annotations

import pytest

from fhir_mappings.assess import load_knowledge
from fhir_mappings.clinical.disease_names import fold

OPEN, MYELOID, OTHER = "leukaemia-type-unstated", "acute-myeloid-leukaemia", "not-all"


def found(text: str) -> list[tuple[str, str, str]]:
    names = load_knowledge().vocabulary.disease_names.find(text)
    return [(one.means, one.lineage, one.stance.value) for one in names]


@pytest.mark.parametrize(
    ("text", "means", "lineage", "stance"),
    [
        ("Leukemia, acute lymphoblastic (HCC)", "all", "", "stated"),
        ("Leukämie, akute lymphatische, Rezidiv", "all", "", "stated"),
        ("B-Zell-Leukämie, akute lymphatische", "all", "B", "stated"),
        ("T-cell acute lymphoblastic leukemia", "all", "T", "stated"),
        ("acute lymphocytic leukemia, chronic pain", "all", "", "stated"),
        ("No fever in acute lymphoblastic leukemia", "all", "", "stated"),
        ("Acute lymphoblastic leukemia not having achieved remission", "all", "", "stated"),
        ("cALL", "b-all", "", "stated"),
        ("Ph+ ALL", "b-all", "", "stated"),
        ("ETP-ALL", "t-all", "T", "stated"),
        ("b-all", "b-all", "B", "stated"),
        ("Sibling donor transplant for ALL", OPEN, "", "stated"),
        ("ALL in first remission", OPEN, "", "stated"),
        ("Relapsed/refractory ALL", OPEN, "", "stated"),
        ("Leukaemia", OPEN, "", "stated"),
        ("Lymphocytic leukemia", OPEN, "", "stated"),
        ("Suspected acute leukemia", OPEN, "", "suspected"),
        ("B-ALL?", "b-all", "B", "suspected"),
        ("V.a. ALL", OPEN, "", "suspected"),
        ("Z.n. ALL", OPEN, "", "history"),
        ("childhood leukemia survivor", OPEN, "", "history"),
        ("History of acute lymphoblastic leukaemia", "all", "", "history"),
        ("Family history: acute lymphoblastic leukemia in brother", "all", "", "other-person"),
        ("Acute lymphoblastic leukemia (father)", "all", "", "other-person"),
        ("Mother had leukemia", OPEN, "", "other-person"),
        ("No evidence of acute lymphoblastic leukemia", "all", "", "denied"),
        ("Ruled out: B-ALL", "b-all", "B", "denied"),
        ("Leukemia screening", OPEN, "", "denied"),
        ("fear of leukaemia", OPEN, "", "denied"),
        ("Exposure to feline leukemia virus", OPEN, "", "denied"),
        ("Kein Anhalt für Leukämie", OPEN, "", "denied"),
        ("Acute non-lymphocytic leukemia", MYELOID, "", "stated"),
        ("AML", MYELOID, "", "stated"),
        ("Chronic lymphocytic leukemia, acute exacerbation", OTHER, "", "stated"),
        ("Lymphocytic leukemia, chronic", OTHER, "", "stated"),
        ("Chronic myeloid leukemia, lymphoid blast crisis", OTHER, "", "stated"),
        ("hairy cell leukemia", OTHER, "", "stated"),
        ("Burkitt leukemia", OTHER, "", "stated"),
        ("Acute leukemia, mixed phenotype", "mixed-phenotype-leukaemia", "", "stated"),
        ("T-cell lymphoblastic lymphoma", "lymphoblastic-lymphoma", "T", "stated"),
    ],
)
def test_one_name(text: str, means: str, lineage: str, stance: str) -> None:
    assert found(text) == [(means, lineage, stance)]


@pytest.mark.parametrize(
    "text",
    ["", "all tests normal", "ALL TESTS NORMAL", "ALL MEDICATIONS REVIEWED", "ALLERGIES", "Overall",
     "Leukopenia", "Leukocytosis", "Leukemoid reaction", "Leukoplakia", "Lymphadenopathy",
     "Vitamin B", "Small bowel"],
)  # fmt: skip
def test_no_name(text: str) -> None:
    assert found(text) == []


def test_every_clause_is_read_for_itself() -> None:
    told = found("Family history of leukemia. B-ALL | Chronic lymphocytic leukemia")
    assert sorted(told) == [
        ("b-all", "B", "stated"),
        (OPEN, "", "other-person"),
        (OTHER, "", "stated"),
    ]


def test_accents_and_letters_without_width_do_not_matter() -> None:
    assert fold("Leuk\u00e4mie\u00a0bia\u0142a\u200b l\u00f6semi") == "Leukamie biala losemi"
    assert found("Leuk\u200bemia, acute lymphoblastic") == [("all", "", "stated")]
