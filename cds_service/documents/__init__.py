"""The documents that are generated from the knowledge, the clinical cases and the code.

To add one: a module with a function that takes the root of the repository and returns the text, and
one line in ``DOCUMENTS``. The text must depend on nothing but the files of the repository.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cds_service.documents.api_description import errors_md, openapi_json
from cds_service.documents.clinical import rules_md
from cds_service.documents.configuration import configuration_md
from cds_service.documents.conformance import conformance_md
from cds_service.documents.operations_reference import operations_reference_md
from cds_service.documents.risk import hazard_log_md, soup_md
from cds_service.documents.rule_pages import rule_pages
from cds_service.documents.traceability import traceability_md


@dataclass(frozen=True, slots=True)
class Document:
    """A generated document: its path below the repository, and what makes its text from the root."""

    path: str
    make: Callable[[Path], str]


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of generated documents: what makes their texts by name. Nothing else stands in it."""

    path: str
    make: Callable[[Path], Mapping[str, str]]


FOLDERS = (Folder("docs/clinical/rules", rule_pages),)
"""Every folder of generated documents."""

DOCUMENTS: tuple[Document, ...] = (
    Document("docs/clinical/rules.md", rules_md),
    Document("docs/clinical/traceability.md", traceability_md),
    Document("docs/configuration.md", configuration_md),
    Document("docs/conformance.md", conformance_md),
    Document("docs/errors.md", errors_md),
    Document("docs/openapi.json", openapi_json),
    Document("docs/operations-reference.md", operations_reference_md),
    Document("docs/risk/hazard-log.md", hazard_log_md),
    Document("docs/risk/soup.md", soup_md),
)
"""Every generated document."""
