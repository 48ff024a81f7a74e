"""An independent reading of the CDS Hooks specification for responses (2.0.1, and invariants cds-resp-1..7).

It knows cardinality, types and bindings of every element, the rule that nothing is null or empty, and what
clients and the security rules add. It deliberately shares nothing with the service's own models.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from markdown_it import MarkdownIt

Faults = Iterator[str]
Check = Callable[[str, Any], Faults]

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_FHIR_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_RESOURCE_TYPE = re.compile(r"[A-Z][A-Za-z]+")
_RELATIVE_REFERENCE = re.compile(r"[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64}")
_SUMMARY_MARKUP = re.compile(r"<[A-Za-z/!?]|\*\*|__|`|\]\(|^#{1,6} |https?://", re.MULTILINE)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
_GITHUB = MarkdownIt("gfm-like", {"html": True})


@dataclass(frozen=True)
class Element:
    """One name of an object: whether it must be there, and how its value is checked."""

    check: Check
    required: bool = False


def assert_conformant(response: Any) -> None:
    """Fails with every fault of a response body, given as an object or as JSON text."""
    found = faults_of(response)
    assert not found, "not a conformant CDS Hooks response:\n" + "\n".join(found)


def faults_of(response: Any) -> list[str]:
    """Every fault of a response body, each with its place; empty when it conforms."""
    if isinstance(response, bytes | str):
        try:
            response = json.loads(response, object_pairs_hook=_unique, parse_constant=_no_constant)
        except ValueError as error:
            return [f"body: {error}"]
    return [*_emptiness("", response), *_object(_RESPONSE, _response_fits)("", response)]


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    if len(names) != len(set(names)):
        raise ValueError("a name stands twice in one object")
    return dict(pairs)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _emptiness(place: str, value: Any) -> Faults:
    """Null, empty text, empty array and empty object are prohibited; top-level cards may be empty."""
    if value is None or value == "" or value == {} or (value == [] and place != ".cards"):
        yield f"{place or 'body'}: null or empty"
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from _emptiness(f"{place}.{name}", part)
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _emptiness(f"{place}[{index}]", part)


def _object(elements: Mapping[str, Element], *invariants: Check) -> Check:
    def check(place: str, value: Any) -> Faults:
        if not isinstance(value, dict):
            yield f"{place or 'body'}: not an object"
            return
        for name in value.keys() - elements.keys() - {"extension"}:
            yield f"{place}.{name}: not an element of the specification"
        for name, element in elements.items():
            if name in value:
                yield from element.check(f"{place}.{name}", value[name])
            elif element.required:
                yield f"{place}.{name}: missing"
        if not isinstance(value.get("extension", {}), dict):
            yield f"{place}.extension: not an object"
        for invariant in invariants:
            yield from invariant(place, value)

    return check


def _array(item: Check) -> Check:
    def check(place: str, value: Any) -> Faults:
        if not isinstance(value, list):
            yield f"{place}: not an array"
            return
        for index, part in enumerate(value):
            yield from item(f"{place}[{index}]", part)

    return check


def _string(place: str, value: Any) -> Faults:
    if not isinstance(value, str):
        yield f"{place}: not a string"
    elif not value.strip():
        yield f"{place}: blank"
    elif any("\ud800" <= character <= "\udfff" for character in value):
        yield f"{place}: half a surrogate pair"
    elif _CONTROL.search(value):
        yield f"{place}: control, bidirectional or zero-width character"


def _boolean(place: str, value: Any) -> Faults:
    if not isinstance(value, bool):
        yield f"{place}: not a boolean"


def _one_of(*codes: str) -> Check:
    def check(place: str, value: Any) -> Faults:
        if value not in codes:
            yield f"{place}: not one of {', '.join(codes)}"

    return check


def _uuid(place: str, value: Any) -> Faults:
    if not isinstance(value, str) or not _UUID.fullmatch(value):
        yield f"{place}: not a lower-case UUID"


def _url(place: str, value: Any) -> Faults:
    faulty = list(_string(place, value))
    if faulty:
        yield from faulty
        return
    parts = urlsplit(value)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        yield f"{place}: not an absolute web address"
    elif parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        yield f"{place}: not https"
    if parts.username or parts.password:
        yield f"{place}: user information in an address"
    if any(character.isspace() or character in "<>\"'`\\" for character in value):
        yield f"{place}: character that an address does not have"


def _summary(place: str, value: Any) -> Faults:
    faulty = list(_string(place, value))
    if faulty:
        yield from faulty
        return
    if len(value) >= 140 or len(value.encode("utf-16-le")) // 2 >= 140:
        yield f"{place}: 140 characters or more"
    if "\n" in value or "\r" in value:
        yield f"{place}: more than one line"
    if _SUMMARY_MARKUP.search(value):
        yield f"{place}: markup in a plain text"


def _detail(place: str, value: Any) -> Faults:
    faulty = list(_string(place, value))
    if faulty:
        yield from faulty
        return
    for renderer in (_MARKDOWN, _GITHUB):
        for token in renderer.parse(value):
            for part in [token, *(token.children or ())]:
                if part.type in ("html_block", "html_inline"):
                    yield f"{place}: raw HTML"
                elif part.type == "image":
                    yield f"{place}: an image, which a client would load"
                elif part.type == "link_open":
                    yield from _url(f"{place} link", part.attrs.get("href", ""))


def _resource(place: str, value: Any) -> Faults:
    if not isinstance(value, dict):
        yield f"{place}: not a FHIR resource"
        return
    if not isinstance(value.get("resourceType"), str) or not _RESOURCE_TYPE.fullmatch(value["resourceType"]):
        yield f"{place}.resourceType: missing or no resource type"
    if not isinstance(value.get("id"), str) or not _FHIR_ID.fullmatch(value["id"]):
        yield f"{place}.id: a resource of an action requires an id"


def _reference(place: str, value: Any) -> Faults:
    if not isinstance(value, str) or not _RELATIVE_REFERENCE.fullmatch(value):
        yield f"{place}: not a relative reference"


def _action_fits(place: str, action: dict[str, Any]) -> Faults:
    if action.get("type") == "delete":
        if "resourceId" not in action or "resource" in action:
            yield f"{place}: cds-resp-2, a delete has a resourceId and no resource"
    elif "resource" not in action:
        yield f"{place}.resource: missing"


def _link_fits(place: str, link: dict[str, Any]) -> Faults:
    if link.get("type") != "smart" and "appContext" in link:
        yield f"{place}.appContext: cds-resp-3, only for links of type smart"
    query = urlsplit(link["url"]).query if isinstance(link.get("url"), str) else ""
    if link.get("type") == "smart" and re.search(r"(^|&)(iss|launch)=", query):
        yield f"{place}.url: the client adds iss and launch"


def _objects(value: Any) -> list[dict[str, Any]]:
    """The objects of an array; what is none of them has its own fault."""
    return [part for part in value if isinstance(part, dict)] if isinstance(value, list) else []


def _card_fits(place: str, card: dict[str, Any]) -> Faults:
    suggestions = _objects(card.get("suggestions"))
    if suggestions and "selectionBehavior" not in card:
        yield f"{place}.selectionBehavior: cds-resp-6, required beside suggestions"
    if not suggestions and "selectionBehavior" in card:
        yield f"{place}.selectionBehavior: without suggestions"
    recommended = [part for part in suggestions if part.get("isRecommended") is True]
    if card.get("selectionBehavior") == "at-most-one" and len(recommended) > 1:
        yield f"{place}.suggestions: cds-resp-1, more than one recommended"
    codes = [
        json.dumps([part.get("system"), part.get("code")]) for part in _objects(card.get("overrideReasons"))
    ]
    if len(codes) != len(set(codes)):
        yield f"{place}.overrideReasons: a code stands twice"


def _response_fits(place: str, response: dict[str, Any]) -> Faults:
    """Feedback names cards and suggestions by uuid, so none may stand twice in a response."""
    cards = _objects(response.get("cards"))
    suggestions = [part for card in cards for part in _objects(card.get("suggestions"))]
    uuids = [part["uuid"] for part in (*cards, *suggestions) if isinstance(part.get("uuid"), str)]
    if len(uuids) != len(set(uuids)):
        yield f"{place or 'body'}: a uuid stands twice"


_TOPIC = {"system": Element(_string, True), "code": Element(_string, True), "display": Element(_string)}
_REASON = {
    "system": Element(_string, True),
    "code": Element(_string, True),
    "display": Element(_string, True),  # cds-resp-4
}
_SOURCE = {
    "label": Element(_string, True),
    "url": Element(_url),
    "icon": Element(_url),
    "topic": Element(_object(_TOPIC)),
}
_SYSTEM_ACTION = {
    "type": Element(_one_of("create", "update", "delete"), True),
    "description": Element(_string),
    "resource": Element(_resource),
    "resourceId": Element(_reference),
}
_ACTION = _SYSTEM_ACTION | {"description": Element(_string, True)}  # cds-resp-5
_SUGGESTION = {
    "label": Element(_string, True),
    "uuid": Element(_uuid),
    "isRecommended": Element(_boolean),
    "actions": Element(_array(_object(_ACTION, _action_fits))),
    "actionSelectionBehavior": Element(_one_of("all", "any", "at-most-one")),  # cds-resp-7
}
_LINK = {
    "label": Element(_string, True),
    "url": Element(_url, True),
    "type": Element(_one_of("absolute", "smart"), True),
    "appContext": Element(_string),
    "autolaunchable": Element(_boolean),
}
_CARD = {
    "uuid": Element(_uuid),
    "summary": Element(_summary, True),
    "detail": Element(_detail),
    "indicator": Element(_one_of("info", "warning", "critical"), True),
    "source": Element(_object(_SOURCE), True),
    "suggestions": Element(_array(_object(_SUGGESTION))),
    "selectionBehavior": Element(_one_of("at-most-one", "any")),
    "overrideReasons": Element(_array(_object(_REASON))),
    "links": Element(_array(_object(_LINK, _link_fits))),
}
_RESPONSE = {
    "cards": Element(_array(_object(_CARD, _card_fits)), True),
    "systemActions": Element(_array(_object(_SYSTEM_ACTION, _action_fits))),
}
