"""A store that cannot be used, told to the person at the terminal: which one, why, what to do."""

from __future__ import annotations

from cds_service.settings.model import Settings, masked
from cds_service.store import StoreMisconfigured, StoreUnavailable

_REMEDIES = {
    "SQLITE_CANTOPEN": "check that its folder exists and that this user may write there",
    "SQLITE_NOTADB": "the file is no SQLite database; move it away, or name another",
    "SQLITE_CORRUPT": "the file is damaged; bring back a copy, or name another",
    "SQLITE_READONLY": "let this user write to the file and its folder",
    "SQLITE_FULL": "make room on the disk",
    "SQLITE_BUSY": "another program holds it; try again",
}
"""By the name that SQLite gives the fault."""

_OTHERWISE = "check that the database runs, that its address is right and that this user may use it"


def told(settings: Settings, fault: StoreMisconfigured | StoreUnavailable) -> str:
    """One line about the store of these settings; the password of its address is not shown."""
    if isinstance(fault, StoreMisconfigured):
        return str(fault)
    remedy = _REMEDIES.get("_".join(fault.kind.split("_")[:2]), _OTHERWISE)
    return f"store {masked(settings.store)}: unavailable while {fault.what} ({fault.kind}); {remedy}"
