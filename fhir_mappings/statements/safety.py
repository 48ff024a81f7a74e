"""SAFE-CD19, SAFE-VOD, SAFE-NEURO and SAFE-ITONLY: what may harm or mislead."""

from __future__ import annotations

from collections.abc import Iterator

from fhir_mappings.assessment import Indicator, Section
from fhir_mappings.clinical.facts import Lineage, Medication, MedicationState
from fhir_mappings.clinical.options import Marker, OptionState
from fhir_mappings.relapse.episodes import Episode
from fhir_mappings.relapse.situation import Picture
from fhir_mappings.statements.section_kind import SectionKind
from fhir_mappings.statements.sentences import dated
from fhir_mappings.statements.statement import is_active_disease, is_in_remission, say


def cd19_section(picture: Picture) -> Iterator[Section]:
    """After CD19-directed therapy the antigen is tested again; without it no CD19 agent (CD19a-d)."""
    if not is_active_disease(picture) or picture.disease.lineage is Lineage.T:
        return
    knowledge = picture.knowledge
    treated = (knowledge.agents_of("cd19-directed") & picture.received.keys()) or picture.car_t
    if picture.markers.cd19 is Marker.NEGATIVE:
        lines = [say("safe-cd19.negative")]
        if treated:
            lines.append(say("safe-cd19.rates"))
        yield Section("SAFE-CD19", Indicator.WARNING, tuple(lines), say("safe-cd19.summary.negative"))
    elif treated:
        words = "safe-cd19.retest" if picture.markers.cd19 is Marker.UNKNOWN else "safe-cd19.retested"
        yield Section(
            "SAFE-CD19", Indicator.INFO, (say(words), say("safe-cd19.rates")), say("safe-cd19.summary")
        )


def veno_occlusive_section(picture: Picture) -> Iterator[Section]:
    """Inotuzumab after or before a transplant (INO)."""
    offered = is_active_disease(picture) and any(
        option.agent == "inotuzumab-ozogamicin" and option.state is not OptionState.EXCLUDED
        for option in picture.options
    )
    if offered and picture.transplants:
        day = picture.transplants[-1][0]
        yield Section(
            "SAFE-VOD",
            Indicator.WARNING,
            (
                say("safe-vod.transplant", date=dated(day, picture.knowledge)),
                say("safe-vod.rates"),
            ),
            say("safe-vod.summary"),
        )


def neurotoxicity_section(picture: Picture) -> Iterator[Section]:
    """Nelarabine's boxed warning, wherever nelarabine is named (NEL)."""
    if is_active_disease(picture) and any(
        option.agent == "nelarabine" and option.state is not OptionState.EXCLUDED
        for option in picture.options
    ):
        yield Section("SAFE-NEURO", Indicator.INFO, (say("safe-neuro.boxed"),), say("safe-neuro.summary"))


def intrathecal_alone_section(picture: Picture) -> Iterator[Section]:
    """Intrathecal drugs without systemic ones do not treat a CNS relapse (S-000-19)."""
    if (is_active_disease(picture) or is_in_remission(picture)) and is_intrathecal_alone(picture):
        yield Section(
            "SAFE-ITONLY", Indicator.WARNING, (say("safe-itonly.warning"),), say("safe-itonly.summary")
        )


def is_intrathecal_alone(picture: Picture) -> bool:
    """Intrathecal drugs ordered for a CNS relapse without any systemic therapy (S-000-19)."""
    site, episode = picture.site, picture.episode
    if site is None or episode is None or "cns" not in site.sites:
        return False
    orders = [drug for drug in picture.facts.medications if _is_current_order(drug, episode)]
    systemic = [drug for drug in orders if not drug.intrathecal and _is_antileukaemic(drug, picture)]
    return any(drug.intrathecal for drug in orders) and not systemic


def _is_current_order(drug: Medication, episode: Episode) -> bool:
    if drug.state is MedicationState.PLANNED and drug.start is None:
        return True
    return drug.start is not None and drug.start.first >= episode.event.first


def _is_antileukaemic(drug: Medication, picture: Picture) -> bool:
    """Any systemic agent the knowledge lists, growth factors and steroids alone not counting."""
    classes = picture.knowledge.agents[drug.agent].classes
    return not classes <= {"g-csf", "corticosteroid", "jak-inhibitor"}


CD19 = SectionKind("SAFE-CD19", cd19_section, ("safe-cd19.",))
VENO_OCCLUSIVE = SectionKind("SAFE-VOD", veno_occlusive_section, ("safe-vod.",))
NEUROTOXICITY = SectionKind("SAFE-NEURO", neurotoxicity_section, ("safe-neuro.",))
INTRATHECAL_ALONE = SectionKind("SAFE-ITONLY", intrathecal_alone_section, ("safe-itonly.",))
