"""Settings from the TOML file and the environment; every fault named at once, never a value shown."""

from __future__ import annotations

import json
import os
import re
import ssl
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from cds_service.settings.faults import Fault, SettingsError, faults_of
from cds_service.settings.model import ENVIRONMENT_PREFIX, Settings, Tenant, TrialSettings
from cds_service.settings.secret_files import SECRETS_VARIABLE, secret_values

CONFIG_VARIABLE = f"{ENVIRONMENT_PREFIX}CONFIG"
"""The environment variable that names the TOML file."""


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from ``RELAPSE_CDS_CONFIG``, the files of ``RELAPSE_CDS_SECRETS`` and ``RELAPSE_CDS_*``; the
    environment wins over the secrets' directory, and that over the file.

    Raises SettingsError with every fault of both, or without those of a file that cannot be read.
    """
    environ = os.environ if environ is None else environ
    faults: list[Fault] = []
    from_environment = _environment_values(environ, faults)
    values, directory = _file_values(environ, faults)
    values.update(secret_values(environ, faults))
    trials = {**_table(values.get("trials")), **_table(from_environment.get("trials"))}
    values.update(from_environment)
    if trials:
        values["trials"] = trials
    settings = _validated(values, faults)
    if settings is not None:
        unread = {fault.key.partition("[")[0] for fault in faults}
        faults.extend(fault for fault in contradictions(settings) if fault.key not in unread)
    if settings is not None:
        settings = _anchored(settings, directory)
        faults.extend(_authority_faults(settings))
    if faults or settings is None:
        raise SettingsError(tuple(faults))
    return settings


def contradictions(settings: Settings) -> list[Fault]:
    """Keys that are each well-formed but cannot stand together."""
    faults: list[Fault] = []
    if not settings.development and not settings.public_url.startswith("https://"):
        faults.append(
            Fault("public_url", "an http address in production", "write the https address that EHRs call")
        )
    if settings.auth == "required" and not settings.tenants:
        faults.append(
            Fault("tenants", "no tenant, but auth is required", "add a [[tenants]] table for each EHR")
        )
    if settings.open_to_anybody and not settings.allow_unauthenticated:
        faults.append(
            Fault(
                "auth",
                "off in production, so that anybody may call",
                'write auth = "required", or allow_unauthenticated = true beside it',
            )
        )
    if settings.metrics_port and settings.metrics_port == settings.port:
        faults.append(Fault("metrics_port", "the port of the service", "choose another port, or 0"))
    for index, tenant in enumerate(settings.tenants):
        faults.extend(_tenant_faults(f"tenants[{index}]", tenant, settings))
    return faults + _repeated(settings)


def _authority_faults(settings: Settings) -> list[Fault]:
    if settings.ca_file is None:
        return []
    try:
        ssl.create_default_context(cafile=settings.ca_file)
    except (OSError, ValueError):
        shape = "a file without certificates" if settings.ca_file.is_file() else "no such file"
        return [Fault("ca_file", shape, "name a PEM file of certificate authorities, or remove the key")]
    return []


@dataclass(frozen=True, slots=True)
class KnownNames:
    """What a configuration may name: services, concepts of the knowledge, prefetch keys."""

    services: Collection[str]
    concepts: Collection[str]
    needs: Collection[str]


def check_names(settings: Settings, known: KnownNames) -> None:
    """Raises SettingsError where the configuration names a service, a concept or a prefetch key we lack."""
    faults: list[Fault] = []
    for index, hook in enumerate(settings.hooks):
        if hook not in known.services:
            remedy = f"use one of: {', '.join(known.services)}"
            faults.append(Fault(f"hooks[{index}]", "no such service", remedy))
    for index, tenant in enumerate(settings.tenants):
        for name in tenant.codes:
            if name not in known.concepts:
                remedy = f"use one of: {', '.join(sorted(known.concepts))}"
                faults.append(Fault(f"tenants[{index}].codes.{name}", "no such concept", remedy))
        for key, need in tenant.prefetch_keys.items():
            if need not in known.needs:
                remedy = f"map it to one of: {', '.join(sorted(known.needs))}"
                faults.append(Fault(f"tenants[{index}].prefetch_keys.{key}", "no such key of ours", remedy))
    if faults:
        raise SettingsError(tuple(faults))


def _tenant_faults(key: str, tenant: Tenant, settings: Settings) -> list[Fault]:
    faults: list[Fault] = []
    if settings.auth == "required" and not tenant.iss:
        faults.append(Fault(f"{key}.iss", "empty", "write the iss of the JWTs that this EHR signs"))
    if tenant.iss and not (tenant.jwks_file or tenant.jku):
        faults.append(
            Fault(f"{key}.jwks_file", "neither jwks_file nor jku is set", "name where the EHR's keys are")
        )
    if tenant.jwks_file and tenant.jku:
        faults.append(Fault(f"{key}.jku", "both jwks_file and jku are set", "keep one of them"))
    if tenant.smart_client_secret is not None and not tenant.smart_client_id:
        faults.append(Fault(f"{key}.smart_client_id", "empty", "write the client id the secret belongs to"))
    if settings.development:
        return faults
    if tenant.jku.startswith("http://"):
        faults.append(Fault(f"{key}.jku", "an http address in production", "use https"))
    for name in ("fhir_servers", "smart_origins"):
        for number, server in enumerate(getattr(tenant, name)):
            if server.startswith("http://"):
                faults.append(Fault(f"{key}.{name}[{number}]", "an http address in production", "use https"))
    return faults


def _repeated(settings: Settings) -> list[Fault]:
    faults: list[Fault] = []
    seen: dict[str, set[str]] = {"id": set(), "iss": set(), "fhir_servers": set()}
    for index, tenant in enumerate(settings.tenants):
        named = {
            "id": [tenant.id],
            "iss": [tenant.iss] if tenant.iss else [],
            "fhir_servers": list(tenant.fhir_servers),
        }
        for field, items in named.items():
            if seen[field].intersection(items):
                remedy = "each tenant needs its own, so that a call belongs to one tenant only"
                faults.append(Fault(f"tenants[{index}].{field}", "used by another tenant as well", remedy))
            seen[field].update(items)
    return faults


def _file_values(environ: Mapping[str, str], faults: list[Fault]) -> tuple[dict[str, Any], Path]:
    name = environ.get(CONFIG_VARIABLE, "")
    if not name:
        return {}, Path()
    path = Path(name)
    try:
        with path.open("rb") as file:
            return tomllib.load(file), path.parent
    except OSError as error:
        faults.append(Fault(CONFIG_VARIABLE, error.strerror or "unreadable", f"check the path {path}"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        reason = str(error) if isinstance(error, tomllib.TOMLDecodeError) else "not text in UTF-8"
        faults.append(Fault(str(path), f"not TOML: {reason}", "correct the file there"))
    # What the file would have said is not known, so nothing else can be called missing.
    raise SettingsError(tuple(faults))


def _environment_values(environ: Mapping[str, str], faults: list[Fault]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, text in environ.items():
        if not name.startswith(ENVIRONMENT_PREFIX) or name in (CONFIG_VARIABLE, SECRETS_VARIABLE):
            continue
        key = name.removeprefix(ENVIRONMENT_PREFIX).lower()
        field = Settings.model_fields.get(key)
        nested = key.removeprefix("trials_")
        if field is None and key.startswith("trials_") and nested in TrialSettings.model_fields:
            values.setdefault("trials", {})[nested] = text
        elif field is None:
            faults.append(Fault(name, "no such key", "correct the name or unset the variable"))
        elif not _is_structured(field.annotation):
            values[key] = text
        elif text.lstrip().startswith(("[", "{")):
            try:
                values[key] = json.loads(text)
            except ValueError:
                faults.append(Fault(name, "not JSON", "write a JSON array or object"))
        else:
            values[key] = [part.strip() for part in text.split(",") if part.strip()]
    return values


def _is_structured(annotation: object) -> bool:
    """True for a key that holds a list or a table, which the environment writes as JSON."""
    is_table = isinstance(annotation, type) and issubclass(annotation, BaseModel)
    return is_table or "tuple" in str(annotation)


def _validated(values: dict[str, Any], faults: list[Fault]) -> Settings | None:
    """The settings, or those of the well-formed keys, so that what contradicts can be named too."""
    try:
        return Settings(**values)
    except ValidationError as error:
        found = faults_of(error)
        faults.extend(found)
        bad = {re.split(r"[.\[]", fault.key)[0] for fault in found}
    rest = {key: value for key, value in values.items() if key not in bad}
    if "tenants" in bad:
        rest["tenants"] = [entry for entry in _list(values["tenants"]) if _is_tenant(entry)]
    try:
        return Settings(**rest)
    except ValidationError:
        return None


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _is_tenant(entry: object) -> bool:
    try:
        Tenant.model_validate(entry)
    except ValidationError:
        return False
    return True


def _anchored(settings: Settings, directory: Path) -> Settings:
    """Paths of the file are relative to the file."""
    tenants = tuple(
        tenant.model_copy(update={"jwks_file": directory / tenant.jwks_file}) if tenant.jwks_file else tenant
        for tenant in settings.tenants
    )
    paths = {
        key: directory / value
        for key in ("knowledge_dir", "knowledge_overlay", "ca_file")
        if (value := getattr(settings, key)) is not None
    }
    trials = _anchored_trials(settings.trials, directory)
    return settings.model_copy(update={"tenants": tenants, "trials": trials, **paths})


def _anchored_trials(trials: TrialSettings, directory: Path) -> TrialSettings:
    """``demo`` names the list inside the package; anything else is a path."""
    named = trials.catalogue not in ("", "demo")
    catalogue = str(directory / trials.catalogue) if named else trials.catalogue
    cache_file = directory / trials.cache_file if trials.cache_file is not None else None
    return trials.model_copy(update={"catalogue": catalogue, "cache_file": cache_file})
