"""The documents that are generated from the knowledge, the clinical cases and the code.

To add one: a module with a function that takes the root of the repository and returns the text, and
one line in ``DOCUMENTS``. The text must depend on nothing but the files of the repository.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cds_service.documents.api_description import errors_md, openapi_json
from cds_service.documents.clinical import all_md
from cds_service.documents.configuration import configuration_md
from cds_service.documents.conformance import conformance_md
from cds_service.documents.operations_reference import operations_reference_md
from cds_service.documents.traceability import traceability_md


@dataclass(frozen=True, slots=True)
class Document:
    """A generated document: its path below the repository, and what makes its text from the root."""

    path: str
    make: Callable[[Path], str]


DOCUMENTS: tuple[Document, ...] = (
    Document("docs/clinical/all.md", all_md),
    Document("docs/clinical/traceability.md", traceability_md),
    Document("docs/configuration.md", configuration_md),
    Document("docs/conformance.md", conformance_md),
    Document("docs/errors.md", errors_md),
    Document("docs/openapi.json", openapi_json),
    Document("docs/operations-reference.md", operations_reference_md),
)
"""Every generated document."""
