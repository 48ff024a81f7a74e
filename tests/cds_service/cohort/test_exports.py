"""Lines of files: every line once whatever the cut, and whatever is wrong with a file is told."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.cohort import exports
from cds_service.cohort.exports import Shard, UnusableExport, check_version, chunks, shards_of
from cds_service.cohort.plan import LineFault

LINES = [
    json.dumps({"resourceType": "Observation", "id": str(number), "x": "y" * number}) for number in range(40)
]


def read(shards: list[Shard]) -> tuple[list[bytes], list[tuple[int, str]]]:
    lines: list[bytes] = []
    faults: list[tuple[int, str]] = []
    for shard in shards:
        for chunk in chunks(shard):
            lines += [line for line in chunk.lines if line.strip()]
            faults += chunk.faults
    return lines, faults


@given(
    cut=st.integers(1, 3_000),
    block=st.integers(1, 500),
    ends=st.sampled_from(["\n", "\r\n", "\n\n"]),
    last=st.booleans(),
)
@settings(max_examples=200, deadline=None)
def test_every_line_belongs_to_one_shard(
    tmp_path_factory: pytest.TempPathFactory, cut: int, block: int, ends: str, last: bool
) -> None:
    file = tmp_path_factory.getbasetemp() / "Observation.ndjson"
    file.write_bytes((ends.join(LINES) + (ends if last else "")).encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exports, "BLOCK_BYTES", block)
        lines, faults = read(shards_of(file, cut))
    assert [line.strip().decode() for line in lines] == LINES
    assert faults == []


def test_places_are_those_of_the_lines(tmp_path: Path) -> None:
    file = tmp_path / "Observation.ndjson"
    file.write_text("\n".join(LINES) + "\n")
    data = file.read_bytes()
    for shard in shards_of(file, 300):
        for chunk in chunks(shard):
            for number, line in enumerate(chunk.lines):
                place = chunk.place(LineFault(number, "x"))
                assert data[place : place + len(line)] == line


@pytest.mark.parametrize("packed", [False, True])
def test_a_line_that_is_too_long_is_named_and_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packed: bool
) -> None:
    monkeypatch.setattr(exports, "BLOCK_BYTES", 100)
    monkeypatch.setattr(exports, "LONGEST_LINE", 1_000)
    data = f'{LINES[0]}\n{{"x":"{"y" * 5_000}"}}\n{LINES[1]}\n'.encode()
    file = tmp_path / ("Observation.ndjson.gz" if packed else "Observation.ndjson")
    file.write_bytes(gzip.compress(data) if packed else data)
    for cut in (1_000_000,) if packed else (700, 1_000_000):
        lines, faults = read(shards_of(file, cut))
        assert [line.decode() for line in lines] == LINES[:2]
        assert faults == [(len(LINES[0]) + 1, "too-long")]


def test_a_packed_file_that_breaks_off_gives_up_what_came_before(tmp_path: Path) -> None:
    whole = "".join(
        json.dumps({"resourceType": "Observation", "id": str(n), "x": hash(str(n))}) + "\n"
        for n in range(9_000)
    )
    file = tmp_path / "Observation.ndjson.gz"
    packed = gzip.compress(whole.encode())
    file.write_bytes(packed[: len(packed) // 2])
    lines, faults = read(shards_of(file))
    assert [why for _offset, why in faults] == ["truncated"]
    assert len(lines) > 3_000
    assert [line.decode() for line in lines[:-1]] == whole.splitlines()[: len(lines) - 1]


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("Condition.ndjson", "{}".encode("utf-16"), "not-utf-8"),
        ("Condition.ndjson.gz", b"no gzip", "not-gzip"),
        ("chart.json", b"<Bundle/>", "not-json"),
        ("chart.json", b"", "not-json"),
    ],
)
def test_a_file_of_another_kind_is_one_fault(tmp_path: Path, name: str, data: bytes, why: str) -> None:
    (tmp_path / name).write_bytes(data)
    lines, faults = read(shards_of(tmp_path))
    assert lines == []
    assert [found for _offset, found in faults] == [why]


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "Patient.ndjson").write_bytes(b"\xef\xbb\xbf" + b'{"resourceType":"Patient"}\n')
    lines, faults = read(shards_of(tmp_path))
    assert [line.strip() for line in lines] == [b'{"resourceType":"Patient"}']
    assert faults == []


def test_json_files_of_every_shape_are_read(tmp_path: Path) -> None:
    patient = {"resourceType": "Patient", "id": "1"}
    bundle = {"resourceType": "Bundle", "entry": [{"resource": patient}, {"resource": patient}]}
    (tmp_path / "a.json").write_text(json.dumps(bundle))
    (tmp_path / "b.json").write_text(json.dumps(bundle, indent=2))
    (tmp_path / "c.json").write_text(json.dumps(patient, indent=2))
    (tmp_path / "d.json").write_text(json.dumps(patient) + "\n" + json.dumps(patient) + "\n")
    lines, faults = read(shards_of(tmp_path))
    assert [json.loads(line) for line in lines] == [patient] * 7
    assert faults == []


@pytest.mark.parametrize(
    ("name", "lines", "holds"),
    [
        ("Condition.000.ndjson", [], True),
        ("part-17.ndjson", ['{"resourceType":"Condition"}'], True),
        ("part-17.ndjson", ['{"resourceType":"Patient"}', '{"resourceType":"Observation"}', "{}"], True),
        ("part-17.ndjson", ['{"resourceType":"Observation"}', '{"resourceType":"Observation"}'], False),
        ("part-17.ndjson", ["?"], True),
    ],
)
def test_the_first_step_reads_what_may_hold_conditions(
    tmp_path: Path, name: str, lines: list[str], holds: bool
) -> None:
    (tmp_path / name).write_text("\n".join([*lines, ""]))
    (shard,) = shards_of(tmp_path)
    assert shard.may_hold_conditions is holds


def test_nothing_to_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    (tmp_path / "notes.txt").write_text("")
    for place in (tmp_path, tmp_path / "missing"):
        with pytest.raises(UnusableExport, match="no export is here"):
            shards_of(place)


def test_another_version_of_fhir_is_told(tmp_path: Path) -> None:
    (tmp_path / "Condition.ndjson").write_text(
        '{"resourceType":"Condition","clinicalStatus":"active","subject":{}}\n'
    )
    with pytest.raises(UnusableExport, match="STU3"):
        check_version(shards_of(tmp_path))
