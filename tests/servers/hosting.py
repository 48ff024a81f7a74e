"""FHIR servers that are not ours, started for the tests and stopped after them.

``.ci/parts/hapi.sh`` and ``.ci/parts/medplum.sh`` fetch them into the folder named by
``TEST_SERVERS`` (default: ``.cache/servers`` in the repository).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = Path(__file__).parent
FOLDER_VARIABLE = "TEST_SERVERS"
LARGEST_PAGE = 25
"""Of the HAPI server: small, so that most searches of a real chart take several pages."""
START_SECONDS = 240.0
_PORT = re.compile(r"port=(\d+)\s*")


class NotInstalled(Exception):
    """The server or what it runs on is not on this machine. The message says what to run."""


def folder() -> Path:
    """Where the servers were fetched to."""
    return Path(os.environ.get(FOLDER_VARIABLE) or ROOT / ".cache" / "servers").absolute()


def hapi_command() -> list[str]:
    """How HAPI FHIR is started. Raises NotInstalled."""
    place = folder() / "hapi"
    if shutil.which("java") is None or not (place / "classes" / "HapiServer.class").is_file():
        raise NotInstalled("HAPI FHIR is not here; run .ci/parts/hapi.sh (it needs a JDK 17 and Maven)")
    # One small machine, a short life: the fast compiler and the simple collector start soonest.
    flags = ["-Xmx2g", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
    classes = f"{place / 'classes'}{os.pathsep}{place / 'lib'}/*"
    return ["java", *flags, "-cp", classes, "HapiServer", str(LARGEST_PAGE)]


def medplum_command() -> list[str]:
    """How Medplum's router is started. Raises NotInstalled."""
    place = folder() / "medplum"
    if shutil.which("node") is None or not (place / "node_modules" / "@medplum" / "fhir-router").is_dir():
        raise NotInstalled(
            "Medplum's router is not here; run .ci/parts/medplum.sh (it needs Node.js and npm)"
        )
    return ["node", str(SOURCES / "medplum" / "server.mjs"), str(place)]


@contextmanager
def running(command: Sequence[str]) -> Iterator[str]:
    """The base URL of the server that the command starts, ready, until the context ends."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, start_new_session=True
        )
        watch = threading.Timer(START_SECONDS, process.kill)
        watch.start()
        try:
            port = _announced_port(process)
            watch.cancel()
            if not port:
                log.seek(0)
                raise AssertionError(
                    f"the server did not start:\n{log.read().decode(errors='replace')[-4000:]}"
                )
            yield f"http://127.0.0.1:{port}/fhir"
        finally:
            watch.cancel()
            process.kill()
            process.communicate()


def _announced_port(process: subprocess.Popen[bytes]) -> str:
    """The port that the server prints when it is ready; empty when it ends without."""
    assert process.stdout is not None
    for line in process.stdout:
        if found := _PORT.fullmatch(line.decode(errors="replace")):
            return found[1]
    return ""
