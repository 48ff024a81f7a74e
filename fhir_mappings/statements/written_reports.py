"""What a finding says of written reports: the words it stands on, and that none were seen."""

from __future__ import annotations

from collections.abc import Iterator

from fhir_mappings.assessment import Statement
from fhir_mappings.relapse.situation import Picture
from fhir_mappings.relapse.weighing import kind_of
from fhir_mappings.statements.sentences import dated
from fhir_mappings.statements.statement import capital, say


def reports_unseen(picture: Picture) -> Iterator[Statement]:
    """Reports were not seen: a newer result may stand only in one."""
    if picture.standing.reports_unseen:
        yield say("caution.reports-unseen", why=picture.standing.reports_unseen)


def in_words(picture: Picture) -> Iterator[Statement]:
    """The words that alone make the finding, as they are written."""
    quoted = picture.standing.in_words
    for one in quoted:
        date = dated(one.day, picture.knowledge, "no-date")
        yield say("probable.words", quote=one.quote, date=date, kind=capital(kind_of(one.report)))
    if quoted:
        yield say("probable.words.confirm")
