"""One replay run: every chart with ALL at every step, and its files."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cds_service.cohort.actions import actions_of
from cds_service.cohort.local import Job, Run, each_bucket, gather, kept_files, processes, stage_of
from cds_service.cohort.plan import row
from cds_service.cohort.progress import shown
from cds_service.cohort.pseudonyms import Pseudonymiser
from cds_service.cohort.replay import History, cards_by_day, history, median, steps_between, with_action
from cds_service.cohort.report import Counts
from cds_service.cohort.results import write_errors, write_json
from cds_service.cohort.running import Order, begun, note_run, stamp, telling_faults
from cds_service.cohort.stages import charts_of
from cds_service.cohort.work_folder import WorkFolder, replacing
from fhir_mappings.trials import says_nothing_new

_COLUMNS = (
    *("patient", "first_card", "first_status", "proof", "action", "action_day"),
    *("lead_days", "card_lead_days", "cards", "repeats"),
)


@dataclass(frozen=True, slots=True)
class Span:
    """What is replayed: the steps, how long an answered card is quiet, and how many clinicians share them."""

    first: datetime
    last: datetime
    every: timedelta
    quiet_days: int
    clinicians: int

    @property
    def steps(self) -> list[datetime]:
        """The moments that are looked at."""
        return steps_between(self.first, self.last, self.every)


@dataclass(frozen=True, slots=True)
class ReplayJob(Job):
    """What a process must know to replay."""

    steps: tuple[datetime, ...] = ()
    quiet_days: int = 30


def run_replay(order: Order, span: Span) -> tuple[str, int]:
    """Writes the files; returns the text and how many lines could not be read. Raises Unusable."""
    with telling_faults(order):
        rules, shards, work = begun(order, f"replay {span.first} {span.last} {span.every} {span.quiet_days}")
        job = ReplayJob(order.source, order.at, order.out, tuple(span.steps), span.quiet_days)
        run = Run(tuple(shards), job, order.workers)
        with shown() as progress, processes(run) as pool:
            gathered = gather(run, work, pool, progress)
            stage = stage_of("replay", gathered.patients)
            names = each_bucket(stage, _replay, job, gathered, work, pool, progress)
        found = [one for name in names for one in work.read(stage, name, list[History])]
        outcome = gathered.outcome
        told = {**stamp(order, rules), **_summary(found, span, outcome.types.get("Patient", 0))}
        _write(order, found)
        write_errors(outcome.faults, order.out)
        write_json(told, order.out / "summary.json")
        note_run(order, told["patients"], len(found), outcome.fault_count)
        work.remove()
    return _text(told, Counts(order.small_cells)), outcome.fault_count


def _replay(job: ReplayJob, stage: str, bucket: tuple[int, int], types: tuple[str, ...]) -> None:
    work, (number, count) = WorkFolder(job.out), bucket
    rules = job.source.load().with_types(types)
    histories = []
    for patient, lines in charts_of(number, count, kept_files(work, stage)):

        def assess(known: Sequence[bytes], at: datetime, patient: str = patient) -> Any:
            return row(patient, known, at, rules)

        one = history(patient, lines, job.steps, assess, job.quiet_days, says_nothing_new)
        histories.append(with_action(one, actions_of(patient, lines, rules)))
    work.write(stage, str(number), histories)


def _summary(found: Sequence[History], span: Span, patients: int) -> dict[str, Any]:
    cards = sum(len(step.topics) for one in found for step in one.steps)
    days = max((span.last - span.first).days, 1)
    leads = [one.lead_days for one in found if one.lead_days is not None]
    gained = [one.card_lead_days for one in found if one.card_lead_days is not None]
    return {
        "from": span.first.isoformat(),
        "to": span.last.isoformat(),
        "everyDays": span.every.days,
        "patients": patients,
        "charts": len(found),
        "chartsWithCard": sum(bool(one.steps) for one in found),
        "relapses": sum(bool(one.proof) for one in found),
        "cards": cards,
        "repeats": sum(step.repeats for one in found for step in one.steps),
        "cardsPerDay": round(cards / days, 4),
        "cardsPerClinicianDay": round(cards / days / span.clinicians, 4),
        "leadTime": {
            "relapses": len(leads),
            "medianDays": median(leads),
            "longestDays": max(leads, default=None),
        },
        "cardBeforeAction": {
            "relapses": len(gained),
            "medianDays": median(gained),
            "earlier": sum(days > 0 for days in gained),
        },
        "steps": dict(cards_by_day(found)),
    }


def _write(order: Order, found: Sequence[History]) -> None:
    """replay.csv: one row a patient; the steps stand in summary.json without patients."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    writer.writerows(sorted(_rows(order, found)))
    with replacing(order.out / "replay.csv") as file:
        file.write(text.getvalue().encode())


def _rows(order: Order, found: Sequence[History]) -> Iterator[tuple[Any, ...]]:
    name = Pseudonymiser.of(order.site).of_patient if order.pseudonyms else str
    for one in found:
        cards = sum(len(step.topics) for step in one.steps)
        repeats = sum(step.repeats for step in one.steps)
        leads = (one.lead_days, one.card_lead_days)
        stated = (one.first_card, one.first_status, one.proof, one.action, one.action_day)
        yield name(one.patient), *stated, *("" if days is None else days for days in leads), cards, repeats


def _text(told: dict[str, Any], counts: Counts) -> str:
    lead, gained = told["leadTime"], told["cardBeforeAction"]
    lines = [
        f"{told['from'][:10]} to {told['to'][:10]}, every {told['everyDays']} days: "
        f"{counts.text(told['charts'])} charts, {counts.text(told['chartsWithCard'])} with a card, "
        f"{counts.text(told['relapses'])} relapses",
        f"{counts.text(told['cards'])} cards, {counts.text(told['repeats'])} of them repeated; "
        f"{told['cardsPerDay']:.2f} a day, {told['cardsPerClinicianDay']:.2f} a clinician-day",
    ]
    if lead["relapses"] >= (1 if counts.text(1) == "1" else 5):
        lines.append(
            f"proof to salvage, trial or transplant referral: median {lead['medianDays']:g} days, "
            f"longest {lead['longestDays']} ({lead['relapses']} relapses); the card came before it in "
            f"{counts.text(gained['earlier'])}"
        )
    else:
        lines.append("proof to salvage, trial or transplant referral: too few relapses with one on record")
    return "\n".join(lines) + "\n"
