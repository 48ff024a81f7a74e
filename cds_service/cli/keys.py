"""``relapse-cds keys``: which keys we would trust, and what is wrong with a token. For the operator."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cds_service.cli.configured import configured, moment
from cds_service.cli.faults import Unusable

if TYPE_CHECKING:
    from cds_service.auth import Refused, Verifier
    from cds_service.auth.signing import SigningKey
    from cds_service.auth.trust import TenantKeys
    from cds_service.settings.model import Settings, Tenant

MOST_INPUT = 65_536

_WHY = {
    "unreadable-file": "the file cannot be read; check the path and its permissions",
    "not-a-key-set": "what is there is no JWK Set",
    "unusable-body": "the document is too large or cut off",
    "unreachable": "nothing answered in time; check the address, DNS and the firewall",
    "refused": "the address is private or its certificate is not trusted; see allow_private",
    "status-not-200": "the answer was not 200; redirects are not followed",
    "http-in-production": "the address is http; use https",
    "malformed-url": "the address is not a plain https URL",
}


def add_parser(subparsers: Any) -> None:
    """``keys show``, ``make``, ``sign`` and ``verify``."""
    parser = subparsers.add_parser(
        "keys",
        help="show the keys that tenants sign with, sign as an EHR, or say what is wrong with a token",
        description="Helps to set up how EHRs prove who they are. What it says is for the operator: "
        "a caller never learns why its token was refused.",
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    show = actions.add_parser(
        "show",
        help="fetch and show every tenant's keys",
        description="Reads each tenant's jwks_file, or fetches its jku, and shows which keys would be "
        "trusted, and which are left out and why. Exit code 1 when a tenant has no usable key.",
    )
    show.add_argument("--tenant", metavar="ID", help="only this tenant")
    show.set_defaults(run=run_show)
    make = actions.add_parser(
        "make",
        help="make a key to sign with as an EHR does, for tests",
        description="Writes a private key for `keys sign` and `call --sign-with` and prints the public key "
        "set, which the service is given as jwks_file. For tests: a real EHR has its own key.",
    )
    make.add_argument("file", type=Path, metavar="KEY.json", help="where to write the private key")
    make.add_argument("--iss", required=True, metavar="ISSUER", help="who signs: the tenant's iss")
    make.add_argument("--algorithm", default="ES384", choices=("ES384", "RS384"), help="default: ES384")
    make.set_defaults(run=run_make)
    sign = actions.add_parser(
        "sign",
        help="print a token for one call",
        description="Prints a JWT signed with the key, as an EHR would send it: for one endpoint, valid for "
        "five minutes, accepted once.",
    )
    sign.add_argument("file", type=Path, metavar="KEY.json", help="the key that `keys make` wrote")
    sign.add_argument("--audience", required=True, metavar="URL", help="the endpoint that will be called")
    sign.add_argument("--iss", default="", metavar="ISSUER", help="default: the one beside the key")
    sign.add_argument("--at", metavar="ISO", help="the moment of the call (default: now)")
    sign.set_defaults(run=run_sign)
    verify = actions.add_parser(
        "verify",
        help="read one token from standard input and say what is wrong with it",
        description="Reads one JWT, with or without the word Bearer, from standard input and checks it as "
        "the service would. The token is not used up and not shown. Exit code 1 when it would be refused.",
    )
    verify.add_argument(
        "--audience", metavar="URL", help="the endpoint that is called (default: each of ours in turn)"
    )
    verify.add_argument("--at", metavar="ISO", help="the moment of the call (default: now)")
    verify.set_defaults(run=run_verify)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """The chosen action."""
    actions = {"show": run_show, "verify": run_verify, "make": run_make, "sign": run_sign}
    return actions[args.action](args)


def run_make(args: argparse.Namespace) -> int:
    """Write a private key, and print the public one."""
    from cds_service.auth.signing import new_key, write_key

    key = new_key(args.algorithm, args.iss)
    try:
        write_key(key, args.file)
    except FileExistsError:
        raise Unusable(f"{args.file}: exists already; name a new file") from None
    except OSError as error:
        raise Unusable(f"{args.file}: {error.strerror or 'cannot be written'}") from None
    sys.stdout.write(json.dumps(key.public, indent=2) + "\n")
    return 0


def run_sign(args: argparse.Namespace) -> int:
    """Print a token."""
    sys.stdout.write(signing_key(args.file, args.iss).token(args.audience, moment(args.at)) + "\n")
    return 0


def signing_key(file: Path, issuer: str = "") -> SigningKey:
    """The key in a file. Raises Unusable."""
    from cds_service.auth.signing import NoSigningKey, read_key

    try:
        return read_key(file, issuer)
    except NoSigningKey as fault:
        raise Unusable(f"{file}: {fault}; make one with `relapse-cds keys make`") from None
    except OSError as error:
        raise Unusable(f"{file}: {error.strerror or 'cannot be read'}") from None


def run_show(args: argparse.Namespace) -> int:
    """Fetch the keys, and show them."""
    from cds_service.auth.verifier import trusted_keys

    settings = configured()
    if args.tenant and args.tenant not in {tenant.id for tenant in settings.tenants}:
        raise Unusable(f"--tenant: no tenant has the id {args.tenant}")
    trusted = trusted_keys(settings)
    wanted = [tenant for tenant in settings.tenants if args.tenant in (None, tenant.id)]
    if not wanted:
        sys.stdout.write("No tenants are configured.\n")
    return max((_show(tenant, trusted.get(tenant.id)) for tenant in wanted), default=0)


def run_verify(args: argparse.Namespace) -> int:
    """Check one token, and say what is wrong with it."""
    from cds_service.auth import CannotVerify, Refused, Verifier

    settings, at = configured(), moment(args.at)
    text = sys.stdin.read(MOST_INPUT).strip()
    if not text:
        raise Unusable("no token on standard input; paste one JWT and end with Ctrl-D")
    authorization = text if text[:7].lower() == "bearer " else f"Bearer {text}"
    verifier = Verifier(settings, _NothingSeen())
    _fetch_now(verifier)
    try:
        return _try_endpoints(verifier, authorization, _endpoints(settings, args.audience), at)
    except Refused as refused:
        return _tell(refused)
    except CannotVerify as fault:
        why = verifier.keys[fault.tenant].fault
        sys.stdout.write(f"Cannot be verified: tenant {fault.tenant} has no keys: {_WHY.get(why, why)}.\n")
        return 1


def _try_endpoints(verifier: Verifier, authorization: str, endpoints: Sequence[str], at: datetime) -> int:
    from cds_service.auth import Reason, Refused

    elsewhere: Refused | None = None
    for endpoint in endpoints:
        try:
            caller = verifier.verify(authorization, endpoint, at)
        except Refused as refused:
            if refused.reason is not Reason.AUDIENCE:
                raise
            elsewhere = refused
        else:
            tenant = caller.tenant.id
            sys.stdout.write(f"Accepted: tenant {tenant}, for {endpoint}\n")
            return 0
    if elsewhere is None:
        raise Unusable("no service is offered; see the key hooks")
    code = _tell(elsewhere)
    sys.stdout.write("Accepted would be, each for its own endpoint:\n")
    sys.stdout.writelines(f"  {endpoint}\n" for endpoint in endpoints)
    return code


def _tell(refused: Refused) -> int:
    whose = f", tenant {refused.tenant}" if refused.tenant else ""
    sys.stdout.write(f"Refused ({refused.reason.value}{whose}): {refused.explanation}.\n")
    return 1


def _endpoints(settings: Settings, audience: str | None) -> list[str]:
    if audience:
        return [audience]
    base = f"{settings.public_url}/cds-services"
    return [base, *(f"{base}/{name}{rest}" for name in settings.hooks for rest in ("", "/feedback"))]


def _fetch_now(verifier: Verifier) -> None:
    verifier.stop()
    for keys in verifier.keys.values():
        keys.refresh()


def _show(tenant: Tenant, keys: TenantKeys | None) -> int:
    write = sys.stdout.write
    write(f"{tenant.id}\n  iss   {tenant.iss or 'none: this tenant cannot sign'}\n")
    if keys is None:
        write("  keys  none are configured; set jwks_file or jku\n")
        return 1 if tenant.iss else 0
    write(f"  from  {tenant.jwks_file or tenant.jku}\n")
    if not keys.refresh():
        write(f"  keys  none: {_WHY.get(keys.fault, keys.fault)}\n")
        return 1
    found = keys.current()
    for key in found.keys:
        write(f"  key   {ascii(key.kid)[1:-1]}  {key.kind} {key.bits} bits  {', '.join(key.algorithms)}\n")
    for entry in found.left_out:
        write(f"  left out  {entry.kid or '(no kid)'}: {entry.why}\n")
    if not found.keys:
        write("  keys  none of them is usable\n")
    return 0 if found.keys else 1


class _NothingSeen:
    """Stands for the replay store: looking at a token must not use it up."""

    @property
    def replay(self) -> _NothingSeen:
        return self

    def is_first_use(self, iss: str, jti: str, expires_at: datetime, at: datetime) -> bool:
        """Always."""
        return True
