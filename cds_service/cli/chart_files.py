"""Charts from disk: a FHIR Bundle, one resource, a folder, NDJSON, any of them packed, or a hook's body."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from cds_service.cli.faults import Unusable
from cds_service.cli.json_files import WANTED, json_text, read_file
from fhir_mappings.assess import Entry, Malformed, NoPatient, Unreadable, decode, named_patient

_KINDS = (".json", ".ndjson", ".jsonl")
MOST_BYTES = 1 << 30
"""What a packed file may unpack to: more is cut off with a sentence, not with the memory."""


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
    """The chart in a file or in every file of FHIR in a folder. Raises Unusable."""
    chart = Chart()
    files = _files(path)
    for file in files:
        for number, data in _documents(file):
            _add(chart, f"{file}, line {number}" if number else str(file), data, alone=files == [path])
    return chart


def patient_of(chart: Chart, file: Path) -> str:
    """The id of the one patient of the chart in a file. Raises Unusable where there is none, or several."""
    try:
        return named_patient(chart.entries).patient_id
    except NoPatient as fault:
        raise Unusable(f"{file}: {fault}; give the data of one patient") from None


def read_charts(path: Path) -> list[Chart]:
    """The charts in a file: of NDJSON, an export, one for each patient; of anything else the one chart it is.

    What names no patient (drugs, places) belongs to all of an export. Raises Unusable.
    """
    chart = read_chart(path)
    return _by_patient(chart) if _kind_of(path) in (".ndjson", ".jsonl") else [chart]


def _by_patient(chart: Chart) -> list[Chart]:
    shared, owned = [], dict[str, list[Entry]]()
    for entry in chart.entries:
        try:
            owned.setdefault(named_patient([entry]).patient_id, []).append(entry)
        except NoPatient:
            shared.append(entry)
    if len(owned) < 2:
        return [chart]
    return [Chart([*entries, *shared], list(chart.unreadable)) for _id, entries in sorted(owned.items())]


def _files(path: Path) -> list[Path]:
    """The file, or the files of FHIR of the folder and those below it. Raises Unusable."""
    try:
        is_folder, is_file, is_there = path.is_dir(), path.is_file(), path.exists()
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror or 'cannot be read'}; {WANTED}") from None
    if is_folder:
        files = sorted(found for found in path.rglob("*") if _kind_of(found) and found.is_file())
        if not files:
            raise Unusable(
                f"{path}: no .json or .ndjson file in this folder; name a folder of FHIR resources"
            )
        return files
    if not is_file:
        what = "neither a file nor a folder" if is_there else "no such file or folder"
        raise Unusable(f"{path}: {what}; {WANTED}")
    return [path]


def _kind_of(path: Path) -> str:
    """``.json`` or ``.ndjson``, also of a packed file; empty for any other."""
    suffix = Path(path.stem).suffix if path.suffix == ".gz" else path.suffix
    return suffix.lower() if suffix.lower() in _KINDS else ""


def _documents(file: Path) -> Iterator[tuple[int, bytes]]:
    """The JSON texts of a file: the whole of it, or each line with its number. Raises Unusable."""
    data = read_file(file)
    if data[:2] == b"\x1f\x8b":
        data = _unpacked(file, data)
    if _kind_of(file) not in (".ndjson", ".jsonl"):
        yield 0, json_text(data, str(file))
        return
    for number, line in enumerate(data.splitlines(), start=1):
        if line.strip():
            yield number, json_text(line, f"{file}, line {number}")


def _unpacked(file: Path, data: bytes) -> bytes:
    """The content of a gzip file, of several members too, within ``MOST_BYTES``."""
    parts: list[bytes] = []
    room = MOST_BYTES
    try:
        while data:
            unpacker = zlib.decompressobj(wbits=31)
            parts.append(unpacker.decompress(data, room))
            room -= len(parts[-1])
            if unpacker.unconsumed_tail or room <= 0:
                raise Unusable(f"{file}: unpacks to more than {MOST_BYTES >> 20} MB; split it")
            if not unpacker.eof:
                raise zlib.error
            data = unpacker.unused_data
    except zlib.error:
        raise Unusable(f"{file}: broken or cut gzip; pack it again") from None
    return b"".join(parts)


def _add(chart: Chart, place: str, data: bytes, *, alone: bool) -> None:
    try:
        kind = _kind.decode(data)
        if alone and bytes(kind.hook):
            chart.request = data
            return
        decoded = decode(data)
    except msgspec.ValidationError:
        raise Unusable(f"{place}: not a JSON object; {WANTED}") from None
    except (Malformed, msgspec.DecodeError, RecursionError):
        raise Unusable(f"{place}: not JSON as RFC 8259 defines it; {WANTED}") from None
    if decoded.resource.resource_type is None and not decoded.unreadable:
        raise Unusable(f"{place}: no resourceType; {WANTED}")
    chart.unreadable.extend(decoded.unreadable)
    if decoded.resource.resource_type == "Bundle":
        chart.entries.extend(decoded.resource.entry or ())
    elif decoded.resource.resource_type is not None:
        chart.entries.append(Entry(resource=decoded.resource))
