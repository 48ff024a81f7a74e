"""The demo command: exit codes, a busy port, and that nothing is left behind."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

from cds_service.cli import main
from cds_service.demo import command
from cds_service.demo.application import DemoPlace
from cds_service.demo.demo_patients import DemoPatient, Expectation
from cds_service.demo.hosting import NotStarted

ROOT = Path(__file__).parents[3]
PROGRAM = """
import sys
from cds_service.cli import main
sys.exit(main(["demo", "--port", sys.argv[1]]))
"""


def demo(*options: str) -> int:
    return main(["demo", "--once", *(options or ("--port", "0"))])


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def test_once_shows_the_address_one_patients_cards_and_a_line_for_each_other(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert demo() == 0
    printed = capsys.readouterr().out
    assert re.match(r"Demo EHR: http://127\.0\.0\.1:\d+/demo/", printed)
    assert "Ada Beispiel, 7 years" in printed
    assert "Emil Eksempel, 12 years" not in printed
    assert printed.count("[critical] Relapsed ") >= 8
    assert "17 of 17 answers are as expected." in printed
    assert "DIFFERS" not in printed


def test_all_shows_every_patients_cards(capsys: pytest.CaptureFixture[str]) -> None:
    assert demo("--port", "0", "--all") == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in ("Ada Beispiel, 7 years", "Emil Eksempel, 12 years"))
    assert "17 of 17 answers are as expected." in printed


def test_another_day_changes_no_answer(capsys: pytest.CaptureFixture[str]) -> None:
    assert demo("--port", "0", "--today", "2024-02-29") == 0
    assert "2024-02-25" in capsys.readouterr().out


def test_a_busy_port_is_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert demo("--port", str(port)) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert str(port) in told
    assert "--port" in told


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--port", "99999"),
        ("--host", "no.such.host.invalid"),
        ("--today", "tomorrow"),
        ("--today", "0001-01-01"),
        ("--today", "9999-12-31"),
    ],
)
def test_an_option_that_cannot_be_used_is_named_in_one_line(
    capsys: pytest.CaptureFixture[str], option: str, value: str
) -> None:
    assert demo(option, value) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"relapse-cds: {option}: ")
    assert told.count("\n") == 1


def test_an_answer_that_differs_fails_the_demonstration(
    demo_service: DemoPlace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = DemoPatient(
        "healthy", "Haruto", "Mihon", "male", 12, "A story.", Expectation("relapse", ("allFinding",)), ()
    )

    @contextmanager
    def already_running(_: DemoPlace, _listening: object) -> Iterator[DemoPlace]:
        yield demo_service

    monkeypatch.setattr(command, "running_demo", already_running)
    monkeypatch.setattr(command, "load_patients", lambda today: (wrong,))
    assert demo() == 1
    assert "healthy: status is none, expected relapse" in capsys.readouterr().out


def test_a_server_that_does_not_start_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def never(_: DemoPlace, _listening: object) -> NoReturn:
        raise NotStarted("The server stopped while starting.")

    monkeypatch.setattr(command, "running_demo", never)
    assert demo() == 1
    assert capsys.readouterr().err == "relapse-cds: The server stopped while starting.\n"


def children_of(pid: int) -> set[int]:
    """Every process below one, from /proc."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    found: set[int] = set()
    while more := {one for one, parent in parents.items() if parent in found | {pid}} - found:
        found |= more
    return found


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc to see what is left")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_behind_however_it_ends(free_port: int, number: signal.Signals) -> None:
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(free_port)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert program.stdout is not None
    with program.stdout as printed:
        assert any("Serving until Ctrl-C." in line for line in printed)
        below = children_of(program.pid)
        assert len(below) >= 2
        program.send_signal(number)
        code = program.wait(120)
    assert code == (-signal.SIGKILL if number is signal.SIGKILL else 0)
    end = time.monotonic() + 120
    while (alive := {pid for pid in below if is_alive(pid)}) and time.monotonic() < end:
        time.sleep(0.1)
    assert alive == set()
    with socket.create_server(("127.0.0.1", free_port)):
        pass
