"""Real-shaped charts without a relapse: every file is read without an exception and gives no card.

The files are those of others, in the folder of reference works.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cds_service.cli import main
from tests import reference

DATA = reference.FOLDER / "data"
FILES = sorted(DATA.rglob("*.json"))
# Examples that belong to nobody: refused in one line, because nobody can be assessed from them.
NOBODYS = frozenset(
    {
        "Bundle-bundle-response-simplesummary.json",
        "Bundle-bundle-search-warning.json",
        "Condition-stroke.json",
        "OperationOutcome-searchfail.json",
        "Observation-vp-oyster.json",
        "condition-bundle.json",
        "maximal-condition-resource.json",
        "maximal-observation-resource.json",
        "operation-outcome-bundle.json",
        "searchsetBundleWithMultipleEntries.json",
        "secondary-cancer-condition.json",
    }
)
pytestmark = pytest.mark.reference
SILENT = frozenset({"none", "out-of-scope"})


def test_the_charts_are_there() -> None:
    assert FILES


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_chart_without_a_relapse_is_silent(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["assess", str(path), "--json", "--at", "2026-11-20T12:00:00Z"])
    printed = capsys.readouterr()
    if code == 2:
        assert path.name in NOBODYS
        assert "patient" in printed.err
        assert len(printed.err.splitlines()) == 1
        return
    answer = json.loads(printed.out)
    assert answer["status"] in SILENT
    assert not answer.get("cards")
