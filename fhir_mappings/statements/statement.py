"""What several sections ask about the picture, and how a statement is made."""

from __future__ import annotations

from fhir_mappings.assessment import Statement, Status
from fhir_mappings.clinical.facts import Lineage
from fhir_mappings.relapse.situation import Picture

_FINDINGS = (Status.RELAPSE, Status.PROBABLE, Status.REFRACTORY, Status.PERSISTENT)


def is_active_disease(picture: Picture) -> bool:
    """Disease now, or very probably so, with options to discuss.

    A contradicted finding is none (R-04), nor one that stands in words only: it is confirmed first (D-13).
    """
    standing = picture.standing
    if standing.status not in _FINDINGS or standing.phase == "in-remission":
        return False
    if standing.in_words:
        return False
    episode = standing.episode
    doubtful = episode is not None and (
        episode.contradicted or episode.rival is not None or bool(episode.disagreeing)
    )
    return picture.disease.certain and not doubtful and not standing.untreated


def is_in_remission(picture: Picture) -> bool:
    """A treated relapse in second or later remission (R-01)."""
    standing = picture.standing
    treated = standing.status is Status.RELAPSE and standing.phase == "in-remission"
    return treated and picture.disease.certain


def is_referred_for_transplant(picture: Picture) -> bool:
    """A transplant evaluation requested since the relapse; a request without a date counts (S-003-47)."""
    episode = picture.episode
    return episode is not None and any(
        referral.kind == "hsct-evaluation"
        and (referral.authored is None or referral.authored.last >= episode.event.first)
        for referral in picture.referrals
    )


def say(words: str, *cites: str, **values: str) -> Statement:
    """One statement with its blanks filled."""
    return Statement(words, values, cites)


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def spoken_day(text: str) -> str:
    """A date as it is spoken, as far as it is known: ``27 Nov 2026``, ``Nov 2026``, ``2026``."""
    parts = text.partition("T")[0].split("-")
    if not all(part.isdigit() for part in parts) or len(parts) > 3:
        return text
    if len(parts) == 1:
        return text
    month = f"{_MONTHS[int(parts[1]) - 1]} {parts[0]}"
    return f"{int(parts[2])} {month}" if len(parts) == 3 else month


def disease_name(picture: Picture) -> str:
    """The disease with its lineage, where one is known: ``B-ALL``."""
    lineage = picture.disease.lineage
    return f"{lineage.value}-ALL" if lineage in (Lineage.B, Lineage.T) else "ALL"


def capital(text: str) -> str:
    """The text with its first letter in upper case."""
    return text[:1].upper() + text[1:]
