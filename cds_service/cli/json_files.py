"""A JSON file named on the command line: its text, or one line that says what is wrong with it."""

from __future__ import annotations

import codecs
import json
from pathlib import Path
from typing import Any, Never

from cds_service.cli.faults import Unusable

WANTED = "give a FHIR resource, a Bundle or a hook request, as JSON in UTF-8"
"""What to do where a file is something else."""


class _Ambiguous(ValueError):
    """A text that two readers of JSON may read differently."""


def read_file(path: Path) -> bytes:
    """The bytes of a file. Raises Unusable."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror or 'cannot be read'}; {WANTED}") from None


def json_text(data: bytes, place: str) -> bytes:
    """JSON text without a byte order mark; ``place`` is where it stands, for the message.

    Raises Unusable: it is empty, not UTF-8, not JSON, or has more than one possible reading.
    """
    data = data.removeprefix(codecs.BOM_UTF8)
    if not data.strip():
        raise Unusable(f"{place}: the file is empty; {WANTED}")
    try:
        _check(data.decode())
    except UnicodeDecodeError as error:
        raise Unusable(f"{place}: not text in UTF-8 (byte {error.start}); {WANTED}") from None
    except json.JSONDecodeError as error:
        raise Unusable(f"{place}: {_told(error)}; {WANTED}") from None
    except _Ambiguous as fault:
        raise Unusable(f"{place}: {fault}") from None
    except RecursionError:
        raise Unusable(f"{place}: nested too deeply; {WANTED}") from None
    return data


def _check(text: str) -> None:
    """Slower than the service's own reader, and sees what that passes over: a member written twice."""
    json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=len, parse_int=len)


def _told(error: json.JSONDecodeError) -> str:
    if error.doc.lstrip().startswith("<"):
        return "XML or HTML, not JSON"
    is_cut = error.msg.startswith("Unterminated") or not error.doc[error.pos :].strip()
    what = "the JSON ends too early" if is_cut else "not JSON"
    return f"{what} (line {error.lineno}, column {error.colno})"


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _Ambiguous(f"the member {twice[:40]!a} stands twice in one object; keep one of them")
    return found


def _no_constant(name: str) -> Never:
    raise _Ambiguous(f"{name} is no number of JSON; leave the value out")
