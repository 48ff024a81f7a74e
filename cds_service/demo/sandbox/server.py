"""What the sandbox answers to each interaction, without HTTP: read, search, page, create, update."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import uuid4

from cds_service.demo.sandbox.access import Access, AccessTokens
from cds_service.demo.sandbox.ordering import in_order
from cds_service.demo.sandbox.outcomes import FhirError, JsonObject, invalid, not_found
from cds_service.demo.sandbox.paging import PAGE_PARAMETER, Page, Pages
from cds_service.demo.sandbox.parameters import PARAMETERS
from cds_service.demo.sandbox.query import parse_query
from cds_service.demo.sandbox.repository import Repository, Stored, patient_of
from cds_service.demo.sandbox.validation import check_resource

Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A FHIR R4 server: its repository, its tokens and its absolute base URL without trailing slash."""

    repository: Repository
    tokens: AccessTokens
    base: str
    pages: Pages = field(default_factory=Pages)

    def read(self, resource_type: str, resource_id: str, access: Access) -> Stored:
        """The resource.

        Raises:
            FhirError: 404 when it is not here, 403 when the token is bound to another patient.
        """
        stored = self.repository.read(resource_type, resource_id) if resource_type in PARAMETERS else None
        if stored is None:
            raise not_found("The resource")
        if not may_see(access, stored.resource):
            raise FhirError(403, "forbidden", "The token is for the record of another patient.")
        return stored

    def search(self, resource_type: str, pairs: Pairs, access: Access, *, strict: bool = False) -> JsonObject:
        """The searchset Bundle of a search, or of the page that ``_page`` names.

        Raises:
            FhirError: as ``parse_query`` and ``Pages.following``; 403 when the search names a patient
                whom the token does not open, since an empty answer would read as an empty chart.
        """
        token = next((value for name, value in pairs if name == PAGE_PARAMETER), None)
        if token is not None:
            return self._searchset(self.pages.following(token, resource_type, access.patient_id), token)
        query = parse_query(resource_type, pairs, self.base, strict=strict)
        if access.patient_id and any(not rule.is_within(access.patient_id) for rule in query.criteria):
            raise FhirError(403, "forbidden", "The token is for the record of another patient.")
        found = [
            stored
            for stored in self.repository.all_of(resource_type)
            if may_see(access, stored.resource)
            and all(rule.matches(stored.resource) for rule in query.criteria)
        ]
        found = self._with_wrong_patient(found, resource_type)
        return self._searchset(self.pages.first(query, access.patient_id, in_order(found, query.order)), "")

    def create(self, resource: JsonObject, access: Access) -> Stored:
        """Store a new resource under an id of the server's choice.

        Raises:
            FhirError: 400 or 422 for an unusable resource, 403 when it belongs to another patient.
        """
        return self.repository.write([self.acceptable({**resource, "id": str(uuid4())}, access)])[0]

    def update(self, resource_type: str, resource_id: str, resource: JsonObject, access: Access) -> Stored:
        """Store a resource under its own id, new or as a new version. Raises as ``create``."""
        if resource.get("resourceType") != resource_type or resource.get("id") != resource_id:
            raise invalid("resourceType and id of the resource must be those of the address.")
        return self.repository.write([self.acceptable(resource, access)])[0]

    def acceptable(self, resource: JsonObject, access: Access) -> JsonObject:
        """The resource itself, once it is known that it may be stored. Raises as ``create``."""
        if resource.get("resourceType") not in PARAMETERS:
            raise invalid("resourceType is missing or not held by this server; see /metadata.")
        check_resource(resource)
        if not may_see(access, resource):
            raise FhirError(403, "forbidden", "The token is for the record of another patient.")
        return resource

    def _with_wrong_patient(self, found: list[Stored], resource_type: str) -> list[Stored]:
        """With that fault on: the other patient's resources instead of what was asked for."""
        other = self.repository.faults.now.wrong_patient
        if not other:
            return found
        held = self.repository.all_of(resource_type)
        return [stored for stored in held if patient_of(stored.resource) == other]

    def _searchset(self, page: Page, token: str) -> JsonObject:
        address = f"{self.base}/{page.query.resource_type}"
        own = f"{PAGE_PARAMETER}={token}" if token else page.query.self_query
        links = [{"relation": "self", "url": f"{address}?{own}" if own else address}]
        if page.next:
            links.append({"relation": "next", "url": f"{address}?{PAGE_PARAMETER}={page.next}"})
        bundle: JsonObject = {"resourceType": "Bundle", "type": "searchset", "link": links}
        if page.query.with_total:
            bundle["total"] = page.total
        if page.entries:
            bundle["entry"] = [
                {
                    "fullUrl": f"{self.base}/{stored.reference}",
                    "resource": stored.resource,
                    "search": {"mode": "match"},
                }
                for stored in page.entries
            ]
        return bundle


def may_see(access: Access, resource: JsonObject) -> bool:
    """Whether a token opens a resource: one of them is bound to no patient, or both to the same."""
    owner = patient_of(resource)
    return not access.patient_id or not owner or owner == access.patient_id
