"""A chart from disk: a FHIR Bundle, one resource, a folder of them, or the body of a hook request."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from cds_service.cli.faults import Unusable
from cds_service.cli.json_files import WANTED, read_json_file
from fhir_mappings.assess import Entry, Malformed, NoPatient, Unreadable, decode, named_patient


@dataclass(slots=True)
class Chart:
    """The entries of a chart, and those that could not be understood. ``request`` is a hook's body."""

    entries: list[Entry] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    request: bytes = b""


class _Kind(msgspec.Struct):
    hook: msgspec.Raw = msgspec.Raw()


_kind = msgspec.json.Decoder(_Kind)


def read_chart(path: Path) -> Chart:
    """The chart in a file or in every ``.json`` file of a folder. Raises Unusable."""
    chart = Chart()
    files = _files(path)
    for file in files:
        _add(chart, file, alone=files == [path])
    return chart


def _files(path: Path) -> list[Path]:
    """The file, or the ``.json`` files of the folder and those below it. Raises Unusable."""
    try:
        is_folder, is_file, is_there = path.is_dir(), path.is_file(), path.exists()
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror or 'cannot be read'}; {WANTED}") from None
    if is_folder:
        files = sorted(path.rglob("*.json"))
        if not files:
            raise Unusable(f"{path}: no .json file in this folder; name a folder of FHIR resources")
        return files
    if not is_file:
        what = "neither a file nor a folder" if is_there else "no such file or folder"
        raise Unusable(f"{path}: {what}; {WANTED}")
    return [path]


def patient_of(chart: Chart, file: Path) -> str:
    """The id of the one patient of the chart in a file. Raises Unusable where there is none, or several."""
    try:
        return named_patient(chart.entries).patient_id
    except NoPatient as fault:
        raise Unusable(f"{file}: {fault}; give the data of one patient") from None


def _add(chart: Chart, file: Path, *, alone: bool) -> None:
    data = read_json_file(file)
    try:
        kind = _kind.decode(data)
        if alone and bytes(kind.hook):
            chart.request = data
            return
        decoded = decode(data)
    except msgspec.ValidationError:
        raise Unusable(f"{file}: not a JSON object; {WANTED}") from None
    except (Malformed, msgspec.DecodeError, RecursionError):
        raise Unusable(f"{file}: not JSON as RFC 8259 defines it; {WANTED}") from None
    if decoded.resource.resource_type is None and not decoded.unreadable:
        raise Unusable(f"{file}: no resourceType; {WANTED}")
    chart.unreadable.extend(decoded.unreadable)
    if decoded.resource.resource_type == "Bundle":
        chart.entries.extend(decoded.resource.entry or ())
    elif decoded.resource.resource_type is not None:
        chart.entries.append(Entry(resource=decoded.resource))
