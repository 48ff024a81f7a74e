"""The demo command: exit codes, a busy port, and that nothing is left behind."""

from __future__ import annotations

import argparse
import os
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

from cds_service.demo import command
from cds_service.demo.application import DemoPlace
from cds_service.demo.cohort import DemoPatient, Expectation
from cds_service.demo.hosting import NotStarted

ROOT = Path(__file__).parents[3]
PROGRAM = """
import sys
from argparse import Namespace
from cds_service.demo.command import run
sys.exit(run(Namespace(host="127.0.0.1", port=int(sys.argv[1]), once=False, today=None)))
"""


def arguments(**changes: object) -> argparse.Namespace:
    return argparse.Namespace(**({"host": "127.0.0.1", "port": 0, "once": True, "today": None} | changes))


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def test_once_shows_every_patient_and_ends_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.run(arguments()) == 0
    printed = capsys.readouterr().out
    assert "Ada Beispiel, 7 years" in printed
    assert "DIFFERS" not in printed
    assert printed.count("as expected") == 14


def test_another_day_changes_no_answer(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.run(arguments(today="2024-02-29")) == 0
    assert "2024-02-25" in capsys.readouterr().out


def test_a_busy_port_is_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert command.run(arguments(port=port)) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert str(port) in told
    assert "--port" in told


@pytest.mark.parametrize("changes", [{"port": 99999}, {"host": "no.such.host.invalid"}])
def test_a_place_that_cannot_be_opened_is_told_in_one_line(
    capsys: pytest.CaptureFixture[str], changes: dict[str, object]
) -> None:
    assert command.run(arguments(**changes)) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_day_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.run(arguments(today="tomorrow")) == 2
    assert "--today" in capsys.readouterr().err


def test_an_answer_that_differs_fails_the_demonstration(
    demo_service: DemoPlace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = DemoPatient(
        "healthy", "Haruto", "Mihon", "male", 12, "A story.", Expectation("relapse", ("allFinding",)), ()
    )

    @contextmanager
    def already_running(_: DemoPlace) -> Iterator[DemoPlace]:
        yield demo_service

    monkeypatch.setattr(command, "running_demo", already_running)
    monkeypatch.setattr(command, "load_patients", lambda today: (wrong,))
    assert command.run(arguments()) == 1
    assert "healthy: status is none, expected relapse" in capsys.readouterr().out


def test_a_server_that_does_not_start_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def never(_: DemoPlace) -> NoReturn:
        raise NotStarted("The server stopped while starting.")

    monkeypatch.setattr(command, "running_demo", never)
    assert command.run(arguments()) == 1
    assert capsys.readouterr().err == "The server stopped while starting.\n"


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
        code = program.wait(30)
    assert code == (-signal.SIGKILL if number is signal.SIGKILL else 0)
    end = time.monotonic() + 20
    while (alive := {pid for pid in below if is_alive(pid)}) and time.monotonic() < end:
        time.sleep(0.1)
    assert alive == set()
    with socket.create_server(("127.0.0.1", free_port)):
        pass
