"""Where the disease came back, and which sites have not been looked at."""

from __future__ import annotations

from dataclasses import dataclass

from fhir_mappings.assessment import CriterionResult
from fhir_mappings.clinical.answers import Answer
from fhir_mappings.clinical.cns import TapReading
from fhir_mappings.clinical.facts import Person
from fhir_mappings.clinical.moments import Moment, within_days
from fhir_mappings.clinical.samples import Sample
from fhir_mappings.clinical.verdict import Evidence, Met
from fhir_mappings.clinical.window import SiteFinding
from fhir_mappings.knowledge.model import Knowledge
from fhir_mappings.knowledge.relapsed_all.criteria import CRITERION
from fhir_mappings.relapse.episodes import Episode
from fhir_mappings.relapse.usable_results import View


@dataclass(frozen=True, slots=True)
class SitePicture:
    """Site of a relapse.

    ``marrow`` says whether the marrow is involved. ``sites`` are the proven sites outside it.
    ``unexamined`` names cns and testis where nothing was looked at. ``cns_undetermined`` is a tap that
    decides nothing (R-13).
    """

    name: str
    marrow: Answer
    sites: tuple[str, ...]
    marrow_sample: Sample | None
    unexamined: tuple[str, ...]
    cns_undetermined: TapReading | None
    cns: TapReading | None
    cns_involved: Answer = Answer.UNSURE
    cns_because: tuple[Evidence, ...] = ()


def site_picture(episode: Episode, view: View, person: Person | None, knowledge: Knowledge) -> SitePicture:
    """The site of the event from everything within the pairing windows (S-000-05, S-003-12, A-15)."""
    window = knowledge.whole("isolated_window_days")
    met = [one for one in episode.results if isinstance(one.verdict, Met)]
    taps = [tap for tap in view.taps if within_days(tap.draw.day, episode.event, window) is not Answer.NO]
    findings = _findings_near(episode, knowledge)
    cns_tap = next((tap for tap in taps if _proves_cns(tap, met)), None)
    sites = tuple(sorted({finding.site for finding in findings} | ({"cns"} if cns_tap else set())))
    by_marrow = any(CRITERION[one.id].in_marrow for one in met)
    near = [
        sample for sample in view.marrow if within_days(sample.day, episode.event, window) is not Answer.NO
    ]
    marrow, sample = _marrow_involved(by_marrow, near, knowledge)
    undetermined = next(
        (
            tap
            for tap in taps
            if tap.draw.blasts is not Answer.NO and tap is not cns_tap and tap.cns_class != "CNS1"
        ),
        None,
    )
    involved, because = _cns_involved(cns_tap, findings, taps, undetermined)
    return SitePicture(
        name=_name(marrow, sites, bool(met)),
        marrow=marrow,
        sites=sites,
        marrow_sample=sample,
        unexamined=_unexamined(taps, findings, episode.event, view, person, knowledge),
        cns_undetermined=undetermined if cns_tap is None else None,
        cns=cns_tap,
        cns_involved=involved,
        cns_because=because,
    )


def _cns_involved(
    proof: TapReading | None,
    findings: list[SiteFinding],
    taps: list[TapReading],
    undetermined: TapReading | None,
) -> tuple[Answer, tuple[Evidence, ...]]:
    """Involved by proof; not involved only where every puncture near the event was free of blasts."""
    if proof is not None:
        return Answer.YES, proof.draw.evidence()
    stated = next((finding for finding in findings if finding.site == "cns"), None)
    if stated is not None:
        return Answer.YES, stated.evidence
    if not taps or undetermined is not None or any(tap.cns_class != "CNS1" for tap in taps):
        return Answer.UNSURE, ()
    return Answer.NO, max(taps, key=lambda tap: tap.draw.day.sort_key).draw.evidence()


def _findings_near(episode: Episode, knowledge: Knowledge) -> list[SiteFinding]:
    days = knowledge.whole("testis_window_days")
    return [
        finding
        for finding in episode.window.findings
        if finding.proven is Answer.YES and within_days(finding.day, episode.event, days) is not Answer.NO
    ]


def _proves_cns(tap: TapReading, met: list[CriterionResult]) -> bool:
    resources = {
        item.resource
        for one in met
        if CRITERION[one.id].outside_marrow and isinstance(one.verdict, Met)
        for item in one.verdict.because
    }
    ours = {sample.result.resource for sample in (tap.draw.wbc, tap.draw.rbc) if sample is not None}
    if tap.draw.blasts_from is not None:
        ours.add(tap.draw.blasts_from.resource)
    return tap.draw.blasts is Answer.YES and bool(resources & ours)


def _marrow_involved(
    by_marrow: bool, near: list[Sample], knowledge: Knowledge
) -> tuple[Answer, Sample | None]:
    if by_marrow:
        return Answer.YES, near[-1] if near else None
    below = knowledge.number("isolated_marrow_below")
    answers = [(sample.value.is_at_least(below), sample) for sample in near]
    for wanted in (Answer.YES, Answer.UNSURE, Answer.NO):
        for answer, sample in answers:
            if answer is wanted:
                return answer, sample
    return Answer.UNSURE, None


def _name(marrow: Answer, sites: tuple[str, ...], measured: bool) -> str:
    if not measured and not sites:
        return ""
    if not sites:
        return "isolated-marrow"
    if marrow is Answer.YES:
        return "combined"
    if marrow is Answer.UNSURE:
        return "extramedullary-isolation-unknown"
    return f"isolated-{sites[0]}" if len(sites) == 1 and sites[0] in ("cns", "testis") else "isolated-other"


def _unexamined(
    taps: list[TapReading],
    findings: list[SiteFinding],
    event: Moment,
    view: View,
    person: Person | None,
    knowledge: Knowledge,
) -> tuple[str, ...]:
    found = []
    if not taps:
        found.append("csf")
    examined = any(finding.site == "testis" for finding in findings) or any(
        done.kind in ("testis-biopsy", "orchiectomy")
        and done.performed is not None
        and within_days(done.performed, event, knowledge.whole("testis_window_days")) is not Answer.NO
        for done in view.procedures
    )
    examined = examined or any(
        result.collected is not None
        and within_days(result.collected, event, knowledge.whole("testis_window_days")) is not Answer.NO
        for result in view.results("testis-exam")
    )
    if person is not None and person.sex == "male" and not examined:
        found.append("testis")
    return tuple(found)
