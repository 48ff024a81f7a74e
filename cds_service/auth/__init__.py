"""Callers prove who they are: one JSON Web Token a call, signed with a key that we were told to trust.

Source: CDS Hooks 2.0, "Trusting CDS Clients". :class:`Verifier` is the way in. Why a token was refused
goes to the operator's log and metric only; the caller always sees the same 401.
"""

from cds_service.auth.callers import ANONYMOUS, Caller, CannotVerify, Reason, Refused
from cds_service.auth.verifier import Verifier

__all__ = ["ANONYMOUS", "Caller", "CannotVerify", "Reason", "Refused", "Verifier"]
