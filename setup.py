"""What pyproject.toml cannot say: the text of the package's page, made of the README.

An index shows the README away from the repository, where relative links and pictures lead nowhere.
"""

import re
import tomllib
from pathlib import Path

from setuptools import setup

ROOT = Path(__file__).parent
RELATIVE = re.compile(r"(?<=\]\()(?!https?:|#|mailto:)(?:\./)?(?=[^)\s])")


def page_of_the_package() -> str:
    """The README with every relative link and picture below the project's address."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    base = project["urls"]["Homepage"].rstrip("/") + "/"
    return RELATIVE.sub(base, (ROOT / "README.md").read_text("utf-8"))


setup(long_description=page_of_the_package(), long_description_content_type="text/markdown")
