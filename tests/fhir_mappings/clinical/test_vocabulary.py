"""A site's own codes, and texts that state a meaning."""

from __future__ import annotations

import re

import pytest

from fhir_mappings.clinical.answers import Answer
from fhir_mappings.clinical.vocabulary import TextRule
from fhir_mappings.knowledge.assembly import load_knowledge

LOCAL = "http://lab.example/codes"


def test_local_codes_are_added_and_nothing_else_changes() -> None:
    before = load_knowledge().vocabulary
    after = before.with_local_codes({"mrd": [f"{LOCAL}|MRD-1", f"{LOCAL}|MRD-2"], "cd19": [f"{LOCAL}|19|x"]})
    assert after.results["MRD-1"] == {LOCAL: before.result_concepts["mrd"]}
    assert after.results["MRD-2"] == {LOCAL: before.result_concepts["mrd"]}
    assert after.results["x"] == {f"{LOCAL}|19": before.result_concepts["cd19"]}
    assert {code: after.results[code] for code in before.results} == before.results
    assert "MRD-1" not in before.results
    assert after.diagnoses is before.diagnoses


def test_a_local_code_may_share_the_code_of_another_system() -> None:
    before = load_knowledge().vocabulary
    code = next(iter(before.results))
    systems = dict(before.results[code])
    after = before.with_local_codes({"mrd": [f"{LOCAL}|{code}"]})
    assert after.results[code] == systems | {LOCAL: before.result_concepts["mrd"]}
    assert before.results[code] == systems


def test_without_local_codes_it_is_the_same_vocabulary() -> None:
    vocabulary = load_knowledge().vocabulary
    assert vocabulary.with_local_codes({}) is vocabulary


def test_a_concept_that_does_not_exist_is_named() -> None:
    with pytest.raises(KeyError, match="no-such"):
        load_knowledge().vocabulary.with_local_codes({"no-such": [f"{LOCAL}|1"]})


@pytest.mark.parametrize(
    ("text", "refuse", "stated"),
    [("bone marrow", None, True), ("blood", None, False), ("bone marrow", "donor", True),
     ("donor bone marrow", "donor", False), ("donor blood", "donor", False)],
)  # fmt: skip
def test_a_text_states_its_meaning_unless_it_is_vetoed(text: str, refuse: str | None, stated: bool) -> None:
    veto = re.compile(refuse) if refuse else None
    assert TextRule(re.compile("marrow"), "marrow", veto).matches(text) is stated


def test_an_answer_tells_why_it_is_no_truth_value() -> None:
    words = "^an Answer has three values: compare it with Answer.YES, NO or UNSURE$"
    with pytest.raises(TypeError, match=words):
        bool(Answer.YES)
