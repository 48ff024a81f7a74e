"""Secrets from a directory with one file a key, as containers and Kubernetes hand them out.

``RELAPSE_CDS_SECRETS`` names the directory; the files bear the names of keys, for example ``store``. Only
keys that may hold a secret are read from there: a directory that others fill must not change what is decided.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from cds_service.settings.faults import Fault
from cds_service.settings.model import ENVIRONMENT_PREFIX

SECRETS_VARIABLE = f"{ENVIRONMENT_PREFIX}SECRETS"
"""The environment variable that names the directory."""

SECRET_KEYS = ("store", "pseudonym_secret", "audit_secret", "operator_token")
"""Keys that may come from a file of the directory."""


def secret_values(environ: Mapping[str, str], faults: list[Fault]) -> dict[str, str]:
    """The secrets by key; what is wrong is added to ``faults``, and no content is ever quoted.

    One line break at the end of a file is not part of the secret. Files of other names are refused, except
    hidden ones: Kubernetes keeps its own bookkeeping in ``..data``.
    """
    name = environ.get(SECRETS_VARIABLE, "")
    if not name:
        return {}
    try:
        files = sorted(path for path in Path(name).iterdir() if not path.name.startswith("."))
    except OSError as error:
        faults.append(Fault(SECRETS_VARIABLE, error.strerror or "unreadable", f"check the directory {name}"))
        return {}
    values = {}
    for path in files:
        if path.name not in SECRET_KEYS:
            remedy = f"name it after one of: {', '.join(SECRET_KEYS)}"
            faults.append(Fault(f"{SECRETS_VARIABLE}/{path.name}", "no key that may hold a secret", remedy))
            continue
        try:
            text = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            remedy = "let the service's user read it; it holds UTF-8 text"
            faults.append(Fault(f"{SECRETS_VARIABLE}/{path.name}", "a file that cannot be read", remedy))
            continue
        values[path.name] = text.removesuffix("\n").removesuffix("\r")
        if not values[path.name]:
            faults.append(Fault(f"{SECRETS_VARIABLE}/{path.name}", "empty", "write the secret, or remove it"))
    return values
