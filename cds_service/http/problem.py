"""The ways in which a call can be refused or fail, as values; ``problems`` tells them to the caller."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum


class Problem(Enum):
    """Every way in which a call can fail."""

    MALFORMED_BODY = "malformed-body"
    INVALID_REQUEST = "invalid-request"
    UNAUTHORISED = "unauthorised"
    FOREIGN_SERVER = "foreign-server"
    FORBIDDEN = "forbidden"
    UNKNOWN_PATH = "unknown-path"
    WRONG_METHOD = "wrong-method"
    FOREIGN_RESOURCE = "foreign-resource"
    MERGED_PATIENT = "merged-patient"
    MISSING_DATA = "missing-data"
    REFUSED_DATA = "refused-data"
    WRONG_VERSION = "wrong-version"
    NOT_APPROVED = "not-approved"
    TOO_LARGE = "too-large"
    TOO_MANY_RESOURCES = "too-many-resources"
    WRONG_MEDIA_TYPE = "wrong-media-type"
    CODED_BODY = "coded-body"
    TOO_MANY_CALLS = "too-many-calls"
    OUT_OF_SERVICE = "out-of-service"
    INTERNAL = "internal"


class Refusal(Exception):
    """A call that is refused for a reason of the table.

    ``diagnostics`` are words for the integrator: codes, keys and paths, never values from a record.
    """

    def __init__(
        self, problem: Problem, diagnostics: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        self.problem = problem
        self.diagnostics = diagnostics
        self.headers = dict(headers or {})
        super().__init__(problem.value)
