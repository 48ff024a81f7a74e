"""The first line of a finding, and the words for its site and number."""

from __future__ import annotations

from fhir_mappings.assessment import Statement
from fhir_mappings.knowledge.model import Knowledge
from fhir_mappings.relapse.episodes import Episode
from fhir_mappings.relapse.situation import Picture
from fhir_mappings.statements.sentences import phrase
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
    knowledge = picture.knowledge
    key = "first" if number <= 1 else "later"
    if picture.site is None or not picture.site.name:
        return say(f"{kind}.summary.site-unknown", number=ordinal(number, knowledge), date=episode.event.text)
    site = site_words(picture)
    tempo = key == "first" and timing in ("early", "late")
    return say(
        f"{kind}.summary.{key}",
        number=ordinal(number, knowledge),
        site=phrase(knowledge, f"tempo.{timing}", site=site) if tempo else site,
        date=episode.event.text,
    )


def persist_headline(picture: Picture) -> Statement:
    """The summary of persistent disease, with the day of what shows it."""
    found = picture.standing.persistent
    return say("persist.summary", date=found.day.text if found is not None else "")


def site_words(picture: Picture) -> str:
    """The site in words."""
    site, knowledge = picture.site, picture.knowledge
    if site is None or not site.name:
        return phrase(knowledge, "site.not-recorded")
    named = [_site_name(name, knowledge) for name in site.sites]
    if site.name == "combined" and named:
        sites = ", ".join((phrase(knowledge, "site-name.marrow"), *named[:-1]))
        return phrase(knowledge, "site.combined", sites=sites, last=named[-1])
    return phrase(knowledge, f"site.{site.name}", sites=", ".join(named))


def _site_name(name: str, knowledge: Knowledge) -> str:
    """A site as it is said; one without words of its own is said as it is recorded."""
    key = f"site-name.{name}"
    return phrase(knowledge, key) if f"phrase.{key}" in knowledge.words else name


def ordinal(number: int, knowledge: Knowledge) -> str:
    """first, second, third, then 4th and so on."""
    words = {0: "first", 1: "first", 2: "second", 3: "third"}.get(number, "later")
    return phrase(knowledge, f"ordinal.{words}", number=str(number))


def episode_of(picture: Picture) -> Episode:
    """The episode the status stands on. Raises ValueError for a status that stands on none."""
    episode = picture.episode
    if episode is None:
        raise ValueError("this status stands on an episode")
    return episode
