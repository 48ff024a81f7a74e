"""The registry's list: searched or imported, and kept until a better one comes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from cds_service.trials.cache import CachedAnswer, TrialCache
from cds_service.trials.clinicaltrials_gov import ClinicalTrialsGov, Search
from cds_service.trials.registry_answers import UnknownShape, read_page, read_records
from fhir_mappings.assess import Moment
from fhir_mappings.trials import Origin, StudyList, TrialVocabulary

KEEP = timedelta(hours=24)
"""How long an answer is used before the registry is asked again."""

FROM_API = "api"
FROM_FILE = "file"


def is_due(answer: CachedAnswer | None, at: datetime) -> bool:
    """Whether to ask the registry again; whoever imported a file replaces it, not the background."""
    if answer is None:
        return True
    return answer.origin == FROM_API and at - answer.fetched_at >= KEEP


def fetch(client: ClinicalTrialsGov, search: Search, at: datetime) -> CachedAnswer:
    """Every page of the search. Raises RegistryUnavailable or UnknownShape; then nothing is replaced."""
    records = [bytes(study) for _, page in client.pages(search) for study in page.studies]
    return CachedAnswer(at, FROM_API, tuple(records))


def import_answer(pages: Iterable[bytes], at: datetime) -> CachedAnswer:
    """Saved answers of the API. Raises UnknownShape when one is something else."""
    records = [bytes(study) for data in pages for study in read_page(data).studies]
    return CachedAnswer(at, FROM_FILE, tuple(records))


def keep(cache: TrialCache, answer: CachedAnswer, vocabulary: TrialVocabulary) -> StudyList:
    """Put ``answer`` in place of the one before.

    Raises UnknownShape, and keeps the old answer, when none of its studies can be understood: the
    registry has changed its form.
    """
    read = read_records(answer.records, vocabulary)
    if answer.records and read.unreadable == len(answer.records):
        raise UnknownShape("no study of the answer could be understood")
    cache.save(answer)
    return registry_list(answer, vocabulary)


def registry_list(answer: CachedAnswer | None, vocabulary: TrialVocabulary) -> StudyList:
    """The studies of ``answer``; without one an empty list that says that it is not loaded."""
    if answer is None:
        return StudyList(
            key=Origin.REGISTRY.value,
            label=vocabulary.phrases["registry_label"],
            as_of=None,
            complete=False,
            faults=(vocabulary.phrases["list_not_loaded"],),
        )
    read = read_records(answer.records, vocabulary)
    unread = (vocabulary.phrase("pages_unread", count=str(read.unreadable)),) if read.unreadable else ()
    label = "registry_label" if answer.origin == FROM_API else "import_label"
    return StudyList(
        key=Origin.REGISTRY.value,
        label=vocabulary.phrases[label],
        as_of=Moment.on(answer.fetched_at.date()),
        complete=not read.unreadable,
        studies=read.studies,
        fresh_days=vocabulary.registry_fresh_days,
        faults=unread,
    )
