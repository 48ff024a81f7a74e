"""A chart from disk: a FHIR Bundle, one resource, a folder of them, or the body of a hook request."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from cds_service.cli.faults import Unusable
from fhir_mappings.assess import NoPatient, named_patient
from fhir_mappings.fhir.decoding import Malformed, Unreadable, decode
from fhir_mappings.fhir.elements import Entry


@dataclass(slots=True)
class Chart:
    """The entries of a chart, and those that could not be understood. ``request`` is a hook's body."""

    entries: list[Entry] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    request: bytes = b""


class _Kind(msgspec.Struct):
    hook: msgspec.Raw = msgspec.Raw()
    context: msgspec.Raw = msgspec.Raw()


_kind = msgspec.json.Decoder(_Kind)


def read_chart(path: Path) -> Chart:
    """The chart in a file or in every ``.json`` file of a folder. Raises Unusable."""
    if path.is_dir():
        files = sorted(path.rglob("*.json"))
        if not files:
            raise Unusable(f"{path}: no .json file in this folder; name a folder of FHIR resources")
    elif path.is_file():
        files = [path]
    else:
        raise Unusable(f"{path}: no such file or folder")
    chart = Chart()
    for file in files:
        _add(chart, file, alone=path.is_file())
    return chart


def patient_of(chart: Chart) -> str:
    """The id of the one patient of a chart. Raises Unusable where there is none, or more than one."""
    try:
        return named_patient(chart.entries).patient_id
    except NoPatient as fault:
        raise Unusable(f"{fault}; give the data of one patient") from None


def _add(chart: Chart, file: Path, *, alone: bool) -> None:
    try:
        data = file.read_bytes()
    except OSError as error:
        raise Unusable(f"{file}: {error.strerror or 'cannot be read'}") from None
    try:
        kind = _kind.decode(data)
        if alone and bytes(kind.hook) and bytes(kind.context):
            chart.request = data
            return
        decoded = decode(data)
    except (Malformed, msgspec.ValidationError):
        raise Unusable(
            f"{file}: not a JSON object; give a FHIR resource, a Bundle or a hook request"
        ) from None
    except (msgspec.DecodeError, RecursionError) as error:
        where = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise Unusable(f"{file}: {where}") from None
    if decoded.resource.resource_type is None and not decoded.unreadable:
        raise Unusable(f"{file}: no resourceType; give a FHIR resource, a Bundle or a hook request")
    chart.unreadable.extend(decoded.unreadable)
    if decoded.resource.resource_type == "Bundle":
        chart.entries.extend(decoded.resource.entry or ())
    elif decoded.resource.resource_type is not None:
        chart.entries.append(Entry(resource=decoded.resource))
