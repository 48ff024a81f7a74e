"""``relapse-cds trials``: match one patient, check the catalogue, refresh or import the registry's list."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cds_service.cli.configured import configured, counted, indented, moment
from cds_service.cli.faults import FAILED, Unusable

if TYPE_CHECKING:
    from cds_service.settings.model import Settings
    from cds_service.trials.cache import TrialCache
    from fhir_mappings.assess import Assessment, Facts, Knowledge
    from fhir_mappings.trials import TrialVocabulary

_AGES = re.compile(r"(\d{1,3})-(\d{1,3})")
_MOST_PAGES = 50
_NOT_WRITTEN = "the answer cannot be written; check the store, or trials.cache_file where none is configured"


def add_parser(subparsers: Any) -> None:
    """``trials match|check|refresh|import``."""
    parser = subparsers.add_parser(
        "trials",
        help="match a patient to clinical trials; check, refresh or import the lists",
        description="Lists of clinical trials. Nothing of a patient ever leaves this machine: a refresh "
        "sends the words of the disease, the place of the hospital and, if asked to, an age band and a sex.",
    )
    commands = parser.add_subparsers(dest="trials_command", metavar="COMMAND", required=True)
    match = commands.add_parser("match", help="print the trials that fit one patient, criterion by criterion")
    match.add_argument(
        "file", type=Path, metavar="FILE", help="Bundle, folder of .json resources, or hook request body"
    )
    match.add_argument("--at", metavar="ISO", help="the moment of evaluation (default: now); a date is UTC")
    match.add_argument("--json", action="store_true", help="print the table as JSON")
    match.set_defaults(run=run_match)
    check = commands.add_parser("check", help="check a catalogue and name every fault with its line")
    check.add_argument(
        "file", nargs="?", metavar="FILE", help="TOML or CSV (default: the configured catalogue)"
    )
    check.set_defaults(run=run_check)
    refresh = commands.add_parser("refresh", help="ask ClinicalTrials.gov now (must be switched on)")
    refresh.add_argument("--ages", metavar="FROM-TO", help="only studies for this age band, in whole years")
    refresh.add_argument("--sex", choices=("female", "male"), help="only studies that take this sex")
    refresh.set_defaults(run=run_refresh)
    imported = commands.add_parser("import", help="use saved answers of the ClinicalTrials.gov API")
    imported.add_argument("file", type=Path, nargs="+", metavar="FILE", help="one JSON file for each page")
    imported.add_argument("--at", metavar="ISO", help="when the answers were saved (default: now)")
    imported.set_defaults(run=run_import)


def run_match(args: argparse.Namespace) -> int:
    """Assess the chart and print its trials."""
    from cds_service.cli.configured import knowledge_for
    from cds_service.trials.lists import TrialSources
    from cds_service.trials.report import match_report, report_as_text
    from fhir_mappings.trials import current_enrolment, match_studies, trial_profile

    settings, at = _settings(), moment(args.at)
    vocabulary, knowledge = _vocabulary(settings), knowledge_for(settings)
    assessment, facts = _assessed(args.file, at, settings, knowledge)
    with _cache(settings) as cache:
        settings = _with_demo(settings, cache)
        sources = TrialSources(settings, vocabulary, cache=cache, clock=lambda: at)
        sources.load()
    view = sources.view()
    profile = trial_profile(assessment, facts, vocabulary, at.date())
    matches = match_studies(view.index, profile, vocabulary)
    enrolled = current_enrolment(facts.enrolments)
    report = match_report(matches, profile, view.lists, vocabulary, enrolled)
    if args.json:
        sys.stdout.write(json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write(report_as_text(report))
    if assessment.section("TRIAL") is None:
        sys.stderr.write(f"relapse-cds: status {assessment.status.value}: no trial card for this chart\n")
    for fault in sources.faults:
        sys.stderr.write(f"relapse-cds: {fault}\n")
    return 0


def _assessed(file: Path, at: datetime, settings: Settings, knowledge: Knowledge) -> tuple[Assessment, Facts]:
    """The assessment of the chart in a file or hook request, and the facts behind it."""
    from cds_service.cli.chart_files import patient_of, read_chart
    from cds_service.cli.hook_body import evaluate_body
    from fhir_mappings.assess import (
        Availability,
        ForeignResource,
        NeedState,
        Subject,
        assess_facts,
        read_facts,
    )

    chart = read_chart(file)
    if chart.request:
        evaluation = evaluate_body(chart.request, at, settings, knowledge, file)
        return evaluation.assessment, evaluation.facts
    subject = Subject(patient_of(chart, file))
    try:
        facts = read_facts(chart.entries, subject, knowledge, {}, chart.unreadable)
    except ForeignResource as foreign:
        raise Unusable(f"{file}: a {foreign.resource_type} belongs to another patient") from None
    seen = {need.key: NeedState(Availability.PRESENT) for need in knowledge.needs}
    return assess_facts(facts, seen, at, knowledge, subject), facts


def run_check(args: argparse.Namespace) -> int:
    """Name every fault of a catalogue."""
    from cds_service.trials.catalogue import DEMO, read_catalogue

    settings = _settings()
    if args.file not in (None, DEMO) and not Path(args.file).is_file():
        raise Unusable(f"{args.file}: no such file; name a catalogue in TOML or CSV")
    source = args.file or settings.trials.catalogue or DEMO
    found = read_catalogue(source, _vocabulary(settings))
    for fault in found.faults:
        sys.stdout.write(f"{fault}\n")
    dated = f", as of {found.list.as_of.text}" if found.list.as_of else ""
    usable = counted(len(found.list.studies), "study", "studies")
    sys.stdout.write(f"{found.list.label}{dated}: {usable} can be used")
    sys.stdout.write(f", {counted(len(found.faults), 'fault')}\n" if found.faults else "\n")
    return FAILED if found.faults else 0


def run_refresh(args: argparse.Namespace) -> int:
    """Ask the registry now and keep its answer."""
    from dataclasses import replace

    from cds_service.trials.clinicaltrials_gov import ClinicalTrialsGov, RegistryUnavailable
    from cds_service.trials.lists import search_of
    from cds_service.trials.registry import fetch, keep
    from cds_service.trials.registry_answers import UnknownShape

    settings = _settings()
    if not settings.trials.clinicaltrials_gov:
        raise Unusable("trials.clinicaltrials_gov is off; set it to true to let this site ask the registry")
    vocabulary = _vocabulary(settings)
    search = replace(search_of(settings.trials, vocabulary), ages=_ages(args.ages), sex=args.sex)
    try:
        answer = fetch(ClinicalTrialsGov(), search, moment(None))
        with _cache(settings) as cache:
            found = keep(cache, answer, vocabulary)
    except RegistryUnavailable as error:
        return _kept(f"ClinicalTrials.gov gave no usable answer ({error.reason})")
    except UnknownShape:
        return _kept("the answer of ClinicalTrials.gov has another form than its documentation")
    except OSError:
        return _kept(_NOT_WRITTEN)
    got = counted(len(answer.records), "study", "studies")
    sys.stdout.write(f"{got} received, {len(found.studies)} about relapsed ALL\n")
    return 0


def run_import(args: argparse.Namespace) -> int:
    """Keep saved answers of the registry."""
    from cds_service.trials.registry import import_answer, keep
    from cds_service.trials.registry_answers import UnknownShape

    settings = _settings()
    if len(args.file) > _MOST_PAGES:
        raise Unusable(f"{len(args.file)} files; give at most {_MOST_PAGES}")
    pages = [_saved_page(path) for path in args.file]
    try:
        answer = import_answer(pages, moment(args.at))
        with _cache(settings) as cache:
            found = keep(cache, answer, _vocabulary(settings))
    except UnknownShape as error:
        return _kept(str(error))
    except OSError:
        return _kept(_NOT_WRITTEN)
    got = counted(len(answer.records), "study", "studies")
    sys.stdout.write(f"{got} read, {len(found.studies)} about relapsed ALL\n")
    return 0


def _saved_page(path: Path) -> bytes:
    """One saved answer of the API. Raises Unusable naming the file where it is something else."""
    from cds_service.trials.registry_answers import UnknownShape, read_page

    try:
        data = path.read_bytes()
        read_page(data)
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror}; name a saved answer of the API") from None
    except UnknownShape as error:
        raise Unusable(f"{path}: {error}; the list that was there is kept") from None
    return data


def _settings() -> Settings:
    """The configured settings; without a configuration file only what the environment says of trials."""
    from cds_service.settings.faults import SettingsError
    from cds_service.settings.loading import CONFIG_VARIABLE, load_settings
    from cds_service.settings.model import ENVIRONMENT_PREFIX

    if os.environ.get(CONFIG_VARIABLE):
        return configured()
    standalone = {f"{ENVIRONMENT_PREFIX}ENVIRONMENT": "development", f"{ENVIRONMENT_PREFIX}AUTH": "off"}
    try:
        return load_settings({**standalone, **os.environ})
    except SettingsError as error:
        raise Unusable(f"the configuration cannot be used:\n{indented(str(error))}") from None


@contextmanager
def _cache(settings: Settings) -> Iterator[TrialCache]:
    """The store of the configured service, which all its workers read; without a configuration the file."""
    from cds_service.cli.store_faults import told
    from cds_service.settings.loading import CONFIG_VARIABLE
    from cds_service.store import StoreMisconfigured, StoreUnavailable, open_store
    from cds_service.trials.lists import default_cache
    from cds_service.trials.stored import StoredTrialCache

    if not os.environ.get(CONFIG_VARIABLE):
        yield default_cache(settings.trials)
        return
    try:
        store = open_store(settings.store)
    except (StoreMisconfigured, StoreUnavailable) as fault:
        raise Unusable(told(settings, fault)) from None
    try:
        yield StoredTrialCache(store)
    finally:
        store.close()


def _kept(problem: str) -> int:
    sys.stderr.write(f"relapse-cds: {problem}; the list that was there is kept\n")
    return FAILED


def _ages(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    found = _AGES.fullmatch(text)
    if found is None or int(found[1]) > int(found[2]):
        raise Unusable("--ages: write a band of whole years such as 0-17")
    return int(found[1]), int(found[2])


def _with_demo(settings: Settings, cache: TrialCache) -> Settings:
    """Without any list of its own the command line shows the fictional one."""
    from cds_service.trials.catalogue import DEMO

    trials = settings.trials
    if trials.catalogue or trials.clinicaltrials_gov or cache.load() is not None:
        return settings
    return settings.model_copy(update={"trials": trials.model_copy(update={"catalogue": DEMO})})


def _vocabulary(settings: Settings) -> TrialVocabulary:
    from fhir_mappings.trials import KnowledgeError, load_trial_knowledge

    try:
        return load_trial_knowledge(settings.knowledge_dir).vocabulary
    except KnowledgeError as error:
        raise Unusable(f"trials.toml cannot be used:\n{indented(str(error))}") from None
