"""A polite client of the ClinicalTrials.gov API: one request at a time, never during a hook call.

What goes out is fixed here: the words of the disease, at most an age band and a sex that a person
chose, and where the hospital stands. Nothing of a patient is an argument of this module.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Literal

import requests

from cds_service.trials.registry_answers import FIELDS, Page, read_page

ADDRESS = "https://clinicaltrials.gov/api/v2/studies"
PAGE_SIZE = 100
MAX_PAGES = 20
MAX_PAGE_BYTES = 32_000_000
MAX_TRIES = 4
TIMEOUT_SECONDS = (5.0, 20.0)
PAUSE_SECONDS = 1.0
"""Between two requests: the crawl delay that the site's robots.txt asks for."""
MAX_WAIT_SECONDS = 60.0
_CHUNK_BYTES = 65_536
_TRY_AGAIN = frozenset({429, 500, 502, 503, 504})


class RegistryUnavailable(Exception):
    """The registry gave no usable answer. ``reason`` is a fixed word, never text of the answer."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"ClinicalTrials.gov: {reason}")


@dataclass(frozen=True, slots=True)
class Search:
    """One search. ``ages`` is a band in whole years; ``radius_km`` counts only with a position."""

    query: str
    latitude: float | None = None
    longitude: float | None = None
    radius_km: float | None = None
    ages: tuple[int, int] | None = None
    sex: Literal["female", "male"] | None = None

    def parameters(self) -> dict[str, str]:
        """The query parameters, the same on every page."""
        found = {
            "query.cond": self.query,
            "filter.overallStatus": "RECRUITING|NOT_YET_RECRUITING",
            "fields": ",".join(FIELDS),
            "sort": "LastUpdatePostDate",
            "pageSize": str(PAGE_SIZE),
            "countTotal": "true",
        }
        if self.latitude is not None and self.longitude is not None and self.radius_km is not None:
            place = f"{self.latitude:.4f},{self.longitude:.4f},{self.radius_km:.0f}km"
            found["filter.geo"] = f"distance({place})"
        if advanced := " AND ".join(self._advanced()):
            found["filter.advanced"] = advanced
        return found

    def _advanced(self) -> Iterator[str]:
        if self.ages is not None:
            youngest, oldest = self.ages
            yield f"AREA[MinimumAge]RANGE[MIN, {oldest} years]"
            yield f"AREA[MaximumAge]RANGE[{youngest} years, MAX]"
        if self.sex is not None:
            yield f"(AREA[Sex]ALL OR AREA[Sex]{self.sex.upper()})"


class ClinicalTrialsGov:
    """The search of the registry. ``sleep`` is replaceable so that waiting can be tested."""

    def __init__(self, address: str = ADDRESS, sleep: Callable[[float], None] = time.sleep) -> None:
        self._address = address
        self._sleep = sleep

    def pages(self, search: Search) -> Iterator[tuple[bytes, Page]]:
        """Every page of the search, as it came and as it was understood.

        Raises RegistryUnavailable when a page cannot be had after some tries or paging does not
        end, and UnknownShape when a page is not what the API documents.
        """
        parameters = search.parameters()
        seen: set[str] = set()
        with requests.Session() as session:
            session.trust_env = False
            session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
            for number in range(MAX_PAGES):
                if number:
                    self._sleep(PAUSE_SECONDS)
                data = self._get(session, parameters)
                page = read_page(data)
                yield data, page
                token = page.next_page_token
                if not token:
                    return
                if token in seen:
                    raise RegistryUnavailable("paging-loops")
                seen.add(token)
                parameters = {**parameters, "pageToken": token}
        raise RegistryUnavailable("too-many-pages")

    def _get(self, session: requests.Session, parameters: dict[str, str]) -> bytes:
        reason = ""
        for attempt in range(MAX_TRIES):
            wait = 2.0**attempt
            try:
                with session.get(
                    self._address,
                    params=parameters,
                    timeout=TIMEOUT_SECONDS,
                    allow_redirects=False,
                    stream=True,
                    headers={"Accept": "application/json"},
                ) as reply:
                    if reply.status_code == 200:
                        return _limited_body(reply)
                    reason = f"status-{reply.status_code}"
                    if reply.status_code not in _TRY_AGAIN:
                        break
                    wait = max(wait, _retry_after(reply))
            except requests.RequestException:
                reason = "no-connection"
            if attempt + 1 < MAX_TRIES:
                self._sleep(min(wait, MAX_WAIT_SECONDS))
        raise RegistryUnavailable(reason)


def _limited_body(reply: requests.Response) -> bytes:
    parts: list[bytes] = []
    size = 0
    for part in reply.iter_content(_CHUNK_BYTES):
        size += len(part)
        if size > MAX_PAGE_BYTES:
            raise RegistryUnavailable("answer-too-large")
        parts.append(part)
    return b"".join(parts)


def _retry_after(reply: requests.Response) -> float:
    text = reply.headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdecimal() else 0.0
