"""``relapse-cds reports``: what is read, what is not, and why."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cds_service.cli import main


def test_a_text_is_shown_with_its_figures_and_what_decided(capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(["reports", "--text", "At diagnosis 88% blasts; now blasts 62%.", "--date", "2023-11-15"]) == 0
    )
    shown = capsys.readouterr().out
    assert "known marrow-blasts 62 % -> positive" in shown
    assert "not-this marrow-blasts 88 % -> not-this" in shown
    assert "because: historical “At diagnosis”" in shown


def test_files_of_each_kind_are_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.txt").write_text("Blasts 62 %", "utf-8")
    (tmp_path / "b.html").write_text("<p>Blasts 62 %</p>", "utf-8")
    (tmp_path / "c.rtf").write_text(r"{\rtf1\ansi Blasts 62 %\par}", "utf-8")
    (tmp_path / "d.png").write_bytes(b"\x89PNG\r\n\x1a\n\x00")
    assert main(["reports", "--json", *(str(path) for path in sorted(tmp_path.iterdir()))]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [report["state"] for report in found] == ["read", "read", "read", "unread"]
    assert found[3]["why"] == "not-readable"


@pytest.mark.parametrize(
    "words", [[], ["--text", "x", "file.txt"], ["missing.txt"], ["--text", "x", "--date", "1"]]
)
def test_what_cannot_be_read_is_told(words: list[str]) -> None:
    assert main(["reports", *words]) == 2
