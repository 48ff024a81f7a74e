"""The floor: what anybody would write in an afternoon. Plain Flask, ``orjson.loads`` and one rule."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Flask, Response, request

from benchmarks.charts import MARROW_BLASTS

_THRESHOLD = 50


def floor_app() -> Flask:
    """A hook service that finds the latest marrow blast percentage and compares it with one number."""
    app = Flask("floor", static_folder=None)

    @app.post("/cds-services/<service_id>")
    def call(service_id: str) -> Response:
        prefetch = orjson.loads(request.get_data())["prefetch"]
        cards = []
        value, day = _latest(prefetch)
        if value > _THRESHOLD:
            summary = f"Marrow blasts {value} % on {day}"
            cards.append({"summary": summary, "indicator": "warning", "source": {"label": service_id}})
        return Response(orjson.dumps({"cards": cards}), content_type="application/json")

    return app


def _latest(prefetch: dict[str, Any]) -> tuple[float, str]:
    system, code = MARROW_BLASTS
    value, day = 0.0, ""
    for bundle in prefetch.values():
        for entry in bundle.get("entry", ()):
            resource = entry["resource"]
            if resource["resourceType"] != "Observation" or resource["effectiveDateTime"] <= day:
                continue
            if any(one["code"] == code and one["system"] == system for one in resource["code"]["coding"]):
                value, day = resource["valueQuantity"]["value"], resource["effectiveDateTime"]
    return value, day
