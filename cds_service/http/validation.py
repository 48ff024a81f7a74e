"""What to write instead of a value of the wrong form, in words that do not speak of programs."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic_core import ErrorDetails

REMEDIES: Mapping[str, str] = {
    "missing": "missing; add it",
    "int_parsing": "write a whole number",
    "int_type": "write a whole number",
    "int_from_float": "write a whole number",
    "float_parsing": "write a number",
    "float_type": "write a number",
    "bool_parsing": "write true or false",
    "bool_type": "write true or false",
    "string_type": "write a text",
    "path_type": "write a path",
    "list_type": "write a list",
    "tuple_type": "write a list",
    "mapping_type": "write an object",
    "dict_type": "write an object",
    "model_type": "write an object",
    "model_attributes_type": "write an object",
}
"""By pydantic's kind of fault, where its own words name types of a programming language."""


def remedy_of(detail: ErrorDetails, forms: Mapping[str, str], remedies: Mapping[str, str] = REMEDIES) -> str:
    """What to do about one fault; ``forms`` are the words for members that have a form of their own."""
    known = remedies.get(detail["type"])
    if known is not None:
        return known
    member = str(detail["loc"][-1]) if detail["loc"] else ""
    if detail["type"] == "string_pattern_mismatch" and member in forms:
        return forms[member]
    said = detail["msg"].removeprefix("Value error, ")
    for theirs, ours in (("Input should be ", "write a value "), ("write a value '", "write '")):
        said = said.replace(theirs, ours)
    return said[:1].lower() + said[1:] if said.startswith("write") else said
