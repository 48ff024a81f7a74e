"""TRIAL and the option sections: trial first, then what is described for this lineage (S-003-04..07)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fhir_mappings.assessment import Indicator, Option, Section, Statement
from fhir_mappings.clinical.facts import Lineage, MedicationState
from fhir_mappings.clinical.options import Marker, OptionRule, OptionState
from fhir_mappings.knowledge.model import Knowledge
from fhir_mappings.relapse.situation import Picture
from fhir_mappings.statements.statement import is_active_disease, is_in_remission, say

ON_STUDY = frozenset(
    {"screening", "pending-on-study", "on-study", "on-study-intervention", "on-study-observation"}
)
_STATES = {
    OptionState.MATCHES: "option.matches",
    OptionState.CONFIRM: "option.confirm",
    OptionState.OUTSIDE_LABEL: "option.outside-label",
}


def trial_section(picture: Picture) -> Iterator[Section]:
    """Trial participation is preferred when available; an enrolment replaces the search (S-003-05, R-15)."""
    if not is_active_disease(picture):
        return
    enrolled = [one for one in picture.enrolments if one.state in ON_STUDY]
    if enrolled:
        lines = tuple(
            say("trial.enrolled", study=one.label or one.study, state=one.state) for one in enrolled
        )
        yield Section("TRIAL", Indicator.INFO, lines, say("trial.enrolled.summary"))
        return
    lines = (
        say("trial.preferred"),
        say("trial.match", facts=_matched_facts(picture)),
        say("trial.unchecked"),
    )
    yield Section("TRIAL", Indicator.INFO, lines, say("trial.summary"))


def _matched_facts(picture: Picture) -> str:
    facts = ["relapsed or refractory ALL" if picture.episode is None else "relapsed ALL"]
    lineage = picture.disease.lineage
    if lineage in (Lineage.B, Lineage.T):
        facts.append(f"{lineage.value} lineage")
    if picture.age is not None:
        facts.append(f"age {picture.age}")
    for name, marker in (("CD19", picture.markers.cd19), ("CD22", picture.markers.cd22)):
        if lineage is not Lineage.T and marker is not Marker.UNKNOWN:
            facts.append(f"{name} {marker.value}")
    if picture.markers.bcr_abl1 is not Marker.UNKNOWN:
        facts.append(f"BCR::ABL1 {picture.markers.bcr_abl1.value}")
    return ", ".join(facts)


def option_sections(picture: Picture) -> Iterator[Section]:
    """Options by lineage; none is named without a lineage (R-14)."""
    active = is_active_disease(picture)
    if not active and not (is_in_remission(picture) and picture.disease.lineage is Lineage.T):
        return
    rules = {rule.id: rule for rule in picture.knowledge.options}
    lineage = picture.disease.lineage
    named = {"B": ("OPT-B", "OPT-PH"), "T": ("OPT-T", "OPT-PH")}.get(lineage.value, ())
    for name in named:
        shown = [
            (option, rules[option.agent])
            for option in picture.options
            if rules[option.agent].section == name and option.state is not OptionState.EXCLUDED
        ]
        if name == "OPT-PH" and picture.markers.bcr_abl1 is not Marker.POSITIVE:
            continue
        if shown:
            lines = [line for option, rule in shown for line in _lines(option, rule, picture.knowledge)]
            if name != "OPT-PH":
                lines.extend(_salvage(picture, rules))
            if name == "OPT-B" and _salvage_without_antibody(picture):
                lines.append(say("opt-b.considered"))
            key = name.lower()
            summary = f"{key}.summary"
            if name == "OPT-B" and not any(option.agent == "blinatumomab" for option, _rule in shown):
                summary = "opt-b.summary.no-blinatumomab"
            yield Section(name, Indicator.INFO, (say(f"{key}.intro"), *lines), say(summary))


def _lines(option: Option, rule: OptionRule, knowledge: Knowledge) -> Iterator[Statement]:
    """Three lines an option: how it fits and why, what the label says, what harms."""
    reasons = _spoken(option.because, knowledge)
    yield Statement(_STATES[option.state], {"title": option.title, "reasons": reasons}, option.cites)
    yield Statement(rule.facts, {}, option.cites)
    if rule.safety:
        yield Statement(rule.safety, {}, option.cites)


def _spoken(reasons: Iterable[Statement], knowledge: Knowledge) -> str:
    return " ".join(knowledge.words[one.words].text.format(**one.values) for one in reasons)


def _salvage_without_antibody(picture: Picture) -> bool:
    """Chemotherapy ordered since the relapse, and neither CD19- nor CD22-directed therapy (S-003-49)."""
    episode, knowledge = picture.episode, picture.knowledge
    if episode is None:
        return False
    since = [
        drug
        for drug in picture.view.medications
        if not drug.intrathecal
        and (
            drug.state is MedicationState.PLANNED
            or (drug.start is not None and drug.start.first >= episode.event.first)
        )
    ]
    agents = {drug.agent for drug in since}
    directed = knowledge.agents_of("cd19-directed") | knowledge.agents_of("cd22-directed")
    chemotherapy = knowledge.agents_of("purine-analogue") | knowledge.agents_of("anthracycline")
    chemotherapy |= knowledge.agents_of("anthracenedione") | knowledge.agents_of("antimetabolite")
    return bool(agents & chemotherapy) and not agents & directed


def _salvage(picture: Picture, rules: dict[str, OptionRule]) -> Iterator[Statement]:
    """Salvage chemotherapy after targeted therapy, as text (S-003-22..26, S-003-29)."""
    regimens = [
        (option, rules[option.agent])
        for option in picture.options
        if rules[option.agent].section == "SALVAGE" and option.state is not OptionState.EXCLUDED
    ]
    if regimens:
        yield say("salvage.intro")
        for option, rule in regimens:
            yield Statement(rule.facts, {}, option.cites)
            if rule.id == "ukall-r3":
                yield say("outcome.r3.note")
            conditions = [one for one in option.because if one.words != "reason.lineage-matches"]
            if conditions:
                reasons = _spoken(conditions, picture.knowledge)
                yield say("salvage.condition", title=option.title, reasons=reasons)
