"""The databases that the store is tested on: SQLite always, PostgreSQL where Debian's binaries are."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from cds_service.store import Store, open_store

INSTALLED = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))


class ThrowAwayPostgresql:
    """A PostgreSQL of this test run's own: a directory, a Unix socket, no network port."""

    def __init__(self) -> None:
        self._binaries = INSTALLED[-1].parent
        self._home = Path(tempfile.mkdtemp(prefix="relapse-cds-pg-"))
        self._databases = 0
        # PostgreSQL refuses to run as root.
        self._as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        if os.geteuid() == 0:
            shutil.chown(self._home, 65534, 65534)
        else:
            self._as_nobody = []

    def start(self) -> None:
        """Makes a cluster and starts it."""
        self._run("initdb", "-D", "data", "-U", "test", "-A", "trust", "-E", "UTF8", "--locale=C")
        options = f"-k {self._home} -c listen_addresses='' -c max_connections=200"
        self._run("pg_ctl", "-D", "data", "-w", "-l", "log", "-o", options, "start")

    def die(self) -> None:
        """Ends it as a crash does, without a checkpoint, and starts it again."""
        self._run("pg_ctl", "-D", "data", "-m", "immediate", "stop")
        options = f"-k {self._home} -c listen_addresses='' -c max_connections=200"
        self._run("pg_ctl", "-D", "data", "-w", "-l", "log", "-o", options, "start")

    def stop(self) -> None:
        """Stops it at once and removes every trace."""
        self._run("pg_ctl", "-D", "data", "-m", "immediate", "stop")
        shutil.rmtree(self._home)

    def new_database(self) -> str:
        """The URL of an empty database."""
        self._databases += 1
        name = f"test{self._databases}"
        engine = create_engine(self._url("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        engine.dispose()
        return self._url(name)

    def _url(self, database: str) -> str:
        return f"postgresql+psycopg://test@/{database}?host={self._home}"

    def _run(self, binary: str, *arguments: str) -> None:
        command = [*self._as_nobody, str(self._binaries / binary), *arguments]
        with (self._home / "commands").open("ab") as log:
            subprocess.run(command, cwd=self._home, stdout=log, stderr=log, check=True, timeout=60)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[ThrowAwayPostgresql]:
    """A running PostgreSQL; skips, and says so, where none is installed."""
    if not INSTALLED:
        pytest.skip("PostgreSQL IS NOT TESTED: no /usr/lib/postgresql/*/bin; run .ci/parts/postgresql.sh")
    server = ThrowAwayPostgresql()
    server.start()
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/store.db"
    server: ThrowAwayPostgresql = request.getfixturevalue("postgresql")
    return server.new_database()


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """An open store on each kind of database."""
    opened = open_store(database_url)
    yield opened
    opened.close()


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[Store]:
    """An open store on SQLite, for tests whose subject is not the database."""
    opened = open_store(f"sqlite:///{tmp_path}/store.db")
    yield opened
    opened.close()
