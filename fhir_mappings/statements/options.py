"""TRIAL and the option sections: trial first, then what is described for this lineage (S-003-04..07)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fhir_mappings.assessment import Indicator, Option, Section, Statement, Status
from fhir_mappings.clinical.facts import Lineage, MedicationState
from fhir_mappings.clinical.options import Marker, OptionRule, OptionState
from fhir_mappings.knowledge.model import Knowledge
from fhir_mappings.relapse.situation import Picture
from fhir_mappings.statements.section_kind import SectionKind
from fhir_mappings.statements.sentences import phrase, sentence
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
    probable = picture.standing.status is Status.PROBABLE
    summary = say("trial.summary.if-confirmed" if probable else "trial.summary")
    yield Section("TRIAL", Indicator.INFO, lines, summary)


def _matched_facts(picture: Picture) -> str:
    knowledge, lineage = picture.knowledge, picture.disease.lineage
    facts = [
        phrase(knowledge, f"trial.{'relapsed-or-refractory' if picture.episode is None else 'relapsed'}")
    ]
    if lineage in (Lineage.B, Lineage.T):
        facts.append(phrase(knowledge, "trial.lineage", lineage=lineage.value))
    if picture.age is not None:
        facts.append(phrase(knowledge, "trial.age", age=str(picture.age)))
    for name, marker in (("CD19", picture.markers.cd19), ("CD22", picture.markers.cd22)):
        if lineage is not Lineage.T and marker is not Marker.UNKNOWN:
            facts.append(phrase(knowledge, "trial.marker", name=name, status=marker.value))
    if picture.markers.bcr_abl1 is not Marker.UNKNOWN:
        facts.append(
            phrase(knowledge, "trial.marker", name="BCR::ABL1", status=picture.markers.bcr_abl1.value)
        )
    return ", ".join(facts)


def b_lineage_section(picture: Picture) -> Iterator[Section]:
    """What is described for B lineage; none is named without a lineage (R-14)."""
    if picture.disease.lineage is not Lineage.B or not _has_options(picture):
        return
    shown = _shown("OPT-B", picture)
    if shown:
        lines = [*_described(shown, picture), *_salvage(picture)]
        if _salvage_without_antibody(picture):
            lines.append(say("opt-b.considered"))
        named = any(option.agent == "blinatumomab" for option, _rule in shown)
        words = "opt-b.summary" if named else "opt-b.summary.no-blinatumomab"
        summary = say(words, agents=_agents(shown))
        yield Section("OPT-B", Indicator.INFO, (say("opt-b.intro"), *lines), summary)


def t_lineage_section(picture: Picture) -> Iterator[Section]:
    """What is described for T lineage, in remission too (R-14)."""
    if picture.disease.lineage is not Lineage.T or not _has_options(picture):
        return
    shown = _shown("OPT-T", picture)
    if shown:
        lines = (say("opt-t.intro"), *_described(shown, picture), *_salvage(picture))
        yield Section("OPT-T", Indicator.INFO, lines, say("opt-t.summary", agents=_agents(shown)))


def philadelphia_section(picture: Picture) -> Iterator[Section]:
    """What is described beside the lineage where BCR::ABL1 is found."""
    if picture.markers.bcr_abl1 is not Marker.POSITIVE or not _has_options(picture):
        return
    shown = _shown("OPT-PH", picture)
    if shown and picture.disease.lineage in (Lineage.B, Lineage.T):
        lines = (say("opt-ph.intro"), *_described(shown, picture))
        yield Section("OPT-PH", Indicator.INFO, lines, say("opt-ph.summary"))


def _has_options(picture: Picture) -> bool:
    in_remission = is_in_remission(picture) and picture.disease.lineage is Lineage.T
    return is_active_disease(picture) or in_remission


def _shown(section: str, picture: Picture) -> list[tuple[Option, OptionRule]]:
    """The options of a section that nothing excludes, each with its row of the table."""
    rules = {rule.id: rule for rule in picture.knowledge.options}
    return [
        (option, rules[option.agent])
        for option in picture.options
        if rules[option.agent].section == section and option.state is not OptionState.EXCLUDED
    ]


def _described(shown: Iterable[tuple[Option, OptionRule]], picture: Picture) -> Iterator[Statement]:
    for option, rule in shown:
        yield from _lines(option, rule, picture.knowledge)


def _lines(option: Option, rule: OptionRule, knowledge: Knowledge) -> Iterator[Statement]:
    """Three lines an option: how it fits and why, what the label says, what harms."""
    values = {
        "title": option.title,
        "reasons": _spoken(option.because, knowledge),
        "name": _name(option),
        "why": _why(option, knowledge),
        "warning": knowledge.words[rule.safety].brief if rule.safety else "",
    }
    yield Statement(_STATES[option.state], values, option.cites)
    yield Statement(rule.facts, {}, option.cites)
    if rule.safety:
        yield Statement(rule.safety, {}, option.cites)


def _name(option: Option) -> str:
    """The agent alone, without what its title explains in brackets."""
    return option.title.partition(" (")[0]


def _agents(shown: Iterable[tuple[Option, OptionRule]]) -> str:
    """The agents that fit what is on record, else those to be confirmed, by name."""
    options = [option for option, _rule in shown]
    for state, words in ((OptionState.MATCHES, ""), (OptionState.CONFIRM, " to be confirmed")):
        names = [_name(option) for option in options if option.state is state]
        if names:
            return ", ".join(names[:4]) + words
    return "none within the label"


def _why(option: Option, knowledge: Knowledge) -> str:
    """Its reasons in few words: what is to be confirmed, what was given before, what else decides."""
    said = [knowledge.words[one.words].brief.format(**one.values) for one in option.because]
    lineage = [one.words == "reason.lineage-matches" for one in option.because]
    telling = [words for words, is_lineage in zip(said, lineage, strict=True) if words and not is_lineage]
    return ", ".join(dict.fromkeys(telling or said))


def _spoken(reasons: Iterable[Statement], knowledge: Knowledge) -> str:
    return " ".join(sentence(one, knowledge.words) for one in reasons)


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


def _salvage(picture: Picture) -> Iterator[Statement]:
    """Salvage chemotherapy after targeted therapy, as text (S-003-22..26, S-003-29)."""
    regimens = _shown("SALVAGE", picture)
    if regimens:
        yield say("salvage.intro", names=", ".join(_name(option) for option, _rule in regimens))
        for option, rule in regimens:
            yield Statement(rule.facts, {}, option.cites)
            if rule.id == "ukall-r3":
                yield say("outcome.r3.note")
            conditions = [one for one in option.because if one.words != "reason.lineage-matches"]
            if conditions:
                reasons = _spoken(conditions, picture.knowledge)
                yield say("salvage.condition", title=option.title, reasons=reasons)


TRIAL = SectionKind("TRIAL", trial_section, ("trial.",))
B_LINEAGE = SectionKind("OPT-B", b_lineage_section, ("opt-b.", "salvage.", "outcome.r3.note"))
T_LINEAGE = SectionKind("OPT-T", t_lineage_section, ("opt-t.", "salvage.", "outcome.r3.note"))
PHILADELPHIA = SectionKind("OPT-PH", philadelphia_section, ("opt-ph.",))
