"""Refusals of the sandbox and their OperationOutcome (FHIR R4, OperationOutcome)."""

from __future__ import annotations

from typing import Any

JsonObject = dict[str, Any]


class FhirError(Exception):
    """A request that cannot be served.

    ``status`` is the HTTP status, ``code`` a code of the R4 value set issue-type, and
    ``diagnostics`` a sentence for the caller that names places and remedies, never record content.
    """

    def __init__(self, status: int, code: str, diagnostics: str) -> None:
        super().__init__(diagnostics)
        self.status = status
        self.code = code
        self.diagnostics = diagnostics

    def outcome(self) -> JsonObject:
        """The OperationOutcome that tells the caller what was wrong."""
        return operation_outcome("error", self.code, self.diagnostics)


def operation_outcome(severity: str, code: str, diagnostics: str) -> JsonObject:
    """An OperationOutcome with a single issue."""
    return {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": severity, "code": code, "diagnostics": diagnostics}],
    }


def not_found(what: str) -> FhirError:
    """404 for a resource, a type or an address that is not here."""
    return FhirError(404, "not-found", f"{what} is not on this server.")


def invalid(diagnostics: str) -> FhirError:
    """400 for a request that is not well formed."""
    return FhirError(400, "invalid", diagnostics)
