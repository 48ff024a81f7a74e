"""Whether a browser is at the address that the EHR sends it back to: cookies belong to one host."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

from werkzeug.datastructures import MultiDict

_MOVED = "moved"
_USUAL_PORTS = {"http": ":80", "https": ":443"}


def is_elsewhere(host: str, public_url: str) -> bool:
    """True when the request's ``Host`` is not the host and port of ``public_url``."""
    parts = urlsplit(public_url)
    usual = _USUAL_PORTS[parts.scheme]
    return host.lower().removesuffix(usual) != parts.netloc.lower().removesuffix(usual)


def public_launch(public_url: str, query: MultiDict[str, str]) -> str:
    """The same launch at the public address; empty where it has been sent there before.

    A proxy that hides the browser's ``Host`` makes every request look as if it were elsewhere.
    """
    if _MOVED in query:
        return ""
    kept = [(name, value) for name, value in query.items(multi=True) if name != "form"]
    return f"{public_url}/timeline/launch?{urlencode([*kept, (_MOVED, '1')])}"
