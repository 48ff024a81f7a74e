"""A chart is closed by hand; inside another page nothing of it is shown."""

from __future__ import annotations

import pytest

from tests.cds_service.timeline.conftest import DATA, Visitor, cookies, refused


def test_a_closed_chart_cannot_be_opened_again(visitor: Visitor, caplog: pytest.LogCaptureFixture) -> None:
    visitor.ehr.behaviour.token_padding = 4000
    place = visitor.client.get(visitor.sign_in(visitor.launch())).headers["Location"]
    assert len([one for one in cookies(visitor) if one.path == place]) > 1
    text = visitor.client.get(place).get_data(as_text=True)
    assert f'action="{place}/close" method="post"' in text
    closed = visitor.client.post(f"{place}/close")
    assert closed.status_code == 200
    assert "This chart is closed" in closed.get_data(as_text=True)
    assert [one for one in cookies(visitor) if one.path == place] == []
    refused(visitor.client.get(place), 401, "This session is over")
    assert '"event": "timeline-closed"' in caplog.text


def test_closing_one_chart_leaves_the_other(visitor: Visitor) -> None:
    first = visitor.client.get(visitor.sign_in(visitor.launch("early-marrow"))).headers["Location"]
    second = visitor.client.get(visitor.sign_in(visitor.launch("isolated-cns"))).headers["Location"]
    visitor.client.post(f"{first}/close")
    refused(visitor.client.get(first), 401, "This session is over")
    assert visitor.client.get(second).status_code == 200


def test_a_chart_is_not_closed_by_a_link(visitor: Visitor) -> None:
    place = visitor.client.get(visitor.sign_in(visitor.launch())).headers["Location"]
    assert visitor.client.get(f"{place}/close").status_code == 405
    assert visitor.client.get(place).status_code == 200


@pytest.mark.parametrize("frame", ["iframe", "frame", "embed", "object"])
def test_a_launch_in_a_frame_is_told_to_open_a_window(
    visitor: Visitor, caplog: pytest.LogCaptureFixture, frame: str
) -> None:
    query = {"iss": visitor.ehr.iss, "launch": 'x"><b>CANARY'}
    headers = {"Sec-Fetch-Dest": frame}
    answer = visitor.client.get("/timeline/launch", query_string=query, headers=headers)
    refused(answer, 403, "opens in a window of its own")
    text = answer.get_data(as_text=True)
    assert 'href="/timeline/launch?iss=http' in text
    assert "<b>CANARY" not in text
    assert "frame-ancestors" not in answer.headers["Content-Security-Policy"]
    assert "X-Frame-Options" not in answer.headers
    assert answer.headers.getlist("Set-Cookie") == []
    assert '"reason": "framed"' in caplog.text


def test_a_chart_in_a_frame_shows_nothing(visitor: Visitor) -> None:
    place = visitor.client.get(visitor.sign_in(visitor.launch())).headers["Location"]
    text = visitor.client.get(place, headers={"Sec-Fetch-Dest": "iframe"}).get_data(as_text=True)
    assert not any(word in text for word in DATA)
    page = visitor.client.get(place, headers={"Sec-Fetch-Dest": "document"})
    assert page.status_code == 200
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
