"""Reference works that are not part of the project: texts and value sets behind it, charts of others.

Tests that compare with them are marked ``reference``. They run where ``TEST_REFERENCE`` names their folder
and are left out anywhere else: what only the authors have is no skip in everybody's report.
"""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "TEST_REFERENCE"
FOLDER = Path(os.environ.get(VARIABLE) or "no-reference-here").resolve()
IS_NAMED = bool(os.environ.get(VARIABLE))
