"""What the command line does for a site: many charts in one start, its own codes, and signing as its EHR."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from cds_service.cli import main
from cds_service.cli.chart_files import read_chart, read_charts
from cds_service.cli.faults import Unusable
from tests.cds_service.charts import asthma, bundle, condition, leukaemia, patient

AT = "2024-06-04T12:00:00Z"
Capture = pytest.CaptureFixture[str]

LOCAL = "http://general.example.org/labs"
CONFIG = f"""
public_url = "https://cds.example.org"
auth = "off"
environment = "development"
store = "sqlite://"

[[tenants]]
id = "general"
[tenants.codes]
marrow-lymphoblasts = ["{LOCAL}|BM-LYMPH"]
"""


def marrow(owner: str = "p1") -> dict[str, Any]:
    """A marrow under a code that only the hospital knows."""
    return {
        "resourceType": "Observation",
        "id": "m",
        "status": "final",
        "subject": {"reference": f"Patient/{owner}"},
        "effectiveDateTime": "2024-06-03",
        "code": {"coding": [{"system": LOCAL, "code": "BM-LYMPH"}], "text": "Lymphoblasts"},
        "valueQuantity": {"value": 78, "unit": "%", "system": "http://unitsofmeasure.org", "code": "%"},
    }


def lines(*resources: dict[str, Any]) -> bytes:
    return b"\n".join(json.dumps(one).encode() for one in resources) + b"\n"


def second() -> list[dict[str, Any]]:
    return [patient("p2"), {**condition("195967001", "Asthma", owner="p2"), "id": "c9"}]


def test_several_files_are_assessed_in_one_start(tmp_path: Path, capsys: Capture) -> None:
    one, other = tmp_path / "one.json", tmp_path / "other.json.gz"
    one.write_text(json.dumps(bundle(patient(), leukaemia())))
    other.write_bytes(gzip.compress(json.dumps(bundle(patient(), asthma())).encode()))
    assert main(["assess", str(one), str(other), "--at", AT, "--json"]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [item["file"] for item in found] == [str(one), str(other)]
    assert found[0]["lineage"] == "B"


def test_an_export_of_several_patients_is_one_chart_each(tmp_path: Path, capsys: Capture) -> None:
    export = tmp_path / "all.ndjson"
    export.write_bytes(lines(patient(), leukaemia(), *second()))
    assert main(["assess", str(export), "--at", AT, "--json"]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [item["patient"] for item in found] == ["p1", "p2"]


def test_packed_lines_of_several_members_are_read_whole(tmp_path: Path) -> None:
    export = tmp_path / "all.ndjson.gz"
    export.write_bytes(gzip.compress(lines(patient())) + gzip.compress(lines(leukaemia())))
    assert len(read_chart(export).entries) == 2


def test_what_names_no_patient_belongs_to_all_of_them(tmp_path: Path) -> None:
    export = tmp_path / "all.ndjson"
    drug = {"resourceType": "Medication", "id": "d", "code": {"text": "vincristine"}}
    export.write_bytes(lines(patient(), *second(), drug))
    charts = read_charts(export)
    assert [len(chart.entries) for chart in charts] == [2, 3]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("cut.json.gz", gzip.compress(bytes(range(256)))[:40], "broken or cut gzip"),
        ("no.json.gz", b"\x1f\x8bnothing of the kind", "broken or cut gzip"),
        (
            "bad.ndjson",
            b'{"resourceType": "Patient", "id": "p"}\n{"id": \n',
            "line 2: the JSON ends too early",
        ),
        ("twice.ndjson", b'{"resourceType": "Patient", "id": "p", "id": "q"}\n', "stands twice"),
    ],
    ids=["cut", "no-gzip", "bad-line", "twice"],
)
def test_a_broken_file_is_one_line_with_its_place(
    tmp_path: Path, capsys: Capture, name: str, content: bytes, says: str
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    assert main(["assess", str(file), "--at", AT]) == 2
    told = capsys.readouterr().err
    assert says in told
    assert len(told.splitlines()) == 1


def test_a_packed_file_that_never_ends_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cds_service.cli.chart_files.MOST_BYTES", 1000)
    file = tmp_path / "bomb.json.gz"
    file.write_bytes(gzip.compress(b" " * 100_000))
    with pytest.raises(Unusable, match="unpacks to more than"):
        read_chart(file)


@pytest.mark.parametrize("by", ["option", "variable"])
def test_a_site_has_its_own_codes(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    config, chart = tmp_path / "site.toml", tmp_path / "chart.json"
    config.write_text(CONFIG)
    remission = {**condition("91857003", "ALL in remission", onset="2021-02-01"), "id": "r"}
    remission["clinicalStatus"]["coding"][0]["code"] = "remission"
    chart.write_text(json.dumps(bundle(patient(), leukaemia(), remission, marrow())))
    if by == "variable":
        monkeypatch.setenv("RELAPSE_CDS_CONFIG", str(config))
    options = ["--config", str(config)] if by == "option" else []
    assert main(["assess", str(chart), "--at", AT, "--json", *options]) == 0
    criteria = json.loads(capsys.readouterr().out)["criteria"]
    verdicts = {one["id"]: one["verdict"] for one in criteria if one["set"] == "seed-000"}
    assert verdicts["A"] == "met"


def test_a_tenant_that_is_not_there_is_named(tmp_path: Path, capsys: Capture) -> None:
    config, chart = tmp_path / "site.toml", tmp_path / "chart.json"
    config.write_text(CONFIG)
    chart.write_text(json.dumps(bundle(patient(), asthma())))
    options = ["--config", str(config), "--tenant", "nobody"]
    assert main(["assess", str(chart), "--at", AT, *options]) == 2
    assert "no tenant has the id nobody; there are: general" in capsys.readouterr().err


@pytest.mark.parametrize("algorithm", ["ES384", "RS384"])
def test_a_key_of_ours_signs_what_the_service_accepts(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch, algorithm: str
) -> None:
    key, public = tmp_path / "key.json", tmp_path / "ehr.jwks.json"
    assert main(["keys", "make", str(key), "--iss", "https://ehr.example.org", "--algorithm", algorithm]) == 0
    public.write_text(capsys.readouterr().out)
    assert key.stat().st_mode & 0o777 == 0o600
    assert '"d"' not in public.read_text()
    config = tmp_path / "site.toml"
    config.write_text(
        'public_url = "https://cds.example.org"\nstore = "sqlite://"\n[[tenants]]\nid = "general"\n'
        f'iss = "https://ehr.example.org"\njwks_file = "{public.name}"\n'
    )
    monkeypatch.setenv("RELAPSE_CDS_CONFIG", str(config))
    endpoint = "https://cds.example.org/cds-services/all-relapse"
    assert main(["keys", "sign", str(key), "--audience", endpoint]) == 0
    token = capsys.readouterr().out.strip()
    monkeypatch.setattr("sys.stdin", _Input(token))
    assert main(["keys", "verify"]) == 0
    assert "Accepted: tenant general" in capsys.readouterr().out


def test_a_wrong_audience_is_told_with_every_endpoint(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, public = tmp_path / "key.json", tmp_path / "ehr.jwks.json"
    main(["keys", "make", str(key), "--iss", "https://ehr.example.org"])
    public.write_text(capsys.readouterr().out)
    config = tmp_path / "site.toml"
    config.write_text(
        'public_url = "https://cds.example.org"\nstore = "sqlite://"\n[[tenants]]\nid = "general"\n'
        f'iss = "https://ehr.example.org"\njwks_file = "{public.name}"\n'
    )
    monkeypatch.setenv("RELAPSE_CDS_CONFIG", str(config))
    main(["keys", "sign", str(key), "--audience", "https://elsewhere.example.org/cds-services"])
    monkeypatch.setattr("sys.stdin", _Input(capsys.readouterr().out))
    assert main(["keys", "verify"]) == 1
    told = capsys.readouterr().out
    for rest in ("", "/all-relapse", "/all-relapse/feedback"):
        assert f"  https://cds.example.org/cds-services{rest}\n" in told


@pytest.mark.parametrize("content", ["", "{}", '{"kid": "a", "alg": "ES384"}', '{"kid": "a", "alg": "none"}'])
def test_what_is_no_signing_key_is_one_line(tmp_path: Path, capsys: Capture, content: str) -> None:
    file = tmp_path / "key.json"
    file.write_text(content)
    assert main(["keys", "sign", str(file), "--audience", "https://x.example.org", "--iss", "i"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_key_is_never_written_over(tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "key.json"
    file.write_text("precious")
    assert main(["keys", "make", str(file), "--iss", "i"]) == 2
    assert file.read_text() == "precious"
    assert "exists already" in capsys.readouterr().err


class _Input:
    """Standard input with a token on it."""

    def __init__(self, text: str) -> None:
        self._text = text

    def read(self, most: int) -> str:
        """The text."""
        return self._text[:most]
