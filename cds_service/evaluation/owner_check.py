"""The first look at a chart: its Conditions are read, and the owner of everything else is checked.

Nearly every chart that is opened has no leukaemia. Its Conditions say so, and reading hundreds of results
that cannot change the answer would be most of the cost of the call. Whose data they are is checked all the
same: another patient's resource refuses the call wherever it stands.
"""

from __future__ import annotations

from collections.abc import Sequence

from fhir_mappings.assess import Attribution, Entry, ForeignResource, Owner, Subject

_SHARED = frozenset({"Specimen", "Group"})
"""Types that may belong to a donor or to several people; they are read with care, not refused."""


def check_owners(entries: Sequence[Entry], subject: Subject) -> bool:
    """Raises ForeignResource where a resource belongs to another patient.

    False: a Bundle stands within a Bundle, so that the entries must be read to know whose they are.
    """
    attribution = Attribution(subject, entries)
    for entry in entries:
        resource = entry.resource
        if resource is None or resource.resource_type in _SHARED:
            continue
        if resource.resource_type == "Bundle":
            return False
        if attribution.owner(resource) is Owner.FOREIGN:
            raise ForeignResource(resource.resource_type or "resource")
    return True
