"""Units by every spelling, and numbers without binary noise."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from fhir_mappings.clinical.units import UnitMeaning, UnitTable, plain_unit, steady

CELLS = UnitMeaning(Decimal(1))
UNITS = UnitTable(
    {
        "/uL": CELLS,
        "10*6/L": CELLS,
        "10*9/L": UnitMeaning(Decimal(1000)),
        "%": CELLS,
        "{percent}": UnitMeaning(Decimal(100)),
    },
    re.compile(r"\{(?:cells|nucleatedcells)\}"),
)


@pytest.mark.parametrize(
    ("written", "factor"),
    [
        ("/uL", 1), ("/UL", 1), ("/\u00b5L", 1), ("/\u03bcL", 1), (" / ul ", 1), ("10^6/L", 1),
        ("10**6/L", 1),
        ("x10^6/L", 1), ("\u00d710\u2076/L", 1), ("10e6/l", 1), ("10E9/L", 1000), ("10\u2079/L", 1000),
        ("%{nucleated cells}", 1), ("{cells}/uL", 1), ("{percent}", 100), ("{Percent}", 100),
    ],
)  # fmt: skip
def test_a_unit_is_found_by_every_spelling(written: str, factor: int) -> None:
    found = UNITS.find(written)
    assert found is not None
    assert found.factor == factor


@pytest.mark.parametrize("written", ["", "{cells}", "%{gate}", "/mL", "10*7/L", "uL", "g/L", "%%"])
def test_another_unit_is_none_of_these(written: str) -> None:
    assert UNITS.find(written) is None


def test_the_plain_spelling_keeps_negative_powers() -> None:
    assert plain_unit("10^-4") == plain_unit("10*-4") == "10*-4"


@pytest.mark.parametrize(
    ("number", "meant"),
    [
        ("66.39999999999999", "66.4"),
        ("50.00000000000001", "50"),
        ("49.99999999999999", "50"),
        ("49.9999999999", "49.9999999999"),
        ("0.6639999999999999", "0.664"),
        ("78", "78"),
        ("0.00001", "0.00001"),
    ],
)
def test_binary_noise_is_rounded_away_and_digits_are_not(number: str, meant: str) -> None:
    assert steady(Decimal(number)) == Decimal(meant)
