"""Reads an export into a table of Spark and assesses the table: ``... spark_table_run EXPORT AT OUT``."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path

from cds_service.cohort.exports import chunks, shards_of
from cds_service.cohort.rules import RulesSource
from cds_service.cohort.spark import session
from cds_service.cohort.spark_table import assess_table

if __name__ == "__main__":
    export, at, out = sys.argv[1:]
    lines = [line for shard in shards_of(Path(export)) for chunk in chunks(shard) for line in chunk.lines]
    # A table holds texts, so that what is not UTF-8 never came into it as it was.
    texts = [(line.decode(errors="replace"),) for line in lines]
    table = session().createDataFrame(texts, "json string").repartition(4)
    found = assess_table(table, "json", RulesSource(), datetime.fromisoformat(at)).collect()
    Path(out).write_text(json.dumps({row["patient"]: row["status"] for row in found}))
