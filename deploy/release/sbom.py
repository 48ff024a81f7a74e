"""Writes the bill of materials (CycloneDX 1.6, JSON) of the wheel, or with Debian's packages of the image.

    python deploy/release/sbom.py OUT.cdx.json
    dpkg-query -W -f '${Package} ${Version} ${Architecture}\\n' > packages    (inside the image)
    python deploy/release/sbom.py OUT.cdx.json packages

Libraries and hashes come from the locks, licences from docs/risk/soup.toml, scripts of others from the
README beside them. Nothing depends on the clock, so that two runs write the same bytes.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import LicenseExpression
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL

ROOT = Path(__file__).parents[2]
LOCKS = ("runtime.lock", "otel.lock")
BLOCK = re.compile(
    r"^([A-Za-z0-9._-]+)==(\S+) \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.MULTILINE
)
VENDORED = re.compile(
    r"^\| (\S+\.js) \| ([^|]+?) \| ([^|]+?) \| ([^|]+?) \| ([0-9a-f]{64}) \|$", re.MULTILINE
)


def bill(debian: str = "") -> Bom:
    """The bill of the service; with lines of dpkg-query of the image it is installed in."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    bom = Bom()
    bom.metadata.timestamp = datetime(1970, 1, 1, tzinfo=UTC)
    bom.metadata.component = root = Component(
        name=project["name"],
        version=project["version"],
        type=ComponentType.CONTAINER if debian else ComponentType.APPLICATION,
        licenses=[LicenseExpression(project["license"])],
        bom_ref=f"{project['name']}@{project['version']}",
        purl=PackageURL("pypi", name=project["name"], version=project["version"]),
    )
    for component in [*libraries(), *scripts(), *packages(debian)]:
        bom.components.add(component)
        bom.register_dependency(root, [component])
    names = sorted(str(component.bom_ref) for component in bom.components)
    bom.serial_number = uuid5(NAMESPACE_URL, "\n".join([str(root.bom_ref), *names]))
    return bom


def libraries() -> Iterator[Component]:
    """Every pinned library, with the hashes that its installation is checked against."""
    known = tomllib.loads((ROOT / "docs" / "risk" / "soup.toml").read_text("utf-8"))
    found: dict[str, tuple[str, list[str]]] = {}
    for lock in LOCKS:
        for name, version, hashes in BLOCK.findall((ROOT / "requirements" / lock).read_text("utf-8")):
            found[name.lower()] = (version, re.findall(r"[0-9a-f]{64}", hashes))
    for name, (version, digests) in sorted(found.items()):
        purl = PackageURL("pypi", name=name, version=version)
        # One digest for each file that the index has of this version.
        files = ExternalReference(
            type=ExternalReferenceType.DISTRIBUTION,
            url=XsUri(str(purl)),
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest) for digest in digests],
        )
        licence = LicenseExpression(known[name]["licence"])
        yield Component(
            name=name, version=version, purl=purl, bom_ref=str(purl), type=ComponentType.LIBRARY,
            licenses=[licence], external_references=[files], description=known[name]["purpose"],
        )  # fmt: skip


def scripts() -> Iterator[Component]:
    """Scripts of others that the pages load."""
    for path in sorted((ROOT / "cds_service").rglob("vendor/README.md")):
        for file, package, version, licence, digest in VENDORED.findall(path.read_text("utf-8")):
            name = package.split()[0]
            purl = PackageURL("npm", name=name, version=version)
            yield Component(
                name=name, version=version, purl=purl, bom_ref=str(purl), type=ComponentType.LIBRARY,
                hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest)],
                description=f"{(path.parent / file).relative_to(ROOT).as_posix()}; {licence}",
            )  # fmt: skip


def packages(debian: str) -> Iterator[Component]:
    """Debian's packages, one line each: name, version, architecture."""
    for line in sorted(filter(None, debian.splitlines())):
        name, version, architecture = line.split()
        purl = PackageURL("deb", "debian", name, version, {"arch": architecture})
        yield Component(name=name, version=version, purl=purl, bom_ref=str(purl), type=ComponentType.LIBRARY)


def written(bom: Bom) -> str:
    """The bill as JSON."""
    text: str = make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=2)
    return text + "\n"


def main() -> None:
    """Writes the file that was named."""
    if len(sys.argv) not in (2, 3):
        raise SystemExit(__doc__)
    debian = Path(sys.argv[2]).read_text("utf-8") if len(sys.argv) == 3 else ""
    Path(sys.argv[1]).write_text(written(bill(debian)), "utf-8")


if __name__ == "__main__":
    main()
