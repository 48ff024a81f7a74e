"""Blasts beside a problem list that names no leukaemia, over the service (D-02)."""

from __future__ import annotations

from flask.testing import FlaskClient

from tests.cds_service.api.test_hook_calls import post
from tests.cds_service.charts import asthma, bundle, marrow, request


def test_blasts_without_a_leukaemia_are_one_card_of_information(client: FlaskClient) -> None:
    quiet = {"conditions": bundle(asthma())}
    assert post(client, request(prefetch=quiet)).json["cards"] == []
    (card,) = post(client, request(prefetch=quiet | {"marrow": bundle(marrow(78.0))})).json["cards"]
    assert card["indicator"] == "info"
    assert card["source"]["topic"]["code"] == "allData"
    assert "78" in card["summary"]
    assert post(client, request(prefetch=quiet | {"marrow": bundle(marrow(20.0))})).json["cards"] == []
