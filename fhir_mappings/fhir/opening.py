"""Which resource, standing alone, opens a chart: the first look for lines of an export.

There is no second rule. The resource goes through ``ChartReader.first_look`` like any other, and what came
of it is remembered by everything that the reader looks at, since the same words stand in thousands of
Conditions. Its owner, its identity, its dates and its notes are left out: they never open a chart.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter

import msgspec
from msgspec import Raw

from fhir_mappings.clinical.vocabulary import Vocabulary
from fhir_mappings.fhir.attribution import Subject
from fhir_mappings.fhir.chart import ChartReader, is_opened
from fhir_mappings.fhir.decoding import Decoded, Unreadable
from fhir_mappings.fhir.elements import Entry, Reference, Resource
from fhir_mappings.fhir.lazy_rare_elements import extensions_of

_SOMEBODY = Subject("somebody")
_OWNED = Reference(reference="Patient/somebody")
_MOST_REMEMBERED = 20_000

_NEVER_OPENING = {
    *("resource_type", "id", "meta", "subject", "patient", "individual", "recorded_date"),
    *("onset_date_time", "onset_period", "abatement_date_time", "abatement_period", "note", "extension"),
}
_FIELDS = msgspec.structs.fields(Resource)
_BYTES = attrgetter(
    *(found.name for found in _FIELDS if found.type is Raw and found.name not in _NEVER_OPENING)
)
_VALUES = attrgetter(
    *(found.name for found in _FIELDS if found.type is not Raw and found.name not in _NEVER_OPENING)
)
_NO_VALUES = tuple(None for found in _FIELDS if found.type is not Raw and found.name not in _NEVER_OPENING)


class Opening:
    """Whether one resource opens its patient's chart. Not shared between threads."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._remembered: dict[tuple[bytes, ...], bool] = {}

    def opens(self, decoded: Decoded) -> bool:
        """True where the first look at a chart of this resource alone would not end the call."""
        if decoded.unreadable:
            return self._first_look((), decoded.unreadable)
        return self.opens_with(decoded.resource)

    def opens_with(self, resource: Resource) -> bool:
        """The same of a resource that could be read."""
        values = _VALUES(resource)
        extra = b"" if values == _NO_VALUES else msgspec.msgpack.encode(values)
        if bytes(resource.extension):
            # Nearly every extension of a Condition is a date.
            extra += msgspec.msgpack.encode(extensions_of(resource))
        key = (resource.resource_type or "").encode(), extra, *map(bytes, _BYTES(resource))
        found = self._remembered.get(key)
        if found is None:
            if len(self._remembered) >= _MOST_REMEMBERED:
                self._remembered.clear()
            owned = msgspec.structs.replace(resource, subject=_OWNED, patient=None, individual=None)
            found = self._remembered[key] = self._first_look((Entry(resource=owned),), ())
        return found

    def _first_look(self, entries: Sequence[Entry], unreadable: Sequence[Unreadable]) -> bool:
        reader = ChartReader(self._vocabulary, _SOMEBODY, entries, unreadable)
        return is_opened(reader.first_look())
