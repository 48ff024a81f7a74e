"""The files that a configuration names: whether they are there and can be what they are named for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from cds_service.settings.faults import Fault
from cds_service.settings.model import Settings, Tenant

_DATABASES = ("sqlite", "sqlite+pysqlite", "postgresql", "postgresql+psycopg")


def faults_of_places(settings: Settings) -> list[Fault]:
    """Faults of key files, the trials' catalogue and the store. Nothing is contacted, nothing is written."""
    faults = [fault for index, one in enumerate(settings.tenants) for fault in _key_faults(index, one)]
    catalogue = settings.trials.catalogue
    if catalogue not in ("", "demo") and not Path(catalogue).is_file():
        faults.append(Fault("trials.catalogue", "no such file", "put the trial office's list there"))
    return [*faults, *_store_faults(settings.store)]


def _key_faults(index: int, tenant: Tenant) -> Iterator[Fault]:
    from cds_service.auth.keys import NotAKeySet, read_key_set

    if tenant.jwks_file is None:
        return
    key = f"tenants[{index}].jwks_file"
    try:
        found = read_key_set(tenant.jwks_file.read_bytes())
    except FileNotFoundError:
        yield Fault(key, "no such file", "put the EHR's key set there")
    except OSError:
        yield Fault(key, "a file that cannot be read", "correct the path or its permissions")
    except NotAKeySet:
        yield Fault(key, "a file that is no JWK Set", "put the EHR's key set there")
    else:
        if not found.keys:
            yield Fault(key, "no usable key in the file", "see relapse-cds keys show")


def _store_faults(url: str) -> Iterator[Fault]:
    """Of the URL's form, and of the folder in which SQLite keeps its file."""
    kind, separator, rest = url.partition("://")
    if kind not in _DATABASES or not separator:
        yield Fault(
            "store",
            "not a database that can be used",
            "write sqlite:///relapse-cds.db or postgresql+psycopg://user@host/db",
        )
    elif not kind.startswith("sqlite"):
        if find_spec("psycopg") is None:
            yield Fault("store", "the driver psycopg is not installed", "install relapse-cds[postgresql]")
    else:
        place = rest.partition("?")[0].removeprefix("/")
        if place in ("", ":memory:"):
            return
        folder = Path(place).parent
        if not folder.is_dir():
            yield Fault("store", "its folder does not exist", f"make {folder}, or write another path")
        elif not os.access(folder, os.W_OK | os.X_OK):
            yield Fault("store", "its folder cannot be written", f"let this user write to {folder}")
