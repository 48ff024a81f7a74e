"""TIMING, WORKUP and EMSCREEN: the classes with their arithmetic, and what is still to be looked at."""

from __future__ import annotations

from collections.abc import Iterator

from fhir_mappings.assessment import Indicator, Section, Statement, Status, Timing
from fhir_mappings.clinical.answers import Answer
from fhir_mappings.clinical.facts import DiagnosisKind, Lineage, Result
from fhir_mappings.clinical.options import Marker
from fhir_mappings.clinical.quantities import Measured, Presence, plain
from fhir_mappings.clinical.risk_groups import bfm_group, cog_group, uk_group
from fhir_mappings.relapse.situation import Markers, Picture
from fhir_mappings.statements.consolidation import response_mrd
from fhir_mappings.statements.section_kind import SectionKind
from fhir_mappings.statements.sentences import dated
from fhir_mappings.statements.statement import is_active_disease, is_in_remission, say


def timing_section(picture: Picture) -> Iterator[Section]:
    """Both seed systems with their arithmetic, and one sentence when they disagree (A-04)."""
    timing = picture.timing
    if timing is None or not (is_active_disease(picture) or is_in_remission(picture)):
        return
    lines = [*_first_relapse(picture, timing), *_groups(picture, timing), *_outcomes(picture, timing)]
    if timing.seed_003.value == "not-classified":
        lines = list(_later_relapse(picture, timing))
    yield Section("TIMING", Indicator.INFO, tuple(lines))


def _first_relapse(picture: Picture, timing: Timing) -> Iterator[Statement]:
    yield say(
        f"timing.seed-003.{timing.seed_003.value}",
        arithmetic=timing.seed_003.arithmetic,
        span=timing.seed_003.short or timing.seed_003.arithmetic,
    )
    if timing.seed_000.value != "not-applicable":
        yield say(f"timing.seed-000.{timing.seed_000.value}", arithmetic=timing.seed_000.arithmetic)
    if {timing.seed_003.value, timing.seed_000.value} in ({"early", "much-better"}, {"late", "very-poor"}):
        yield say("timing.disagree")
    if timing.cr1_months is not None:
        yield say("timing.cr1", months=str(timing.cr1_months))
    if timing.cr1_over_18_months is not None:
        yield say(f"timing.cr1-18.{timing.cr1_over_18_months.value}")
    yield say("timing.bfm", value=timing.bfm.value, arithmetic=timing.bfm.arithmetic)
    yield say("timing.cog", value=timing.cog.value, arithmetic=timing.cog.arithmetic)
    if picture.adult is Answer.YES:
        yield say("timing.adult")


def _groups(picture: Picture, timing: Timing) -> Iterator[Statement]:
    """The risk groups that follow from site, lineage and timing, by name of the group that made them."""
    site = picture.site
    if site is None:
        return
    isolated, combined = bool(site.sites), site.name == "combined"
    lineage = picture.disease.lineage
    sample = response_mrd(picture)
    above = Answer.UNSURE
    if sample is not None:
        above = sample.value.is_at_least(picture.knowledge.number("mrd_hsct_cog"))
    groups = (
        ("bfm", bfm_group(lineage, site.marrow, isolated, combined, timing.bfm.value)),
        ("cog", cog_group(lineage, site.marrow, isolated, timing.seed_003.value, above)),
        ("uk", uk_group(lineage, site.marrow, isolated, combined, timing.bfm.value)),
    )
    for name, group in groups:
        if group:
            yield say(f"risk.{name}", group=group.replace("-", " "))


def _outcomes(picture: Picture, timing: Timing) -> Iterator[Statement]:
    """Outcome figures of the trials for the patient's class, with what is doubtful about them (A-08)."""
    site = picture.site
    if site is not None and site.marrow is Answer.YES and timing.seed_003.value in ("early", "late"):
        yield say(f"outcome.rez90.{timing.seed_003.value}")
        yield say(f"outcome.aall01p2.{timing.seed_003.value}")
    if timing.seed_003.value == "early":
        yield say("outcome.early-poor")


def _later_relapse(picture: Picture, timing: Timing) -> Iterator[Statement]:
    yield say("timing.later-relapse")
    if timing.seed_003.months is not None:
        yield say("timing.since-diagnosis", months=str(timing.seed_003.months))
    if timing.months_since_transplant is not None:
        yield say("timing.since-transplant", months=str(timing.months_since_transplant))


def workup_section(picture: Picture) -> Iterator[Section]:
    """What steps 1.3 to 1.5 of the summary ask for: immunophenotype, genetics, age, earlier treatment."""
    if not is_active_disease(picture):
        return
    lines = [*_biology(picture), *_patient(picture), *_treatment(picture), *_pending(picture)]
    yield Section("WORKUP", Indicator.INFO, tuple(lines))


def _biology(picture: Picture) -> Iterator[Statement]:
    markers, lineage = picture.markers, picture.disease.lineage
    if picture.lineage_switch is not None:
        yield picture.lineage_switch
    if lineage in (Lineage.UNKNOWN, Lineage.MIXED):
        yield say(f"workup.lineage.{lineage.value}")
    else:
        yield say("workup.lineage", lineage=lineage.value)
    if lineage is not Lineage.T:
        yield from _antigens(picture)
    yield _philadelphia(markers)
    if markers.kmt2a is Marker.POSITIVE:
        yield say("workup.kmt2a")


def _antigens(picture: Picture) -> Iterator[Statement]:
    """CD19 and CD22 with the result they stand on, and the cut-offs a percentage was held against."""
    markers, knowledge = picture.markers, picture.knowledge
    found = (("CD19", markers.cd19, markers.cd19_from), ("CD22", markers.cd22, markers.cd22_from))
    for name, marker, result in found:
        if result is None:
            yield say("workup.antigen.unknown", antigen=name)
        else:
            key = "undecided" if marker is Marker.UNKNOWN else marker.value
            yield say(f"workup.antigen.{key}", antigen=name, value=_found(result))
    if any(result is not None and isinstance(result.value, Measured) for _name, _marker, result in found):
        positive = plain(knowledge.number("antigen_positive_at_least"))
        negative = plain(knowledge.number("antigen_negative_below"))
        yield say("workup.antigen.cut-off", positive=positive, negative=negative)


def _philadelphia(markers: Markers) -> Statement:
    if markers.bcr_abl1 is Marker.UNKNOWN:
        return say("workup.bcr-abl1.unknown")
    if markers.bcr_abl1_from is None:
        return say("workup.bcr-abl1.coded", status=markers.bcr_abl1.value)
    return say(f"workup.bcr-abl1.{markers.bcr_abl1.value}", value=_found(markers.bcr_abl1_from))


def _found(result: Result) -> str:
    """The value as far as it is known, and the day of the specimen."""
    value = result.value
    text = value.value if isinstance(value, Presence) else ""
    if isinstance(value, Measured):
        text = f"{value.text} {value.unit}" if value.unit else value.original
    return ", ".join(part for part in (text, result.collected.text if result.collected else "") if part)


def _patient(picture: Picture) -> Iterator[Statement]:
    if picture.age is not None:
        yield say("workup.age", age=str(picture.age))
    else:
        yield say("workup.age-unknown")
    if any(found.kind is DiagnosisKind.DOWN_SYNDROME for found in picture.view.diagnoses):
        yield say("workup.down-syndrome")
    yield say("workup.comorbidity")


def _treatment(picture: Picture) -> Iterator[Statement]:
    """Earlier antibody, cellular, inhibitor and transplant treatment, by date (S-003-18)."""
    knowledge = picture.knowledge
    received = picture.received
    watched = (
        knowledge.agents_of("cd19-directed")
        | knowledge.agents_of("cd22-directed")
        | knowledge.agents_of("car-t")
        | knowledge.agents_of("bcr-abl-tki")
    )
    for agent in sorted(watched & received.keys()):
        day = received[agent]
        yield say(
            "workup.received",
            agent=knowledge.agents[agent].title,
            date=dated(day, picture.knowledge, "date-not-recorded"),
        )
    for day, _resource in picture.transplants:
        yield say("workup.transplant", date=dated(day, picture.knowledge, "date-not-recorded"))
    if picture.car_t:
        yield say("workup.car-t")
    anthracyclines = sorted(knowledge.agents_of("anthracycline") & received.keys())
    if anthracyclines:
        yield say("workup.anthracycline")
    if any(done.kind == "cranial-radiotherapy" for done in picture.view.procedures):
        yield say("workup.cranial-radiotherapy")
    yield say("workup.prior-therapy")


def _pending(picture: Picture) -> Iterator[Statement]:
    """Examinations requested and not resulted (F-11)."""
    for referral in picture.referrals:
        if referral.kind in ("marrow", "csf") and referral.state in ("active", "on-hold"):
            date = dated(referral.authored, picture.knowledge)
            yield say(f"workup.pending.{referral.kind}", date=date)


def screening_section(picture: Picture) -> Iterator[Section]:
    """Sites not yet examined in a relapse (S-000-09, S-003-50)."""
    site = picture.site
    if site is None or not site.unexamined or not is_active_disease(picture):
        return
    lines = (*(say(f"emscreen.{name}") for name in site.unexamined), say("emscreen.commonest"))
    relapse = picture.standing.status in (Status.RELAPSE, Status.PERSISTENT)
    indicator = Indicator.WARNING if relapse and "csf" in site.unexamined else Indicator.INFO
    yield Section("EMSCREEN", indicator, lines, say("emscreen.summary"))


TIMING = SectionKind("TIMING", timing_section, ("timing.", "risk.", "outcome."))
WORKUP = SectionKind("WORKUP", workup_section, ("workup.",))
SCREENING = SectionKind("EMSCREEN", screening_section, ("emscreen.",))
