"""Spellings of code systems and of codes: the same code, whoever writes it; another code never."""

from __future__ import annotations

import pytest

from fhir_mappings.clinical.code_systems import CodeSystems, CodeTable, plain_spelling

GM, WHO, SNOMED = "http://example.org/gm", "http://example.org/who", "http://example.org/sct"
SYSTEMS = CodeSystems(
    {plain_spelling(text): url for url in (GM, WHO, SNOMED) for text in (url, f"urn:oid:1.{len(url)}")}
    | {"who10": WHO},
    ((f"{SNOMED}/", SNOMED),),
    {WHO: 5},
)
TABLE = CodeTable(
    {"C91.0": {WHO: "all", GM: "all-gm"}, "C91.00": {GM: "no remission"}, "9": {SNOMED: "nine"}}, SYSTEMS
)


@pytest.mark.parametrize(
    ("system", "code", "meaning"),
    [
        (WHO, "C91.0", "all"),
        (f"{WHO}/", "C91.0", "all"),
        (WHO.replace("http:", "https:"), "C91.0", "all"),
        (f"{WHO}|2019", "C91.0", "all"),
        (WHO.upper(), "c91.0", "all"),
        ("WHO10", " C91.0 ", "all"),
        (WHO, "C910", "all"),
        (WHO, "C91.0-", "all"),
        (WHO, "C91.09", "all"),
        (WHO, "C9109", "all"),
        (GM, "C91.00", "no remission"),
        (GM, "C9100", "no remission"),
        (GM, "C91.01", None),
        (f"{SNOMED}/900/version/2024", "9", "nine"),
        (SNOMED, "90", None),
        (None, "C91.0", None),
        ("", "C91.0", None),
        ("http://example.org/other", "C91.0", None),
        (WHO, "C91", None),
        (WHO, "C92.0", None),
        (WHO, "XC91.0", None),
        (SNOMED, "C91.0", None),
    ],
)
def test_a_code_is_found_under_every_spelling_and_no_other(
    system: str | None, code: str, meaning: str | None
) -> None:
    assert TABLE.find(system, code) == meaning


def test_added_rows_are_found_under_every_spelling_too() -> None:
    grown = TABLE.with_rows({"L7": {WHO: "local"}})
    assert grown.find(f"{WHO}/", "l7") == "local"
    assert TABLE.find(WHO, "L7") is None
    assert (len(grown), set(grown)) == (4, {"C91.0", "C91.00", "9", "L7"})


def test_a_pair_names_the_system_by_its_url() -> None:
    assert SYSTEMS.pair("WHO10", " C91.0 ") == (WHO, "C91.0")
    assert SYSTEMS.pair("http://local", None) == ("http://local", "")
    assert SYSTEMS.pair(None, "1") == ("", "1")
