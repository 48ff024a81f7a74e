"""The configuration of the service: every key, its default and its shape.

``Settings(...)`` in code reads nothing but its arguments. ``load_settings`` of
``cds_service.settings.loading`` adds the TOML file and the environment and reports all faults at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

ENVIRONMENT_PREFIX = "RELAPSE_CDS_"
"""Prefix of every environment variable that holds a key."""

Profile = Literal["strict", "epic", "cerner", "sandbox", "compact"]
Habits = Literal["none", "hapi", "smart", "medplum", "epic", "cerner"]
SmartType = Literal[
    "CarePlan",
    "Condition",
    "DiagnosticReport",
    "DocumentReference",
    "MedicationAdministration",
    "MedicationRequest",
    "Observation",
    "Patient",
    "Procedure",
    "ResearchSubject",
    "ServiceRequest",
    "Specimen",
]
Algorithm = Literal["ES384", "RS384", "ES256", "RS256", "PS384"]


def _web_address(text: str) -> str:
    """An absolute http(s) URL without user information, query or fragment; no trailing slash."""
    if not text:
        return text
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable or "@" in text or "?" in text or "#" in text or "\\" in text or not text.isascii():
        raise ValueError("write an absolute URL such as https://ehr.example.org/fhir, nothing after the path")
    return text.rstrip("/")


def _fhir_base(text: str) -> str:
    """A FHIR base URL in the one spelling that the reader compares."""
    # Imported here, because the reader itself is written against this module.
    from cds_service.http.fhir_base import MalformedUrl, parse_base

    try:
        return parse_base(text).url
    except MalformedUrl as error:
        raise ValueError(f"write a FHIR base URL such as https://ehr.example.org/fhir: {error}") from None


def _token(text: str) -> str:
    system, separator, code = text.partition("|")
    if not (system and separator and code) or any(c.isspace() or c in "|,$\\{}&" for c in system + code):
        raise ValueError("write each code as system|code, without spaces")
    return text


WebAddress = Annotated[str, AfterValidator(_web_address)]
FhirBaseUrl = Annotated[str, AfterValidator(_fhir_base)]
Token = Annotated[str, AfterValidator(_token)]


NO_TENANT = "none"
"""The name of callers who are no tenant, in logs, metrics and the store."""


class Tenant(BaseModel):
    """One EHR that may call: who it is, how it signs, where its FHIR server is, how its data are coded."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, use_attribute_docstrings=True
    )

    id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    """Its name in logs, in the store and on the operator page."""
    mode: Literal["active", "silent"] = "active"
    """Silent: its calls are evaluated, recorded and counted, and always answered without a card."""
    iss: str = Field(default="", max_length=512)
    """The issuer of its JWTs, exactly as the EHR writes it."""
    jwks_file: Path | None = None
    """Its public keys in a file; then no key is fetched."""
    jku: str = Field(default="", max_length=2048)
    """The address of its public keys, https in production; the only one ever asked."""
    audiences: tuple[str, ...] = ()
    """Audiences accepted beside the endpoint that was called."""
    fhir_servers: tuple[FhirBaseUrl, ...] = ()
    """FHIR base URLs that may be read for it; any other address is never contacted."""
    allow_private: bool = False
    """Whether those servers may have addresses of a hospital's own network."""
    open_fhir: bool = False
    """Whether its FHIR server may be read without a token (public sandboxes)."""
    profile: Profile = "strict"
    """How answers are shaped for this EHR; see connecting.md."""
    habits: Habits = "none"
    """How its FHIR server is known to differ; none: by the profile, and by what the server declares."""
    null_means: Literal["empty", "refetch"] = "empty"
    """What a prefetch key with null says: an empty result (the specification), or to be read again."""
    timezone: str = "UTC"
    """IANA time zone of its days, for results that come without an offset."""
    prefetch_keys: Mapping[str, str] = Field(default_factory=dict)
    """The EHR's prefetch key -> ours, where the EHR does not read discovery."""
    codes: Mapping[str, tuple[Token, ...]] = Field(default_factory=dict)
    """Our concept -> its local codes as system|code, for example of MRD."""
    report_text: Literal["off", "named", "read"] = "read"
    """Reports in words: left alone, only named where they are newer than the last result, or read."""
    report_reader: str = Field(default="", max_length=64)
    """Name of an installed ``relapse_cds.report_reader`` entry point to read them with; empty: our own."""
    documents: bool = False
    """Whether DocumentReference is asked for as well; it is the widest query."""
    smart_client_id: str = Field(default="", max_length=256, pattern=r"^[!-~]*$")
    """The timeline's client id at this EHR; empty: the timeline cannot be launched from it."""
    smart_client_secret: SecretStr | None = None
    """Of a confidential client; none: a public one, bound by PKCE alone."""
    smart_secret_plain: bool = False
    """Whether id and secret are sent as they are, to servers that do not decode them (RFC 6749 2.3.1)."""
    smart_resource_types: tuple[SmartType, ...] = ()
    """What the timeline asks to read, Condition and Observation at least; empty: all; see timeline.md."""
    smart_origins: tuple[WebAddress, ...] = ()
    """Where this EHR's users sign in, when that is not the origin of its FHIR server."""

    card_detail: Literal["brief", "full"] = "brief"
    """Brief: what is read in ten seconds, the rest on the evidence page. Full: every sentence on its card."""
    evidence: Literal["auto", "smart", "card", "none"] = "auto"
    """Where the rest stands: on the page a SMART link opens, on one last card, or nowhere for this EHR; auto:
    the page where ``smart_client_id`` is set, else the card, but none where cards must be small."""
    detail_format: Literal["markdown", "text"] = "markdown"
    """Text: details without any Markdown, announced to Epic by its content-type extension."""
    omit: tuple[Literal["topic", "overrideReasons", "suggestions", "links", "selectionBehavior"], ...] = ()
    """Optional members of a card that this EHR cannot take. Without topic or overrideReasons, feedback says
    less."""

    @property
    def evidence_place(self) -> Literal["smart", "card", "none"]:
        """Where the statements stand that a brief card leaves out."""
        if self.evidence != "auto":
            return self.evidence
        if self.smart_client_id:
            return "smart"
        return "none" if self.profile in ("cerner", "compact") else "card"

    @field_validator("timezone")
    @classmethod
    def _known_timezone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            raise ValueError("write an IANA time zone such as Europe/Berlin") from None
        return name

    @field_validator("smart_resource_types")
    @classmethod
    def _concluding(cls, types: tuple[SmartType, ...]) -> tuple[SmartType, ...]:
        if types and not {"Condition", "Observation"} <= set(types):
            raise ValueError("Condition and Observation are needed to conclude anything; name both")
        return types

    @field_validator("id")
    @classmethod
    def _somebody(cls, name: str) -> str:
        if name == NO_TENANT:
            raise ValueError("this name stands for callers who are no tenant; write another one")
        return name

    def local(self, at: datetime) -> datetime:
        """An instant on this hospital's clock: the day of an evaluation is the hospital's day."""
        return at.astimezone(ZoneInfo(self.timezone)) if self.timezone else at


NOBODY = Tenant.model_construct(id=NO_TENANT, timezone="")
"""Whoever calls without being a tenant: no server is read for it, and days are those of the moment given."""


class TrialSettings(BaseModel):
    """``[trials]``: which lists of clinical trials are searched, and around which place."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, use_attribute_docstrings=True
    )

    catalogue: str = ""
    """A TOML or CSV file kept by the trial office; ``demo`` for the fictional list; empty: none."""
    clinicaltrials_gov: bool = False
    """Whether ClinicalTrials.gov is asked; no patient data are sent."""
    fhir_servers: bool = False
    """Read ResearchStudy from tenants' servers: in the background where they are open without a token, else
    within the hook call that brings one."""
    site_latitude: float | None = Field(default=None, ge=-90, le=90)
    """Where the hospital stands, in degrees; without it no study is too far."""
    site_longitude: float | None = Field(default=None, ge=-180, le=180)
    """Where the hospital stands, in degrees."""
    radius_km: int = Field(default=250, ge=1, le=20_100)
    """Studies farther away than this are left out, in km."""
    max_studies: int = Field(default=5, ge=1, le=10)
    """How many studies the card names."""
    cache_file: Path | None = Path("relapse-cds-trials.json")
    """Where commands without a configuration keep the registry's last answer; the service has its store."""


class Settings(BaseSettings):
    """Every key of the service. Unknown keys are refused."""

    model_config = SettingsConfigDict(
        env_prefix=ENVIRONMENT_PREFIX,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )

    public_url: WebAddress = "http://127.0.0.1:8080"
    """The base of the JWT audience and of every link that is given out."""
    environment: Literal["production", "development"] = "production"
    """Development admits http and private addresses."""
    auth: Literal["required", "optional", "off"] = "required"
    """Whether a call must carry a signed JWT, may, or is not asked (demonstration only)."""
    allow_unauthenticated: bool = False
    """Must stand beside ``auth = "off"`` in production, where anybody may then call; every page says so."""
    store: str = "sqlite:///relapse-cds.db"
    """Where feedback, shown cards and used tokens are kept: SQLite, or postgresql+psycopg://user@host/db."""
    deadline_ms: int = Field(default=2000, ge=100, le=30_000)
    """The time one call may take, in milliseconds."""
    on_incomplete: Literal["412", "info-card"] = "412"
    """What is answered when data without which nothing can be concluded are missing."""
    max_cards: int = Field(default=4, ge=1, le=10)
    """More topics than this are merged into the card of the finding."""
    explain: bool = False
    """Adds the whole assessment to the answer, under org.relapse-cds.assessment."""
    discovery_auth: Literal["optional", "required"] = "optional"
    """Whether discovery asks for a token; a bad one is refused either way."""
    discovery_extras: bool = True
    """Whether discovery tells what came after CDS Hooks 2.0.1 (version, hookVersion) and our extension."""
    jwt_algorithms: tuple[Algorithm, ...] = Field(default=("ES384", "RS384"), min_length=1)
    """Signature algorithms that are accepted."""
    max_body_bytes: int = Field(default=16_777_216, ge=1024, le=268_435_456)
    """Longer bodies are refused with 413, in bytes."""
    max_resources: int = Field(default=20_000, ge=1, le=1_000_000)
    """Bodies with more resources are refused."""
    rate_limit_per_minute: int = Field(default=0, ge=0)
    """Calls and feedback a minute for each tenant, over all workers; 0: no limit."""
    snooze_days: int = Field(default=30, ge=0, le=3650)
    """How long an overridden card stays quiet, in days; 0: it does not."""
    feedback_retention_days: int = Field(default=3650, ge=1, le=36_500)
    """How long feedback, shown cards and audit entries are kept."""
    metrics_port: int = Field(default=0, ge=0, le=65_535)
    """The port of the metrics on loopback; 0: on the main port."""
    cors_origins: tuple[WebAddress, ...] = ("https://sandbox.cds-hooks.org",)
    """Origins whose pages may call the service from a browser."""
    require_approved_content: bool = False
    """Whether content that no clinician has approved makes no cards."""

    hooks: tuple[str, ...] = ("all-relapse", "all-relapse-encounter-start")
    """Ids of the services that discovery offers; an empty list offers none."""
    host: str = "127.0.0.1"
    """The address to listen on."""
    port: int = Field(default=8080, ge=0, le=65_535)
    """The port to listen on; 0: any free one."""
    workers: int = Field(default=2, ge=1, le=64)
    """Processes."""
    threads: int = Field(default=16, ge=1, le=256)
    """Calls a process answers at a time."""
    ca_file: Path | None = None
    """PEM file of the certificate authorities of FHIR servers, instead of the public ones."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """How much is logged; no level logs patient data or tokens."""
    knowledge_dir: Path | None = None
    """A directory of knowledge to use instead of the one inside the package."""
    knowledge_overlay: Path | None = None
    """A folder with only the numbers and words that differ from the packaged knowledge; see
    [site-knowledge.md](site-knowledge.md)."""
    criteria_set: str = ""
    """The criteria set that decides relapse; empty: the one the knowledge marks as default."""
    repopulation: str = ""
    """The reading of criterion B: ``rise``, ``above-five`` or ``two-above-25``; empty: the knowledge's."""
    trials: TrialSettings = Field(default_factory=TrialSettings)
    """Clinical trials; see below."""

    pseudonym_secret: SecretStr | None = None
    """Key of the pseudonyms under which the store knows patients; none: the store makes its own."""

    audit_secret: SecretStr | None = Field(default=None, min_length=16)
    """Key that seals the audit trail, so that nobody without it can rewrite it; none: no key."""

    operator_token: SecretStr | None = Field(default=None, min_length=16)
    """Opens the operator page in a browser, as the password; none: only tenants' signed tokens do."""

    tenants: tuple[Tenant, ...] = ()
    """The EHRs that may call; see below."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Settings made in code depend on their arguments alone."""
        return (init_settings,)

    @classmethod
    def embedded(cls, **changes: Any) -> Self:
        """For ``assess`` and ``call``: no authorisation, nothing stored, the assessment explained."""
        return cls(**{"environment": "development", "auth": "off", "store": "sqlite://", **changes})

    @classmethod
    def demo(cls, public_url: str, fhir_server: str, **changes: Any) -> Self:
        """For ``demo``: the embedded FHIR sandbox as the one open tenant, the assessment explained."""
        sandbox = Tenant(
            id="demo",
            fhir_servers=(fhir_server,),
            allow_private=True,
            open_fhir=True,
            profile="sandbox",
            evidence="smart",
        )
        values: dict[str, Any] = {"public_url": public_url, "explain": True, "tenants": (sandbox,)}
        return cls.embedded(**{**values, **changes})

    @property
    def development(self) -> bool:
        """True where http and private addresses are admitted."""
        return self.environment == "development"

    @property
    def open_to_anybody(self) -> bool:
        """True where a service in production asks nobody who they are."""
        return self.auth == "off" and not self.development

    @property
    def deadline_seconds(self) -> float:
        """The time one call may take, in seconds."""
        return self.deadline_ms / 1000

    def __repr__(self) -> str:
        return f"Settings(environment={self.environment!r}, auth={self.auth!r}, store={masked(self.store)!r})"

    __str__ = __repr__


def masked(url: str) -> str:
    """A store URL with everything secret taken out: the password and the query."""
    head, separator, rest = url.partition("://")
    if not separator:
        return "***"
    user, at, place = rest.rpartition("@")
    account = user.partition(":")[0] + (":***" if ":" in user else "")
    return f"{head}://{account}{at}{place.partition('?')[0]}"
