"""The first line of a finding, and the words for its site and number."""

from __future__ import annotations

from fhir_mappings.assessment import Statement
from fhir_mappings.relapse.episodes import Episode
from fhir_mappings.relapse.situation import Picture
from fhir_mappings.statements.statement import say


def headline(picture: Picture, kind: str) -> Statement:
    """The summary of a relapse or probable relapse (``kind``): number, tempo, site and date."""
    episode = episode_of(picture)
    if kind == "probable" and episode.rival is not None:
        return say("probable.summary.lineage", date=episode.event.text)
    if kind == "probable" and picture.standing.untreated:
        return say("probable.summary.old", date=episode.event.text)
    number = max(episode.number, len(picture.standing.previous) + 1)
    timing = picture.timing.seed_003.value if picture.timing is not None else ""
    tempo = {"early": "early ", "late": "late "}.get(timing, "")
    key = "first" if number <= 1 else "later"
    if picture.site is None or not picture.site.name:
        return say(f"{kind}.summary.site-unknown", number=ordinal(number), date=episode.event.text)
    return say(
        f"{kind}.summary.{key}",
        number=ordinal(number),
        site=(tempo if key == "first" else "") + site_words(picture),
        date=episode.event.text,
    )


def persist_headline(picture: Picture) -> Statement:
    """The summary of persistent disease, with the day of what shows it."""
    found = picture.standing.persistent
    return say("persist.summary", date=found.day.text if found is not None else "")


def site_words(picture: Picture) -> str:
    """The site in words."""
    site = picture.site
    if site is None or not site.name:
        return "not recorded"
    named = [_SITE_NAMES.get(name, name) for name in site.sites]
    words = {
        "isolated-marrow": "isolated marrow",
        "isolated-cns": "isolated CNS",
        "isolated-testis": "isolated testicular",
        "isolated-other": f"isolated extramedullary ({', '.join(named)})",
        "combined": f"combined {', '.join(('marrow', *named[:-1]))} and {named[-1]}" if named else "",
        "extramedullary-isolation-unknown": f"extramedullary ({', '.join(named)}; isolation unknown)",
    }
    return words[site.name]


_SITE_NAMES = {"cns": "CNS"}


def ordinal(number: int) -> str:
    """first, second, third, then 4th and so on."""
    return {0: "first", 1: "first", 2: "second", 3: "third"}.get(number, f"{number}th")


def episode_of(picture: Picture) -> Episode:
    """The episode the status stands on. Raises ValueError for a status that stands on none."""
    episode = picture.episode
    if episode is None:
        raise ValueError("this status stands on an episode")
    return episode
