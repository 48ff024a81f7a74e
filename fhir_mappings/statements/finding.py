"""RELAPSE, PROBABLE, SUSPECT, REFRACT and PERSIST: the finding with its evidence."""

from __future__ import annotations

from collections.abc import Iterator

from fhir_mappings.assessment import CriterionResult, Indicator, Section, Statement, Status
from fhir_mappings.clinical.answers import Answer
from fhir_mappings.clinical.facts import Phase
from fhir_mappings.clinical.moments import Moment, within_days
from fhir_mappings.clinical.verdict import Evidence, Met, Missing
from fhir_mappings.knowledge.criterion import Criterion
from fhir_mappings.knowledge.relapsed_all.criteria import CRITERIA, CRITERION
from fhir_mappings.relapse.episodes import Episode, Grade
from fhir_mappings.relapse.situation import Picture
from fhir_mappings.relapse.suspicions import NearMiss, growth_factor_before
from fhir_mappings.relapse.usable_results import MARROW, measured
from fhir_mappings.statements.doubts import TREATMENT_NEEDS, is_long_ago, rival_statement
from fhir_mappings.statements.headlines import (
    brief_result,
    episode_of,
    headline,
    ordinal,
    persist_headline,
    site_words,
)
from fhir_mappings.statements.section_kind import SectionKind
from fhir_mappings.statements.sentences import phrase
from fhir_mappings.statements.statement import capital, disease_name, say, spoken_day
from fhir_mappings.statements.written_reports import in_words, reports_unseen


def suspect_section(picture: Picture) -> Iterator[Section]:
    """Near misses, alone or before the history of a relapse in remission again."""
    standing = picture.standing
    misses = standing.misses
    returned = standing.status is Status.RELAPSE and standing.phase == "in-remission"
    if standing.status is not Status.SUSPECT and not returned:
        return
    if standing.status is Status.SUSPECT and not misses and standing.unusable:
        yield Section("SUSPECT", Indicator.INFO, (say("suspect.unusable"),), say("suspect.unusable.summary"))
    elif misses:
        indicator = Indicator.WARNING if any(miss.urgent for miss in misses) else Indicator.INFO
        yield Section(
            "SUSPECT", indicator, tuple(_suspect(picture)), say(f"suspect.{misses[0].kind}.summary")
        )


def relapse_section(picture: Picture) -> Iterator[Section]:
    """The relapse itself with its evidence, or its history once it is in remission again."""
    if picture.standing.status is not Status.RELAPSE:
        return
    active = picture.standing.phase == "active"
    indicator = Indicator.CRITICAL if active else Indicator.INFO
    if active:
        yield Section("RELAPSE", indicator, tuple(_relapse_lines(picture)), headline(picture, "relapse"))
    else:
        episode = episode_of(picture)
        remission = episode.after.day.text if episode.after is not None else ""
        number = ordinal(episode.number, picture.knowledge)
        words = say(
            "relapse.history.summary",
            number=number,
            date=episode.event.text,
            disease=disease_name(picture),
            since=f"since {spoken_day(remission)}" if remission else "",
            day=spoken_day(episode.event.text),
        )
        lines = [
            say(
                "relapse.history",
                number=capital(number),
                date=episode.event.text,
                site=site_words(picture),
                remission=remission,
            )
        ]
        yield Section("RELAPSE", indicator, (*lines, *_criteria(picture, episode)), words)


def probable_section(picture: Picture) -> Iterator[Section]:
    """A relapse by another criteria set, by a code alone, or one that is contradicted."""
    if picture.standing.status is Status.PROBABLE:
        indicator = Indicator.INFO if is_long_ago(picture) else Indicator.WARNING
        yield Section("PROBABLE", indicator, tuple(_probable(picture)), headline(picture, "probable"))


def refractory_section(picture: Picture) -> Iterator[Section]:
    """The first disease without a remission after induction."""
    if picture.standing.status is Status.REFRACTORY:
        yield Section("REFRACT", Indicator.WARNING, tuple(_refractory(picture)), _refractory_summary(picture))


def persistent_section(picture: Picture) -> Iterator[Section]:
    """Disease that persists after reinduction."""
    if picture.standing.status is Status.PERSISTENT:
        yield Section("PERSIST", Indicator.WARNING, tuple(_persistent(picture)), persist_headline(picture))


def _relapse_lines(picture: Picture) -> Iterator[Statement]:
    episode = episode_of(picture)
    if episode.grade is Grade.CODED:
        yield say("relapse.coded", date=episode.event.text)
        yield say("relapse.coded.confirm")
    yield from _criteria(picture, episode)
    yield from _diagnosis_open(picture)
    yield from _other_readings(picture, episode)
    yield say("relapse.site", site=site_words(picture))
    yield from _site_notes(picture)
    yield from _remission_line(picture, episode)
    yield from _cautions(picture, episode)
    yield from _problem_list(picture, episode)
    yield from _earlier(picture)
    yield from reports_unseen(picture)


def _probable(picture: Picture) -> Iterator[Statement]:
    episode = episode_of(picture)
    yield from in_words(picture)
    yield from _criteria(picture, episode)
    yield from _diagnosis_open(picture)
    if picture.standing.remission == "unknown":
        yield say("probable.no-remission")
    if episode.grade is Grade.CODED and not picture.standing.in_words:
        yield say("relapse.coded", date=episode.event.text)
        yield say("probable.coded-not-found")
    if picture.standing.untreated:
        looked = not picture.unseen & TREATMENT_NEEDS
        yield say("probable.old.untreated" if looked else "probable.old.not-looked", date=episode.event.text)
    if episode.rival is not None:
        yield rival_statement(episode.rival)
    if episode.disagreeing:
        values = "; ".join(measured(sample.evidence()) for sample in episode.disagreeing)
        yield say("probable.disagree", value=values)
    if episode.contradicted:
        yield say("probable.contradicted")
    elif episode.grade is Grade.CONSENSUS:
        yield from _near_seed(picture, episode)
        yield from _other_readings(picture, episode)
        yield say("probable.confirm")
    yield say("relapse.site", site=site_words(picture))
    yield from _site_notes(picture)
    yield from _remission_line(picture, episode)
    yield from _cautions(picture, episode)
    yield from _earlier(picture)
    yield from reports_unseen(picture)


def _refractory(picture: Picture) -> Iterator[Statement]:
    samples = picture.standing.refractory
    yield from _diagnosis_open(picture)
    if samples:
        yield say("refract.marrow", value=measured(samples[-1].evidence()))
    else:
        yield say("refract.coded")
    yield say("refract.meaning")


def _refractory_summary(picture: Picture) -> Statement:
    samples = picture.standing.refractory
    value = "coded by a clinician"
    if samples:
        found = samples[-1].evidence()
        value = f"{brief_result(found)}, {spoken_day(found.date)}"
    return say("refract.summary", disease=disease_name(picture), value=value)


def _persistent(picture: Picture) -> Iterator[Statement]:
    if picture.standing.persistent is not None:
        found = "; ".join(measured(item) for item in picture.standing.persistent.evidence)
        yield say("persist.found", value=found)
    yield say("persist.options")
    episode = episode_of(picture)
    yield from _criteria(picture, episode)
    yield say("relapse.site", site=site_words(picture))
    yield from _site_notes(picture)


def _suspect(picture: Picture) -> Iterator[Statement]:
    for miss in picture.standing.misses:
        yield _miss(miss, picture)
        taps = picture.course.window.taps
        if miss.kind in ("csf-blasts", "csf-traumatic") and taps and taps[-1].cns_class:
            yield say("site.cns-class", value=taps[-1].cns_class)
    for miss in picture.standing.misses:
        if miss.day is not None and miss.kind == "marrow" and _recently_transplanted(picture, miss.day):
            yield say("caution.regeneration")
    yield from _earlier(picture)
    yield from reports_unseen(picture)


def _miss(miss: NearMiss, picture: Picture) -> Statement:
    words = f"suspect.{miss.kind}"
    found = "; ".join(measured(item) for item in miss.evidence)
    opens = picture.knowledge.words[words].text.startswith("{value}")
    return say(words, value=capital(found) if opens else found)


def _criteria(picture: Picture, episode: Episode) -> Iterator[Statement]:
    """Every criterion met, of every set, each naming its set (S-000-07, 2.3 rule 2)."""
    sets = {criteria.id: criteria for criteria in picture.knowledge.criteria_sets}
    for one in episode.results:
        if not isinstance(one.verdict, Met):
            continue
        if _told_by_another(one, episode):
            continue
        words = f"criterion.{one.id}" if sets[one.criteria_set].default else "criterion.other-set"
        yield Statement(
            words,
            {
                "id": one.id,
                "set": sets[one.criteria_set].label,
                "evidence": "; ".join(_held(item) for item in one.verdict.because),
            },
            one.cites,
        )
    if any(
        item.what.startswith(picture.knowledge.titles["marrow-blasts"])
        for one in episode.results
        if isinstance(one.verdict, Met)
        for item in one.verdict.because
    ):
        yield say("criterion.lineage-not-stated")


def _told_by_another(result: CriterionResult, episode: Episode) -> bool:
    """Whether it is met by the evidence of a criterion that it includes, whose sentence names both."""
    included = [criterion.letter for criterion in CRITERION[result.id].includes]
    return any(
        other.id in included
        and other.criteria_set == result.criteria_set
        and isinstance(other.verdict, Met)
        and other.verdict.because == result.verdict.because
        for other in episode.results
    )


def _held(item: Evidence) -> str:
    comparator = "≥" if item.comparator == ">=" else item.comparator
    against = f" ({comparator} {item.threshold})" if item.threshold else ""
    return measured(item) + against


def _near_seed(picture: Picture, episode: Episode) -> Iterator[Statement]:
    """Which default threshold of the same site was not exceeded, when only another set is met."""
    default = picture.knowledge.default_set
    sites = {CRITERION[one.id].site for one in episode.results if isinstance(one.verdict, Met)}
    for one in episode.results:
        criterion = CRITERION[one.id]
        if one.criteria_set != default.id or not criterion.yardstick or criterion.site not in sites:
            continue
        held = [item for item in one.verdict.because if item.threshold]
        if held:
            yield Statement(
                "probable.seed-not-exceeded",
                {"id": one.id, "set": default.label, "evidence": "; ".join(_held(item) for item in held)},
                one.cites,
            )


def _other_readings(picture: Picture, episode: Episode) -> Iterator[Statement]:
    """A criterion under the other readings of its wording, where they differ from the chosen one (A-02)."""
    for criterion in CRITERIA:
        if criterion.readings:
            yield from _read_otherwise(criterion, picture, episode)


def _read_otherwise(criterion: Criterion, picture: Picture, episode: Episode) -> Iterator[Statement]:
    default = picture.knowledge.default_set
    chosen = criterion.of(default)
    if chosen is None:
        return
    met = any(
        one.criteria_set == default.id and one.id == criterion.letter and isinstance(one.verdict, Met)
        for one in episode.results
    )
    for reading in criterion.readings:
        if reading == chosen.reading:
            continue
        other = default.with_part(criterion.key, chosen.model_copy(update={"mode": reading}))
        verdict = criterion.evaluate(episode.window, other, _no_gap)
        if isinstance(verdict, Met) is not met:
            yield say(f"criterion.{criterion.letter}.reading.{reading}.{'not-met' if met else 'met'}")


def _no_gap(key: str) -> Missing:
    return Missing(key, key, "")


def _site_notes(picture: Picture) -> Iterator[Statement]:
    """What is known of each site, and what is only suspected beside the proven finding (F-21)."""
    if picture.standing.phase == "active":
        for miss in picture.standing.misses:
            yield _miss(miss, picture)
    site = picture.site
    if site is None:
        return
    if site.cns is not None and site.cns.cns_class:
        yield say("site.cns-class", value=site.cns.cns_class)
    elif site.cns is None and "cns" in site.sites:
        yield say("site.cns-3c")
    if site.cns_undetermined is not None:
        tap = site.cns_undetermined
        words = "site.cns-undetermined"
        if tap.traumatic is not Answer.NO and tap.steinherz_bleyer is not Answer.YES:
            words = "site.cns-traumatic"
        classed = tap.cns_class or phrase(picture.knowledge, "not-classed")
        yield say(words, date=tap.draw.day.text, value=classed)
    if site.name == "extramedullary-isolation-unknown":
        yield say("site.marrow-needed")
    elif site.sites and site.marrow_sample is not None:
        yield say("site.marrow", value=measured(site.marrow_sample.evidence()))


def _diagnosis_open(picture: Picture) -> Iterator[Statement]:
    """That the problem list leaves ALL open, in a chart that was read for it all the same (D-01, D-03)."""
    disease = picture.disease
    if disease.certain:
        return
    label = disease.all_diagnoses[0].label or "leukaemia"
    yield say("diagnosis.history" if disease.history is not None else "diagnosis.open", diagnosis=label)
    yield say("diagnosis.confirm")


def _remission_line(picture: Picture, episode: Episode) -> Iterator[Statement]:
    before = episode.before
    if before is None:
        return
    if before.basis == "history":
        yield say("remission.history")
    elif before.basis in ("documented", "derived"):
        yield say(f"remission.{before.basis}", date=before.day.text)
    else:
        yield say("remission.undated")


def _cautions(picture: Picture, episode: Episode) -> Iterator[Statement]:
    """G-CSF or a recent transplant adds a caution and silences nothing (0.4, F-04, F-05)."""
    if growth_factor_before(episode.event, picture.view, picture.knowledge):
        yield say("caution.growth-factor")
    if _recently_transplanted(picture, episode.event):
        yield say("caution.regeneration")
    if episode.grade is Grade.DEFAULT and _followed_by_clear_marrow(picture, episode):
        yield say("caution.second-marrow", value=measured(episode.window.marrow[-1].evidence()))
    if any(result.note == "haematogones" for result in picture.view.results(*MARROW, "mrd")):
        yield say("caution.haematogones")


def _followed_by_clear_marrow(picture: Picture, episode: Episode) -> bool:
    """A marrow below the remission threshold soon after the one that met the criterion."""
    below = picture.knowledge.number("remission_marrow_below")
    samples = episode.window.marrow
    if not samples or samples[-1].day.first <= episode.event.last:
        return False
    met = [CRITERION[one.id] for one in episode.results if isinstance(one.verdict, Met)]
    counted = any(criterion.samples == "marrow" for criterion in met)
    return counted and samples[-1].value.is_at_least(below) is Answer.NO


def _recently_transplanted(picture: Picture, day: Moment) -> bool:
    limit = picture.knowledge.whole("regeneration_days")
    return any(
        done is not None and done.first <= day.first and within_days(done, day, limit) is Answer.YES
        for done, _resource in picture.transplants
    )


def _problem_list(picture: Picture, episode: Episode) -> Iterator[Statement]:
    """A problem list that says remission while the newer result says relapse (F-29)."""
    if episode.grade is Grade.DEFAULT and any(
        found.phase is Phase.REMISSION for found in picture.disease.all_diagnoses
    ):
        yield say("relapse.problem-list")


def _earlier(picture: Picture) -> Iterator[Statement]:
    for episode in picture.standing.previous:
        yield say(
            "relapse.earlier", number=ordinal(episode.number, picture.knowledge), date=episode.event.text
        )


RELAPSE = SectionKind(
    "RELAPSE", relapse_section, ("relapse.", "site.", "remission.", "caution.", "criterion.")
)
PROBABLE = SectionKind("PROBABLE", probable_section, ("probable.", "diagnosis."))
SUSPECT = SectionKind("SUSPECT", suspect_section, ("suspect.",))
REFRACTORY = SectionKind("REFRACT", refractory_section, ("refract.",))
PERSISTENT = SectionKind("PERSIST", persistent_section, ("persist.",))
