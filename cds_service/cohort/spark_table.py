"""The same three steps over a table of resources in Spark, one JSON text a row: Delta, Parquet, a view.

    rows = assess_table(spark.table("fhir.resources"), "json", RulesSource(), at)

Only DataFrame forms of Spark 4.0 are used, so that it runs on Spark Connect too. ``rows`` has one row for
each opened chart: ``patient``, ``status`` and the whole row as JSON (columns of ``rows.ndjson`` and more).
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec

from cds_service.cohort.plan import candidates, joined, kept, row
from cds_service.cohort.rules import RulesSource

_LINES = "patient string, line string"
_ROWS = "patient string, status string, row string"


def assess_table(table: Any, column: str, source: RulesSource, at: datetime) -> Any:
    """The rows of a table of resources, as a DataFrame.

    ``table`` may hold every type and any order. Read three times, so cache it where it is a view.
    """
    pandas: Any = importlib.import_module("pandas")
    texts = table.select(table[column].alias("line"))

    def opened(frames: Iterator[Any]) -> Iterator[Any]:
        for frame in frames:
            found = candidates([text.encode() for text in frame["line"]], source.load())
            yield pandas.DataFrame({"patient": sorted(found)})

    ids = frozenset(
        one["patient"] for one in texts.mapInPandas(opened, "patient string").distinct().collect()
    )

    def collected(frames: Iterator[Any]) -> Iterator[Any]:
        for frame in frames:
            found = kept([text.encode() for text in frame["line"]], ids, source.load())
            lines = [(patient, line.decode()) for patient, own in found.lines.items() for line in own]
            lines += [(f"join {key}", patient) for key, users in found.joins.items() for patient in users]
            lines += [("type", kind) for kind in found.types]
            yield pandas.DataFrame(lines, columns=["patient", "line"])

    every = texts.mapInPandas(collected, _LINES).cache()
    types = {one["line"] for one in every.where("patient = 'type'").distinct().collect()}
    wanted: dict[str, list[str]] = {}
    for one in every.where("patient like 'join %'").distinct().collect():
        wanted.setdefault(one["patient"].partition(" ")[2], []).append(one["line"])

    def named(frames: Iterator[Any]) -> Iterator[Any]:
        for frame in frames:
            found = joined([text.encode() for text in frame["line"]], wanted)
            lines = [(patient, line.decode()) for key, line in found for patient in wanted[key]]
            yield pandas.DataFrame(lines, columns=["patient", "line"])

    def assessed(key: tuple[str], frame: Any) -> Any:
        lines = sorted({text.strip().encode() for text in frame["line"]})
        found = row(key[0], lines, at, source.load().with_types(types))
        told = [] if found is None else [(key[0], found.status, msgspec.json.encode(found).decode())]
        return pandas.DataFrame(told, columns=["patient", "status", "row"])

    # An id of FHIR holds no space, so that these two are nobody's.
    charts = every.where("patient <> 'type' and patient not like 'join %'")
    return charts.union(texts.mapInPandas(named, _LINES)).groupBy("patient").applyInPandas(assessed, _ROWS)
