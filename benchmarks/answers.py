"""Whether two versions give the same answers: ``python -m benchmarks.answers write FILE``, then ``compare``.

``write`` answers every clinical case, every demonstration patient and a hook request of each of them, as the
command line does, and draws their timelines; ``compare`` answers again and prints what differs. Digests,
UUIDs and evidence keys are left out: they change with the content. A change that moves code must leave
nothing to print. ``charts FOLDER`` writes the charts themselves, so that an older version can be asked
(``--charts FOLDER``) whose cases were written in other words.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time
from itertools import zip_longest
from pathlib import Path
from typing import Any
from urllib.parse import quote

ROOT = Path(__file__).resolve().parent.parent
TODAY = date(2026, 6, 15)
"""The day of the demonstration patients."""

CHOICES: tuple[tuple[str, ...], ...] = (
    (),
    ("--criteria-set", "protocol-m3"),
    ("--repopulation", "above-five"),
    ("--repopulation", "two-above-25"),
)
"""What a site may choose; every case is answered under each."""

_CHANGING = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b(?=[0-9]*[a-f])[0-9a-f]{8,}\b")
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Chart:
    """A FHIR Bundle or the body of a hook request, and the moment it is asked about."""

    name: str
    at: str
    content: Any


def charts_of_this_version() -> Iterator[Chart]:
    """Every clinical case, every demonstration patient, and a hook request for each of those."""
    from tests.clinical.case_files import read_cases

    for case in read_cases(ROOT / "tests" / "clinical" / "relapsed_all"):
        yield Chart(f"case-{case.id}", case.at.isoformat(), _bundle(case.resources))
    yield from _demonstration()


def _demonstration() -> Iterator[Chart]:
    from cds_service.demo.application import DemoPlace, demo_application
    from cds_service.demo.demo_patients import load_patients

    place = DemoPlace("127.0.0.1", 8080, TODAY)
    client = demo_application(place).test_client()
    templates = client.get("/cds-services").get_json()["services"][0]["prefetch"]
    at = datetime.combine(TODAY, time(9), tzinfo=UTC).isoformat()
    for patient in load_patients(TODAY):
        yield Chart(f"demo-{patient.id}", at, _bundle(patient.resources))
        token = {"Authorization": f"Bearer {place.tokens.issue(patient.id)}"}
        prefetch = {}
        for key, template in templates.items():
            query = template.replace("{{context.patientId}}", quote(patient.id))
            answer = client.get(f"/demo/fhir/{query}", headers=token)
            if answer.status_code == 200:
                prefetch[key] = answer.json
        context = {"userId": "Practitioner/1", "patientId": patient.id}
        hook = {"hook": "patient-view", "hookInstance": "0" * 8 + "-0000-4000-8000-" + "0" * 12}
        yield Chart(f"hook-{patient.id}", at, {**hook, "context": context, "prefetch": prefetch})


def _bundle(resources: Any) -> Mapping[str, Any]:
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": one} for one in resources],
    }


def write_charts(folder: Path) -> int:
    """One file a chart, ``NAME.json``, and the moments in ``moments.json``; returns how many."""
    folder.mkdir(parents=True, exist_ok=True)
    moments = {}
    for chart in charts_of_this_version():
        moments[chart.name] = chart.at
        (folder / f"{chart.name}.json").write_text(json.dumps(chart.content), encoding="utf-8")
    (folder / "moments.json").write_text(json.dumps(moments, indent=1), encoding="utf-8")
    return len(moments)


def answers(folder: Path, *, timelines: bool = True) -> Iterator[tuple[str, Any]]:
    """Name and answer for every chart of a folder under every choice."""
    moments = json.loads((folder / "moments.json").read_text(encoding="utf-8"))
    for name, at in sorted(moments.items()):
        file = folder / f"{name}.json"
        for choice in CHOICES:
            yield " ".join((name, *choice)), without_identifiers(_assessed(file, at, choice))
        if timelines and not name.startswith("hook-"):
            yield f"{name} timeline", without_identifiers(_timeline(file, at))


def _assessed(file: Path, at: str, choice: tuple[str, ...]) -> Any:
    """What ``relapse-cds assess --json`` prints, or its exit code and complaint."""
    from cds_service.cli import main

    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main(["assess", str(file), "--at", at, "--json", *choice])
    text = out.getvalue()
    return {"code": code, "said": err.getvalue().replace(str(file), ""), "answer": json.loads(text or "{}")}


def _timeline(file: Path, at: str) -> Any:
    """Picture and tables of the timeline page."""
    from cds_service.cli.chart_files import read_chart
    from cds_service.evaluation.evaluator import Evaluation
    from cds_service.timeline.chart_data import picture_of
    from cds_service.timeline.page_rows import page_of
    from fhir_mappings.assess import assess, load_knowledge, named_patient, read_facts, timeline_of

    entries, moment, knowledge = read_chart(file).entries, datetime.fromisoformat(at), load_knowledge()
    facts = read_facts(entries, named_patient(entries), knowledge)
    timeline = timeline_of(facts, moment, knowledge)
    evaluation = Evaluation(assess(entries, moment, knowledge), facts, {}, {})
    return {
        "picture": picture_of(timeline, knowledge),
        "page": json.loads(json.dumps(asdict(page_of(evaluation, timeline, knowledge)), default=str)),
    }


def without_identifiers(value: Any) -> Any:
    """The value with every UUID, digest and key made of hexadecimal digits replaced by ``#``."""
    if isinstance(value, dict):
        return {key: without_identifiers(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_identifiers(item) for item in value]
    return _CHANGING.sub("#", value) if isinstance(value, str) else value


def write(file: Path, found: Iterator[tuple[str, Any]]) -> int:
    """One answer a line, compressed; returns how many."""
    count = 0
    with gzip.open(file, "wt", encoding="utf-8") as lines:
        for pair in found:
            lines.write(json.dumps(pair, ensure_ascii=False) + "\n")
            count += 1
    return count


def differences(file: Path, found: Iterator[tuple[str, Any]]) -> Iterator[str]:
    """What the answers of ``file`` and those found now do not share, one line a place."""
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        earlier = dict(map(json.loads, lines))
    for name, now in found:
        if name not in earlier:
            yield f"{name}: is new"
        else:
            for place, before, after in places(earlier.pop(name), now):
                yield f"{name}: {place}: {_short(before)} -> {_short(after)}"
    yield from (f"{name}: is gone" for name in earlier)


_NOTHING = object()


def places(before: Any, after: Any, place: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Place, earlier and present value of every leaf that differs."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys((*before, *after)):
            yield from places(before.get(key, _NOTHING), after.get(key, _NOTHING), f"{place}/{key}")
    elif isinstance(before, list) and isinstance(after, list):
        for index, (one, other) in enumerate(zip_longest(before, after, fillvalue=_NOTHING)):
            yield from places(one, other, f"{place}/{index}")
    elif before != after:
        yield place, before, after


def _short(value: Any) -> str:
    text = "nothing" if value is _NOTHING else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 1000 else f"{text[:1000]}..."


def main(arguments: list[str] | None = None) -> int:
    """Returns 1 where ``compare`` found a difference."""
    chosen = _parser().parse_args(arguments)
    if chosen.action == "charts":
        print(f"{write_charts(chosen.file)} charts")
        return 0
    with tempfile.TemporaryDirectory() as made:
        folder = chosen.charts or Path(made)
        if chosen.charts is None:
            write_charts(folder)
        found = answers(folder, timelines=not chosen.no_timelines)
        if chosen.action == "write":
            print(f"{write(chosen.file, found)} answers")
            return 0
        return _report(list(differences(chosen.file, found)))


def _report(lines: list[str]) -> int:
    for line in lines[:_SHOWN]:
        print(line)
    print(f"{len(lines)} differences")
    return 1 if lines else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.answers",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("action", choices=("write", "compare", "charts"))
    parser.add_argument("file", type=Path, help="the answers (gzip), or the folder of the charts")
    parser.add_argument("--charts", type=Path, help="a folder that the action 'charts' wrote")
    parser.add_argument("--no-timelines", action="store_true", help="for a version that draws them elsewhere")
    return parser


if __name__ == "__main__":
    sys.exit(main())
