"""Who may look at the operator page: whoever knows the operator's token, or a tenant for its own figures."""

from __future__ import annotations

import hmac

from flask import Request

from cds_service.app_state import Parts
from cds_service.auth import CannotVerify, Refused
from cds_service.http.problem import Problem, Refusal

PATH = "/operator/"
EVERYTHING = ""
"""The scope of an operator."""


class NotAdmitted(Exception):
    """Neither the operator's token nor a tenant's."""


def scope_of(parts: Parts, request: Request) -> str:
    """The tenant whose figures may be seen, or EVERYTHING.

    The token is the password of HTTP Basic authentication, with any user name, so that a browser can ask
    for it, or a bearer token. A JWT must name this page's address as its audience. Without authorisation
    in the settings everything is open.

    Raises NotAdmitted, or Refusal (out-of-service) where nobody can be verified now.
    """
    if parts.settings.auth == "off":
        return EVERYTHING
    headers = request.headers.getlist("Authorization")
    if not headers:
        raise NotAdmitted
    if len(headers) == 1 and _is_operators(parts, request):
        return EVERYTHING
    try:
        caller = parts.verifier.verify(headers, parts.settings.public_url + PATH, parts.clock())
    except Refused:
        raise NotAdmitted from None
    except CannotVerify:
        raise Refusal(Problem.OUT_OF_SERVICE, headers={"Retry-After": "5"}) from None
    if not caller.is_authenticated:
        raise NotAdmitted
    return caller.tenant.id


def _is_operators(parts: Parts, request: Request) -> bool:
    secret, given = parts.settings.operator_token, request.authorization
    if secret is None or given is None:
        return False
    word = given.password if given.type == "basic" else given.token if given.type == "bearer" else None
    return hmac.compare_digest((word or "").encode(), secret.get_secret_value().encode())
