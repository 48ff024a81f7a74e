"""What a feedback body may be, and how a wrong one is refused: by index and member, never by value."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.http.problem import Problem, Refusal
from cds_service.wire.feedback import MAX_ITEMS, FeedbackItem, read_feedback
from tests.cds_service.feedback.bodies import (
    AT,
    CARD,
    EPIC,
    REASONS,
    SUGGESTION,
    Json,
    accepted,
    because,
    body,
    item,
)


def read_one(member: Json) -> FeedbackItem:
    return read_feedback(body(member), AT)[0]


def refused(data: bytes) -> Refusal:
    with pytest.raises(Refusal) as caught:
        read_feedback(data, AT)
    return caught.value


@pytest.mark.req("O5")
def test_an_accepted_suggestion() -> None:
    found = read_one(accepted())
    assert found.outcome == "accepted"
    assert found.acceptedSuggestions is not None
    assert [one.id for one in found.acceptedSuggestions] == [SUGGESTION]
    assert found.outcomeTimestamp == datetime(2026, 11, 20, 9, 29, 30, tzinfo=UTC)


@pytest.mark.req("O6")
def test_an_override_with_a_reason_and_a_comment() -> None:
    found = read_one(
        item(overrideReason={**because("already-known", display="Known"), "userComment": "seen"})
    )
    assert found.override is not None
    assert found.override.coding is not None
    assert (found.override.coding.code, found.override.coding.display) == ("already-known", "Known")
    assert found.override.userComment == "seen"


@pytest.mark.req("O6")
def test_the_sandboxs_reason_has_no_display() -> None:
    override = read_one(item(overrideReason=because("not-ours-1"))).override
    assert override is not None
    assert override.coding is not None
    assert (override.coding.code, override.coding.system, override.coding.display) == (
        "not-ours-1",
        REASONS,
        None,
    )


@pytest.mark.req("O6")
def test_epics_plural_name_of_the_reason() -> None:
    override = read_one(item(overrideReasons={**because("already-referred"), "userComment": "done"})).override
    assert override is not None
    assert override.coding is not None
    assert (override.coding.code, override.userComment) == ("already-referred", "done")


@pytest.mark.parametrize(
    ("extension", "code", "display"),
    [
        ({"reasonCategory": "12", "reasonDisplay": "Known", "reasonTitle": "T"}, "12", "Known"),
        ({"reasonCategory": 12, "reasonTitle": "T"}, "12", "T"),
        ({"reasonTitle": "T"}, "T", "T"),
        ({"reasonDisplay": "Known"}, "Known", "Known"),
    ],
)
@pytest.mark.req("O6")
def test_epics_extension_names_the_reason(extension: Json, code: str, display: str) -> None:
    members = {EPIC + name: value for name, value in extension.items()}
    override = read_one(
        item(card="123456", overrideReasons={"extension": members, "userComment": "x"})
    ).override
    assert override is not None
    assert override.coding is not None
    assert (override.coding.code, override.coding.display) == (code, display)
    assert override.coding.system == EPIC + "reasonCategory"


@pytest.mark.parametrize(
    "extension", [{}, {"other": 1}, {EPIC + "reasonCategory": {"x": 1}}, {EPIC + "reasonCategory": True}]
)
def test_an_extension_that_names_no_reason_is_no_reason(extension: Json) -> None:
    override = read_one(item(overrideReasons={"extension": extension})).override
    assert override is not None
    assert override.coding is None


def test_a_reason_is_preferred_to_the_extension() -> None:
    members = {**because("goals-of-care"), "extension": {EPIC + "reasonCategory": "12"}}
    override = read_one(item(overrideReasons=members)).override
    assert override is not None
    assert override.coding is not None
    assert override.coding.code == "goals-of-care"


TOLERATED: dict[str, Json] = {
    "no reason at all": item(),
    "an empty reason": item(overrideReason={}),
    "a reason of null": item(overrideReason=None),
    "a comment alone": item(overrideReason={"userComment": "x"}),
    "an unknown reason code": item(overrideReason=because("made-up-by-the-site")),
    "a card id that is no UUID": item(card="123456"),
    "unknown members": item(somethingElse={"a": [1]}, extension={"com.example": True}),
    "an offset": item(outcomeTimestamp="2026-11-20T04:29:30-05:00"),
    "a fraction": item(outcomeTimestamp="2026-11-20T09:29:30.1234567Z"),
    "small letters": item(outcomeTimestamp="2026-11-20t09:29:30z"),
    "five minutes ahead": item(outcomeTimestamp="2026-11-20T09:35:00Z"),
    "a year late": item(outcomeTimestamp="2025-11-20T09:29:30Z"),
    "a comment of 4096 bytes": item(overrideReason={"userComment": "x" * 4096}),
    "several suggestions": accepted("a", "b", "c"),
    "suggestions beside an override": item(acceptedSuggestions=[{"id": "a"}]),
    "a comment in many scripts": item(overrideReason={"userComment": "Grüße 你好 🙂\r\n=cmd()"}),
}


@pytest.mark.parametrize("member", TOLERATED.values(), ids=TOLERATED.keys())
@pytest.mark.req("O3")
@pytest.mark.req("O6")
@pytest.mark.req("O7")
@pytest.mark.req("L3")
def test_what_is_harmless_is_taken(member: Json) -> None:
    assert read_one(member).card == member["card"]


REFUSED: dict[str, tuple[Json | Any, str]] = {
    "no card": (item(card=None), "card"),
    "an empty card": (item(card=""), "card"),
    "a card that is a number": (item(card=7), "card"),
    "a card of 300 characters": (item(card="c" * 300), "card"),
    "a card with U+0000": (item(card="a\x00b"), "card"),
    "no outcome": (item(outcome=None), "outcome"),
    "an unknown outcome": (item(outcome="ignored"), "outcome"),
    "an outcome in capitals": (item(outcome="ACCEPTED"), "outcome"),
    "accepted without suggestions": (item(outcome="accepted"), ""),
    "accepted with an empty list": (item(outcome="accepted", acceptedSuggestions=[]), "acceptedSuggestions"),
    "a suggestion without id": (
        item(outcome="accepted", acceptedSuggestions=[{}]),
        "acceptedSuggestions[0].id",
    ),
    "a suggestion that is a text": (
        item(outcome="accepted", acceptedSuggestions=["a"]),
        "acceptedSuggestions[0]",
    ),
    "no time": (item(outcomeTimestamp=None), "outcomeTimestamp"),
    "no zone": (item(outcomeTimestamp="2026-11-20T09:29:30"), "outcomeTimestamp"),
    "a date": (item(outcomeTimestamp="2026-11-20"), "outcomeTimestamp"),
    "a number for a time": (item(outcomeTimestamp=1795166970), "outcomeTimestamp"),
    "no such day": (item(outcomeTimestamp="2026-02-30T00:00:00Z"), "outcomeTimestamp"),
    "no such hour": (item(outcomeTimestamp="2026-11-20T24:00:00Z"), "outcomeTimestamp"),
    "six minutes ahead": (item(outcomeTimestamp="2026-11-20T09:36:00Z"), "outcomeTimestamp"),
    "the year 1900": (item(outcomeTimestamp="1900-01-01T00:00:00Z"), "outcomeTimestamp"),
    "the year 9999": (item(outcomeTimestamp="9999-12-31T23:59:59-23:59"), "outcomeTimestamp"),
    "a comment of 4097 bytes": (
        item(overrideReason={"userComment": "x" * 4097}),
        "overrideReason.userComment",
    ),
    "a comment of 1366 three-byte letters": (
        item(overrideReason={"userComment": "你" * 1366}),
        "overrideReason.userComment",
    ),
    "a comment with U+0000": (item(overrideReason={"userComment": "a\x00"}), "overrideReason.userComment"),
    "a reason without code": (
        item(overrideReason={"reason": {"system": REASONS}}),
        "overrideReason.reason.code",
    ),
    "a reason that is a text": (item(overrideReason="because"), "overrideReason"),
    "an item that is a text": ("item", ""),
    "an item that is null": (None, ""),
}


@pytest.mark.parametrize(("member", "where"), REFUSED.values(), ids=REFUSED.keys())
@pytest.mark.req("O3")
@pytest.mark.req("O4")
@pytest.mark.req("O5")
@pytest.mark.req("O7")
def test_one_wrong_item_refuses_the_batch_and_names_its_index(member: Any, where: str) -> None:
    fault = refused(body(item(), accepted(), member, item()))
    assert fault.problem is Problem.INVALID_REQUEST
    expected = f"feedback[2].{where}" if where else "feedback[2]"
    assert fault.diagnostics.startswith(f"{expected}:")


def test_no_value_is_quoted() -> None:
    secret = "CANARY Jane Doe"
    for member in (
        item(card=[secret]),
        item(outcome=secret),
        item(outcomeTimestamp=secret),
        item(overrideReason={"userComment": [secret], "reason": secret}),
    ):
        fault = refused(body(member))
        assert "CANARY" not in fault.diagnostics
        assert "CANARY" not in str(fault)
    assert "CANARY" not in repr(read_one(item(overrideReason={"userComment": secret})))


@pytest.mark.parametrize(
    "document",
    [{}, {"feedback": None}, {"feedback": {}}, {"feedback": []}, {"feedback": [item()] * (MAX_ITEMS + 1)}],
)
@pytest.mark.req("O2")
def test_a_batch_holds_one_to_a_hundred_items(document: Json) -> None:
    fault = refused(json.dumps(document).encode())
    assert fault.problem is Problem.INVALID_REQUEST
    assert fault.diagnostics.startswith("feedback:")


def test_a_batch_of_a_hundred_is_taken() -> None:
    assert len(read_feedback(body(*[item()] * MAX_ITEMS), AT)) == MAX_ITEMS


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"null",
        b'{"feedback": [}',
        b'{"feedback": [], "feedback": []}',
        b'{"feedback": NaN}',
        json.dumps({"feedback": [item()]}).encode("utf-16"),
        b'{"feedback": [{"card": "\\ud800"}]}',
        b'{"feedback":' + b"[" * 5000 + b"]" * 5000 + b"}",
    ],
)
def test_a_body_with_more_than_one_reading_is_malformed(data: bytes) -> None:
    assert refused(data).problem is Problem.MALFORMED_BODY


_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | _TEXT
    | st.sampled_from([CARD, "accepted", "overridden"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=8,
)
_MEMBERS = st.sampled_from(
    ["card", "outcome", "acceptedSuggestions", "overrideReason", "overrideReasons", "outcomeTimestamp", "x"]
)


@given(
    st.lists(
        st.dictionaries(_MEMBERS, _JSON)
        | st.builds(lambda d: {**item(), **d}, st.dictionaries(_MEMBERS, _JSON)),
        max_size=3,
    )
)
def test_any_batch_is_read_or_refused(items: list[Json]) -> None:
    try:
        answer: Problem | int = len(read_feedback(json.dumps({"feedback": items}).encode(), AT))
    except Refusal as fault:
        answer = fault.problem
    assert answer in (Problem.INVALID_REQUEST, len(items))


def test_a_leap_second_is_the_second_after_it() -> None:
    found = read_one(item(outcomeTimestamp="2018-12-31T23:59:60Z")).outcomeTimestamp
    assert found == datetime(2019, 1, 1, tzinfo=UTC)


@given(st.datetimes(datetime(2018, 1, 2), datetime(2026, 11, 19)), st.integers(-1439, 1439))  # noqa: DTZ001
@pytest.mark.req("O7")
def test_every_zone_means_the_same_moment(local: datetime, minutes: int) -> None:
    sign, size = "-" if minutes < 0 else "+", abs(minutes)
    text = f"{local.isoformat()}{sign}{size // 60:02}:{size % 60:02}"
    moment = local.replace(tzinfo=UTC) - timedelta(minutes=minutes)
    if moment.year < 2018:
        return
    assert read_one(item(outcomeTimestamp=text)).outcomeTimestamp == moment
