"""Which FHIR servers of a tenant may be contacted at all."""

from __future__ import annotations

from collections.abc import Iterable

from cds_service.fhir_client.problem import RefusedServer
from cds_service.http.fhir_base import FhirBase, MalformedUrl, parse_base


def allowed_base(text: object, allowed: Iterable[str], http_admitted: bool) -> FhirBase:
    """The server meant by ``text``, if it is one of the tenant's. Raises ``RefusedServer``."""
    try:
        base = parse_base(text) if isinstance(text, str) else None
    except MalformedUrl:
        base = None
    if base is None:
        raise RefusedServer("malformed-url")
    if base not in {parse_base(server) for server in allowed}:
        raise RefusedServer("not-allowed")
    if base.scheme == "http" and not http_admitted:
        raise RefusedServer("http-in-production")
    return base
