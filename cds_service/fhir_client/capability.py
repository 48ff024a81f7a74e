"""What a FHIR server can be asked: configured by the name of its habits, or learned from what it declares.

Nothing is ever concluded from an empty answer. Besides the CapabilityStatement (FHIR R4,
``GET [base]/metadata``) only an explicit refusal of a query (HTTP 400, 422, 501) teaches anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import IntEnum

import msgspec


class Detail(IntEnum):
    """How much a search says; each next step leaves out what some servers refuse."""

    FULL = 0
    """Patient, codes, sort order and page size."""
    PLAIN = 1
    """Patient and codes."""
    PATIENT = 2
    """Patient and page size; codes are compared here."""
    BARE = 3
    """The patient alone."""


@dataclass(frozen=True, slots=True)
class Habits:
    """What is known of one FHIR server.

    ``reference_form``: ``id`` (``patient=1``) or ``typed`` (``patient=Patient/1``).
    ``without_code``: resource types whose search has no ``code`` parameter.
    ``category``: a category that a search of that type has to name.
    ``posts``: resource types that are searched well by POST; ``*`` means all.
    ``searches_components``: the parameter that finds an Observation by the code of a component:
    ``combo-code`` (it looks at both), ``component-code`` (at components alone), or none.
    ``surveyed_by_category``: a search for results has to name codes or a category.
    ``largest_page``: the largest ``_count`` per type (``*`` for all others); 0 means send none.
    """

    name: str = ""
    reference_form: str = "id"
    without_code: frozenset[str] = frozenset()
    category: dict[str, str] = field(default_factory=dict)
    posts: frozenset[str] = frozenset()
    largest_page: dict[str, int] = field(default_factory=dict)
    sorts: bool = True
    batch: bool = False
    searches_components: str = ""
    surveyed_by_category: bool = False
    wrong_version: bool = False

    def posts_to(self, resource_type: str) -> bool:
        """Whether a long query of that type goes by POST."""
        return "*" in self.posts or resource_type in self.posts

    def page(self, resource_type: str, wanted: int) -> int:
        """The page size to ask for; 0 means none."""
        largest = self.largest_page.get(resource_type, self.largest_page.get("*"))
        return wanted if largest is None else min(wanted, largest)


NAMED: dict[str, Habits] = {
    "epic": Habits(
        name="epic",
        without_code=frozenset({"Condition", "Procedure", "MedicationRequest", "CarePlan", "ServiceRequest"}),
        posts=frozenset({"Observation", "DiagnosticReport"}),
        sorts=False,
        surveyed_by_category=True,
    ),
    "cerner": Habits(
        name="cerner",
        without_code=frozenset({"Condition", "Procedure", "MedicationRequest", "MedicationAdministration"}),
        largest_page={"Observation": 200, "*": 100},
        sorts=False,
    ),
    "hapi": Habits(
        name="hapi", posts=frozenset({"*"}), largest_page={"*": 200}, searches_components="combo-code"
    ),
    "smart": Habits(name="smart", largest_page={"*": 200}),
    "medplum": Habits(name="medplum", reference_form="typed", posts=frozenset({"*"})),
}
"""Habits by name. Sources: the servers' own developer documentation and source."""


class _Parameter(msgspec.Struct):
    name: str = ""


class _Declared(msgspec.Struct, rename="camel"):
    type: str = ""
    search_param: list[_Parameter] = []


class _Rest(msgspec.Struct):
    mode: str = "server"
    resource: list[_Declared] = []


class _Statement(msgspec.Struct, rename="camel"):
    resource_type: str = ""
    fhir_version: str = ""
    rest: list[_Rest] = []


_decoder = msgspec.json.Decoder(_Statement)
R4_VERSIONS = ("4.0", "4.1", "4.3")
STATEMENTS = ("CapabilityStatement", "Conformance")


def learn(known: Habits, body: bytes) -> Habits:
    """``known`` with what a CapabilityStatement declares; ``known`` itself where it says nothing.

    A resource type counts as searched without ``code`` only when the statement lists its search
    parameters, ``patient`` among them, and ``code`` not.
    """
    try:
        statement = _decoder.decode(body.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return known
    if statement.resource_type not in STATEMENTS:
        return known
    declared = [each for rest in statement.rest if rest.mode == "server" for each in rest.resource]
    without = {each.type for each in declared if _lacks_code(each)}
    version = statement.fhir_version
    return replace(
        known,
        without_code=known.without_code | without,
        searches_components=known.searches_components or _components(declared),
        wrong_version=bool(version) and not version.startswith(R4_VERSIONS),
    )


def _components(declared: Iterable[_Declared]) -> str:
    names = {
        parameter.name for each in declared if each.type == "Observation" for parameter in each.search_param
    }
    return next((name for name in ("combo-code", "component-code") if name in names), "")


def _lacks_code(declared: _Declared) -> bool:
    names = {parameter.name for parameter in declared.search_param}
    return "patient" in names and "code" not in names


class Record:
    """What one process knows of one tenant's server: its habits, and the queries it has refused."""

    def __init__(self, habits: Habits) -> None:
        self.habits = habits
        self._details: dict[str, Detail] = {}
        self._gets_only: set[str] = set()

    def detail(self, resource_type: str) -> Detail:
        """The fullest search of that type that has not been refused."""
        start = Detail.PATIENT if resource_type in self.habits.without_code else Detail.FULL
        return max(start, self._details.get(resource_type, Detail.FULL))

    def accepted(self, resource_type: str, detail: Detail) -> None:
        """A plainer search was answered after a fuller one had been refused."""
        self._details[resource_type] = detail

    def posts_to(self, resource_type: str) -> bool:
        """Whether long searches of that type go by POST."""
        return self.habits.posts_to(resource_type) and resource_type not in self._gets_only

    def refused_post(self, resource_type: str) -> None:
        """POST ``_search`` was answered by 404, 405 or 415."""
        self._gets_only.add(resource_type)
