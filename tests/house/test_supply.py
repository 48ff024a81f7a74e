"""What is shipped: reproducible builds, a bill of materials, licences, scripts of others."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from importlib.metadata import metadata
from importlib.resources import files
from pathlib import Path
from types import ModuleType

import jsonschema_rs
import pytest

from cds_service.documents.risk import pinned

ROOT = Path(__file__).parents[2]
RELEASE = ROOT / "deploy" / "release"
SOUP = tomllib.loads((ROOT / "docs" / "risk" / "soup.toml").read_text("utf-8"))
ADMITTED = {
    "MIT", "MIT-0", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "MPL-2.0", "PSF-2.0", "ISC",
}  # fmt: skip
"""Licences that ask for no more than their text, or (MPL) for changes of their own files."""
BY_NAME = {"psycopg": "LGPL-3.0-only", "psycopg-binary": "LGPL-3.0-only"}
"""Used unchanged, as a library that can be replaced, and only with PostgreSQL."""
VENDORED = sorted(path for top in ("cds_service", "tests") for path in (ROOT / top).rglob("vendor/*.js"))
CLASSIFIERS = {"MIT License": "MIT", "BSD License": "BSD-3-Clause", "BSD license": "BSD-3-Clause",
               "3-Clause BSD License": "BSD-3-Clause"}  # fmt: skip


def module(name: str) -> ModuleType:
    """A script of deploy/release."""
    spec = importlib.util.spec_from_file_location(name, RELEASE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def in_git() -> bool:
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, check=False)
    return shutil.which("git") is not None and done.returncode == 0


@pytest.mark.skipif(not in_git(), reason="REPRODUCIBILITY IS NOT TESTED: this is no git checkout")
def test_two_builds_are_the_same_bytes(tmp_path: Path) -> None:
    """Under another umask, time zone, language and seed, at another time and place."""
    outs = []
    for number, (mask, zone) in enumerate([(0o022, "UTC"), (0o077, "Pacific/Chatham")]):
        out = tmp_path / f"build{number}" / ("x" * 20 * number or "y")
        command = [sys.executable, str(RELEASE / "build.py"), str(out)]
        environ = {**os.environ, "TZ": zone, "LC_ALL": "C", "PYTHONHASHSEED": str(number + 1)}
        subprocess.run(
            command, cwd=ROOT, env=environ, check=True, umask=mask, capture_output=True, timeout=600
        )
        outs.append({path.name: path.read_bytes() for path in out.iterdir()})
    assert sorted(name.rpartition(".")[2] for name in outs[0]) == ["gz", "whl"]
    assert outs[0].keys() == outs[1].keys()
    assert [name for name in outs[0] if outs[0][name] != outs[1][name]] == []
    (wheel,) = (data for name, data in outs[0].items() if name.endswith(".whl"))
    names = zipfile.ZipFile(io.BytesIO(wheel)).namelist()
    assert len([name for name in names if name.endswith(".toml")]) > 10


def test_settling_takes_out_who_and_when() -> None:
    build = module("build")
    made = []
    for mode, owner, at in ((0o644, 0, 1_700_000_000), (0o600, 1234, 1_600_000_000)):
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as archive:
            for name in sorted(("b", "a"), reverse=owner > 0):
                member = tarfile.TarInfo(name)
                member.size, member.mode, member.uid, member.mtime = 1, mode, owner, at
                archive.addfile(member, io.BytesIO(b"x"))
        made.append(build.settled_source(packed.getvalue(), 1_650_000_000))
    assert made[0] == made[1]


def test_the_bill_of_materials_is_valid_and_names_every_library() -> None:
    sbom = module("sbom")
    text = sbom.written(sbom.bill())
    assert text == sbom.written(sbom.bill()), "two runs write the same"
    assert schema_faults(text) == []
    listed = {one["name"]: one["version"] for one in json.loads(text)["components"]}
    assert pinned(ROOT).items() <= listed.items()
    assert {"d3", "markdown-it"} <= listed.keys()
    hashed = [one for one in json.loads(text)["components"] if "sha" in json.dumps(one).lower()]
    assert len(hashed) == len(listed)


def test_the_bill_of_the_image_names_debians_packages() -> None:
    sbom = module("sbom")
    text = sbom.written(sbom.bill("libc6 2.36-9+deb12u14 amd64\npython3 3.11.2-1+b1 amd64\n"))
    assert schema_faults(text) == []
    purls = {one["purl"] for one in json.loads(text)["components"]}
    assert "pkg:deb/debian/python3@3.11.2-1%2Bb1?arch=amd64" in purls


def schema_faults(text: str) -> list[str]:
    """What the schema of CycloneDX, which its library carries, says against a bill."""
    folder = files("cyclonedx.schema._res")
    names = [f"{name}.SNAPSHOT.schema.json" for name in ("bom-1.6", "spdx", "jsf-0.82")]
    schema, *others = (json.loads(folder.joinpath(name).read_text("utf-8")) for name in names)
    at = "http://cyclonedx.org/schema/"
    registry = jsonschema_rs.Registry(
        [(at + name, other) for name, other in zip(names[1:], others, strict=True)]
    )
    validator = jsonschema_rs.validator_for(schema, registry=registry)
    return [error.message for error in validator.iter_errors(json.loads(text))]


@pytest.mark.parametrize("name", sorted(SOUP))
def test_a_librarys_licence_is_admitted_and_is_what_the_library_says(name: str) -> None:
    licence = SOUP[name]["licence"]
    parts = set(re.findall(r"[A-Za-z0-9.-]+", licence)) - {"AND", "OR"}
    assert parts <= ADMITTED or BY_NAME.get(name) == licence
    told = metadata(name)
    says = next((told[key] for key in ("License-Expression", "License") if key in told), "")
    classifiers = [
        one.rpartition(" :: ")[2] for one in told.get_all("Classifier") or [] if one.startswith("License")
    ]
    known = {says, CLASSIFIERS.get(says, ""), *(CLASSIFIERS.get(one, one) for one in classifiers)}
    assert licence in known, f"it says {says or classifiers}"


@pytest.mark.parametrize("path", VENDORED, ids=lambda path: path.name)
def test_a_script_of_others_is_the_one_that_was_published(path: Path) -> None:
    rows = module("sbom").VENDORED.findall((path.parent / "README.md").read_text("utf-8"))
    (row,) = [one for one in rows if one[0] == path.name]
    assert hashlib.sha256(path.read_bytes()).hexdigest() == row[4]
    assert row[2] in path.read_text("utf-8")[:400], "the version stands at its head"
    assert list(path.parent.glob(f"{path.name.split('.')[0]}*LICENSE*")), "its licence lies beside it"
