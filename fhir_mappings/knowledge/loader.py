"""Strict reading of knowledge files: whatever is not understood is a fault, and all faults come at once."""

from __future__ import annotations

import tomllib
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from fhir_mappings.knowledge.code_rows import Code, read_codes
from fhir_mappings.knowledge.digests import content_digest, file_digest
from fhir_mappings.knowledge.errors import Fault, KnowledgeError
from fhir_mappings.knowledge.toml_lines import KeyLines

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

__all__ = [
    "Code",
    "Fault",
    "KnowledgeError",
    "KnowledgeFile",
    "content_digest",
    "file_digest",
    "read_codes",
    "read_toml",
    "read_value_sets",
]

BaseModelT = TypeVar("BaseModelT", bound=BaseModel)

_MAX_MESSAGE = 200


class KnowledgeFile(BaseModel):
    """Base of every model of a knowledge file: frozen, and an unknown key is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def read_toml(path: Path, model: type[BaseModelT], faults: list[Fault]) -> BaseModelT | None:
    """The file as ``model``, numbers with a point as Decimal.

    Returns None where anything was wrong; then ``faults`` has grown by every mistake found.
    """
    try:
        text = path.read_text(encoding="utf-8")
        return model.model_validate(tomllib.loads(text, parse_float=Decimal), extra="forbid")
    except (OSError, UnicodeDecodeError):
        faults.append(Fault(str(path), 0, "file", "cannot be read", "put a UTF-8 text file in this place"))
    except tomllib.TOMLDecodeError as error:
        faults.append(_syntax_fault(path, text, error))
    except ValidationError as error:
        lines = KeyLines(text)
        faults.extend(_model_fault(path, lines, model, detail) for detail in error.errors(include_url=False))
    return None


def read_value_sets(directory: Path, faults: list[Fault]) -> Mapping[str, tuple[Code, ...]]:
    """Every ``*.csv`` of ``directory`` by its name without the suffix, in the order of the names."""
    paths = sorted(directory.glob("*.csv"))
    if not paths:
        faults.append(Fault(str(directory), 0, "*.csv", "no value sets found", "add the value set files"))
    return types.MappingProxyType({path.stem: read_codes(path, faults) for path in paths})


def _syntax_fault(path: Path, text: str, error: tomllib.TOMLDecodeError) -> Fault:
    message = str(error)
    _, found, position = message.partition("(at line ")
    number = position.split(",", 1)[0]
    line = int(number) if found and number.isdigit() else len(text.splitlines())
    problem = message.partition(" (at ")[0][:_MAX_MESSAGE]
    remedy = "correct this line or the one above"
    return Fault(str(path), line, "syntax", f"not valid TOML: {problem}", remedy)


def _model_fault(path: Path, lines: KeyLines, model: type[BaseModel], detail: ErrorDetails) -> Fault:
    location = detail["loc"]
    holder = _model_at(model, location[:-1])
    key = _dotted(location)
    line = lines.find(location)
    if detail["type"] == "extra_forbidden":
        return Fault(str(path), line, key, "unknown key", f"allowed here: {_allowed_keys(holder)}")
    if detail["type"] == "missing":
        return Fault(str(path), line, key, "missing key", f"add {_example(holder, location)}")
    return Fault(str(path), line, key, "wrong value", _expectation(detail))


def _expectation(detail: ErrorDetails) -> str:
    """Pydantic's own words, shortened; they name the expectation and not the value that was found."""
    words = detail["msg"]
    return words if len(words) <= _MAX_MESSAGE else f"{words[:_MAX_MESSAGE]}..."


def _dotted(location: Sequence[str | int]) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return text.lstrip(".")[:_MAX_MESSAGE] or "file"


def _allowed_keys(model: type[BaseModel] | None) -> str:
    if model is None:
        return "see the other entries of this file"
    return ", ".join(field.alias or name for name, field in model.model_fields.items())


def _example(model: type[BaseModel] | None, location: Sequence[str | int]) -> str:
    key = str(location[-1])
    field = model.model_fields.get(key) if model is not None else None
    described = f": {field.description}" if field is not None and field.description else ""
    return f'"{key} = ..." to this table{described}'


def _model_at(model: type[BaseModel], location: Iterable[str | int]) -> type[BaseModel] | None:
    """The model of the table at ``location``, or None where it is not a model."""
    current: Any = model
    for part in location:
        if isinstance(part, str) and _is_model(current):
            field = current.model_fields.get(part)
            current = field.annotation if field is not None else None
        else:
            current = _element_type(current)
        current = _without_optional(current)
    return current if _is_model(current) else None


def _is_model(candidate: Any) -> bool:
    return isinstance(candidate, type) and issubclass(candidate, BaseModel)


def _element_type(annotation: Any) -> Any:
    """What a sequence or mapping holds: its last argument that is not an ellipsis."""
    arguments = [argument for argument in typing.get_args(annotation) if argument is not Ellipsis]
    return arguments[-1] if arguments else None


def _without_optional(annotation: Any) -> Any:
    if typing.get_origin(annotation) not in {typing.Union, types.UnionType}:
        return annotation
    kept = [argument for argument in typing.get_args(annotation) if argument is not type(None)]
    return kept[0] if len(kept) == 1 else None
