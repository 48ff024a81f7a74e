"""Launches that are begun and left: the newest still ends at its chart."""

from __future__ import annotations

import pytest

from cds_service.timeline.launch_cookies import INDEX, MOST_LAUNCHES, begun, launch_cookie
from tests.cds_service.timeline.conftest import Visitor, cookies, refused


def sent_to_callback(visitor: Visitor) -> int:
    """The length of the Cookie header that the browser sends to the callback."""
    return len("; ".join(f"{one.key}={one.value}" for one in cookies(visitor)))


def test_sixty_abandoned_launches_do_not_hinder_the_next(visitor: Visitor) -> None:
    for _ in range(60):
        assert visitor.launch().status_code == 303
    sent = visitor.launch("isolated-cns")
    assert sent_to_callback(visitor) < 8000
    arrived = visitor.client.get(visitor.sign_in(sent))
    assert arrived.status_code == 303
    text = visitor.client.get(arrived.headers["Location"]).get_data(as_text=True)
    assert "patient <strong>isolated-cns</strong>" in text


def test_as_many_launches_as_are_kept_all_end_at_their_charts(visitor: Visitor) -> None:
    sent = [visitor.launch() for _ in range(MOST_LAUNCHES + 1)]
    answers = [visitor.client.get(visitor.sign_in(one)) for one in sent]
    refused(answers[0], 400, "not known to this browser")
    assert [one.status_code for one in answers[1:]] == [303] * MOST_LAUNCHES


@pytest.mark.parametrize(
    "index", ["", "x", "../..", "a" * 15, "0" * 16 + ".", "0" * 16 + ";Path=/", "G" * 16]
)
def test_an_altered_list_of_launches_is_begun_anew(index: str) -> None:
    value, dropped = begun({INDEX: index}, "state")
    assert (launch_cookie("state"), dropped) == (f"relapse_launch_{value}", [])


def test_the_oldest_go_first() -> None:
    index = ""
    for number in range(MOST_LAUNCHES):
        index, dropped = begun({INDEX: index}, f"state {number}")
        assert dropped == []
    index, dropped = begun({INDEX: index}, "one more")
    assert dropped == [launch_cookie("state 0")]
    assert index.count(".") == MOST_LAUNCHES - 1
