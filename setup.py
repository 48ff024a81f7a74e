"""What pyproject.toml cannot say: the text of the package's page, and what a built package carries.

An index shows the README away from the repository, where relative links and pictures lead nowhere.
A built package holds the clinical pages of docs/, which an installed service shows, and the digest of the
knowledge it was built with, so that a number changed in the installed files is noticed.
"""

import importlib.util
import re
import shutil
import tomllib
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
RELATIVE = re.compile(r"(?<=\]\()(?!https?:|#|mailto:)(?:\./)?(?=[^)\s])")


def page_of_the_package() -> str:
    """The README with every relative link and picture below the project's address."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    base = project["urls"]["Homepage"].rstrip("/") + "/"
    return RELATIVE.sub(base, (ROOT / "README.md").read_text("utf-8"))


class BuildWithPages(build_py):
    """Builds the packages and puts into them what the checkout holds elsewhere."""

    def run(self) -> None:
        """As setuptools does; an editable install reads pages and knowledge from the checkout."""
        super().run()
        if not self.editable_mode:
            pages = Path(self.build_lib) / "cds_service" / "pages" / "clinical"
            shutil.rmtree(pages, ignore_errors=True)
            shutil.copytree(ROOT / "docs" / "clinical", pages)
            write_digest(Path(self.build_lib) / "fhir_mappings" / "knowledge")


def write_digest(knowledge: Path) -> None:
    """The digest of the knowledge that is built, beside it."""
    spec = importlib.util.spec_from_file_location("digests", knowledge / "digests.py")
    digests = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(digests)
    content = digests.content_digest(knowledge / "relapsed_all")
    (knowledge / digests.SHIPPED).write_text(content + "\n", encoding="utf-8")


setup(
    long_description=page_of_the_package(),
    long_description_content_type="text/markdown",
    cmdclass={"build_py": BuildWithPages},
)
