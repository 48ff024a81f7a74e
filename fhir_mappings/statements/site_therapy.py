"""CNS-TX and TESTIS-TX: what the sources describe for a relapse in the CNS or the testes."""

from __future__ import annotations

from collections.abc import Iterator

from fhir_mappings.assessment import Indicator, Section, Statement
from fhir_mappings.clinical.answers import Answer
from fhir_mappings.clinical.facts import MedicationState
from fhir_mappings.clinical.moments import Moment
from fhir_mappings.relapse.situation import Picture
from fhir_mappings.statements.safety import is_intrathecal_alone
from fhir_mappings.statements.section_kind import SectionKind
from fhir_mappings.statements.statement import (
    is_active_disease,
    is_in_remission,
    is_referred_for_transplant,
    say,
)

INTRATHECAL = ("methotrexate", "cytarabine", "hydrocortisone")


def cns_section(picture: Picture) -> Iterator[Section]:
    """A relapse in the central nervous system."""
    if _is_involved("cns", picture):
        yield Section("CNS-TX", Indicator.INFO, tuple(_cns(picture)), say("cns-tx.summary"))


def testis_section(picture: Picture) -> Iterator[Section]:
    """A relapse in the testes."""
    if _is_involved("testis", picture):
        yield Section("TESTIS-TX", Indicator.INFO, tuple(_testis(picture)), say("testis-tx.summary"))


def _is_involved(name: str, picture: Picture) -> bool:
    site = picture.site
    return (
        site is not None and name in site.sites and (is_active_disease(picture) or is_in_remission(picture))
    )


def _cns(picture: Picture) -> Iterator[Statement]:
    yield say("cns-tx.intrathecal")
    if picture.site is not None and picture.site.marrow is Answer.NO:
        yield say("cns-tx.isolated")
    yield say("cns-tx.radiotherapy")
    if is_referred_for_transplant(picture):
        yield say("cns-tx.boost")
    if not is_intrathecal_alone(picture):
        yield say("cns-tx.not-intrathecal-alone")
    yield say("cns-tx.uncommon")
    yield from _prophylaxis(picture)


def _prophylaxis(picture: Picture) -> Iterator[Statement]:
    """CNS-directed therapy on record before the relapse (S-000-13)."""
    episode = picture.episode
    if episode is None:
        return
    before = [
        drug.start
        for drug in picture.view.medications
        if drug.intrathecal and drug.start is not None and drug.start.first < episode.event.first
    ]
    if before:
        first = min(before, key=lambda moment: moment.sort_key)
        yield say("cns-tx.prophylaxis", date=first.text)


def _testis(picture: Picture) -> Iterator[Statement]:
    """A checklist of four, each ticked from the record (S-000-25)."""
    since = picture.episode.event if picture.episode is not None else picture.view.today
    yield say("testis-tx.rarity")
    yield say("testis-tx.principles")
    for key, done in (
        ("reinduction", _given_since(picture, since, intrathecal=False)),
        ("chemotherapy", _goes_on(picture)),
        ("cns-prophylaxis", _given_since(picture, since, intrathecal=True)),
        ("radiotherapy", _irradiated(picture, since)),
    ):
        yield say(f"testis-tx.{key}.{'done' if done else 'open'}")
    yield say("testis-tx.response-adapted")


def _given_since(picture: Picture, since: Moment, intrathecal: bool) -> bool:
    return any(
        drug.start is not None
        and drug.start.first >= since.first
        and drug.intrathecal is intrathecal
        and drug.state in (MedicationState.GIVEN, MedicationState.RUNNING)
        for drug in picture.view.medications
    )


def _goes_on(picture: Picture) -> bool:
    """Systemic treatment after the reinduction; as long as its end is not on record, not shown."""
    end = picture.therapy.reinduction_end if picture.therapy is not None else None
    return end is not None and _given_since(picture, end, intrathecal=False)


def _irradiated(picture: Picture, since: Moment) -> bool:
    """Radiotherapy whose body site is the testis, or the removal of the testis."""
    return any(
        done.kind in ("testis-radiotherapy", "orchiectomy")
        and done.performed is not None
        and done.performed.last >= since.first
        for done in picture.view.procedures
    )


CNS = SectionKind("CNS-TX", cns_section, ("cns-tx.",))
TESTIS = SectionKind("TESTIS-TX", testis_section, ("testis-tx.",))
