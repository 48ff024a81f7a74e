"""How many charts without ALL are opened all the same (D-01: at most 0.5 %), and what opens them.

    python -m benchmarks.opened_charts [--patients 2000] /path/to/public/patients

Reads the Conditions of Bundles, single resources and NDJSON files below each folder, patient by patient, as
the first look at a chart does. A chart is *without ALL* where no code and no name of it states ALL.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.export import Plan, write_export
from fhir_mappings.assess import Knowledge, Subject, has_all_diagnosis, load_knowledge, open_chart
from fhir_mappings.clinical.facts import DiagnosisKind
from fhir_mappings.fhir.decoding import decode
from fhir_mappings.fhir.elements import Entry

GOAL = 0.005
_PATIENT = "opened"
Json = dict[str, Any]


@dataclass(slots=True)
class Opened:
    """Charts with ALL, charts without, how many of those were opened, and the labels that did it."""

    with_all: int = 0
    without: int = 0
    opened: int = 0
    labels: Counter[str] = field(default_factory=Counter)

    @property
    def share(self) -> float:
        """Charts without ALL that were opened, as a share of all without."""
        return self.opened / self.without if self.without else 0.0


def measure(charts: Mapping[str, Sequence[Json]], knowledge: Knowledge) -> Opened:
    """Looks at the Conditions of every patient."""
    found = Opened()
    for conditions in charts.values():
        facts = _first_look(conditions, knowledge)
        kinds = {one.kind for one in facts.diagnoses}
        if DiagnosisKind.ALL in kinds:
            found.with_all += 1
            continue
        found.without += 1
        if has_all_diagnosis(facts):
            found.opened += 1
            found.labels.update(one.label for one in facts.diagnoses if one.kind is not DiagnosisKind.ALL)
    return found


def charts_below(folder: Path) -> dict[str, list[Json]]:
    """The Conditions below a folder by patient; a patient without any has an empty chart."""
    charts: dict[str, list[Json]] = defaultdict(list)
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".json", ".ndjson") and path.is_file():
            for resource in _resources_of(path):
                _put(resource, str(path), charts)
    return charts


def _first_look(conditions: Sequence[Json], knowledge: Knowledge) -> Any:
    entries = []
    for number, condition in enumerate(conditions):
        own = condition | {"id": f"c{number}", "subject": {"reference": f"Patient/{_PATIENT}"}}
        entries.append(Entry(resource=decode(json.dumps(own).encode()).resource))
    return open_chart(entries, Subject(_PATIENT), knowledge).first_look()


def _resources_of(path: Path) -> Iterator[Json]:
    text = path.read_text("utf-8", errors="replace")
    lines = text.splitlines() if path.suffix == ".ndjson" else [text]
    for line in lines:
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict):
            yield from _flat(value)


def _flat(resource: Json) -> Iterator[Json]:
    if resource.get("resourceType") == "Bundle":
        for entry in resource.get("entry") or ():
            if isinstance(entry, dict) and isinstance(entry.get("resource"), dict):
                yield from _flat(entry["resource"])
    else:
        yield resource


def _put(resource: Json, place: str, charts: dict[str, list[Json]]) -> None:
    kind = resource.get("resourceType")
    if kind == "Patient":
        charts.setdefault(f"{resource.get('id')}", [])
    elif kind == "Condition":
        reference = str((resource.get("subject") or {}).get("reference") or place)
        charts[reference.rsplit("/", 1)[-1].removeprefix("urn:uuid:")].append(resource)


def report(title: str, found: Opened) -> str:
    """One line for one set, and the labels that opened charts."""
    verdict = "within" if found.share <= GOAL else "ABOVE"
    line = (
        f"{title}: {found.without:,} charts without ALL ({found.with_all:,} with), {found.opened:,} opened = "
        f"{found.share:.2%}, {verdict} the goal of {GOAL:.1%}"
    )
    return "\n".join([line, *(f"  {count} x {label}" for label, count in found.labels.most_common(8))])


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints one line a set. Returns 1 where a set is above the goal."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.opened_charts", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("folders", type=Path, nargs="*", help="folders of Bundles, resources or NDJSON")
    parser.add_argument(
        "--patients", type=int, default=2_000, help="patients of the generated export; 0: none"
    )
    chosen = parser.parse_args(arguments)
    knowledge, above = load_knowledge(), False
    sets = {str(folder): charts_below(folder) for folder in chosen.folders}
    if chosen.patients:
        with tempfile.TemporaryDirectory() as name:
            write_export(Plan(chosen.patients), Path(name))
            sets[f"generated export of {chosen.patients:,} patients"] = charts_below(Path(name))
    for title, charts in sets.items():
        found = measure(charts, knowledge)
        above = above or found.share > GOAL
        print(report(title, found))
    return int(above)


if __name__ == "__main__":
    raise SystemExit(main())
