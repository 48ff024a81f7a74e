"""The first line of a finding, and the words for its site and number."""

from __future__ import annotations

from fhir_mappings.assessment import Statement
from fhir_mappings.clinical.verdict import Evidence, Met
from fhir_mappings.knowledge.model import Knowledge
from fhir_mappings.relapse.episodes import Episode
from fhir_mappings.relapse.situation import Picture
from fhir_mappings.statements.sentences import phrase
from fhir_mappings.statements.statement import disease_name, say, spoken_day


def headline(picture: Picture, kind: str) -> Statement:
    """The summary of a relapse or probable relapse (``kind``): number, tempo, site and date."""
    episode = episode_of(picture)
    day = spoken_day(episode.event.text)
    value = _deciding(episode)
    if kind == "probable" and episode.rival is not None:
        return say("probable.summary.lineage", date=episode.event.text, day=day)
    if kind == "probable" and picture.standing.untreated:
        return say("probable.summary.old", date=episode.event.text, day=day, value=value)
    number = max(episode.number, len(picture.standing.previous) + 1)
    timing = picture.timing.seed_003.value if picture.timing is not None else ""
    knowledge = picture.knowledge
    key = "first" if number <= 1 else "later"
    if picture.site is None or not picture.site.name:
        return say(
            f"{kind}.summary.site-unknown",
            number=ordinal(number, knowledge),
            date=episode.event.text,
            disease=disease_name(picture),
            day=day,
        )
    site = site_words(picture)
    tempo = key == "first" and timing in ("early", "late")
    return say(
        f"{kind}.summary.{key}",
        number=ordinal(number, knowledge),
        site=phrase(knowledge, f"tempo.{timing}", site=site) if tempo else site,
        date=episode.event.text,
        disease=disease_name(picture),
        tempo=f"{timing}," if tempo else "",
        place=site,
        value=value,
        day=day,
    )


def _deciding(episode: Episode) -> str:
    """The result that decided, in few words; a coded relapse stands on none."""
    met = [item for one in episode.results if isinstance(one.verdict, Met) for item in one.verdict.because]
    if not met:
        return "coded"
    return brief_result(next((item for item in met if item.value), met[-1]))


def brief_result(item: Evidence) -> str:
    """A result in few words: ``82 % marrow lymphoblasts``; without a number, the name comes first."""
    value = f"{item.value} {item.unit}".strip()
    return f"{value} {item.what}" if item.unit == "%" else f"{item.what} {value}".strip()


def persist_headline(picture: Picture) -> Statement:
    """The summary of persistent disease, with the day of what shows it."""
    found = picture.standing.persistent
    value = ""
    if found is not None and found.evidence:
        value = f"{brief_result(found.evidence[0])}, {spoken_day(found.day.text)}"
    return say(
        "persist.summary",
        date=found.day.text if found is not None else "",
        disease=disease_name(picture),
        value=value or "see below",
    )


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
