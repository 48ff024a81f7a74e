"""One call from request to answer: what arrived, what is fetched, what the rules say, what may be said.

A patient without leukaemia is answered from the Conditions alone. Data that could not be seen are named
and never read as "no relapse".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from cds_service.evaluation.chart_request import ChartRequest, with_checked
from cds_service.evaluation.control import (
    NOT_CONTROLLED,
    Control,
    after_second_question,
    believed,
    held_against,
    unasked,
    without_known,
)
from cds_service.evaluation.owner_check import check_owners
from cds_service.evaluation.prefetch import NOT_SUPPLIED, PrefetchTable
from cds_service.evaluation.report_reading import fetched, policy_of, unfetched
from cds_service.fhir_client import Deadline, RefusedServer
from cds_service.fhir_client.access import Reader, Reading
from cds_service.fhir_client.queries import SURVEY
from cds_service.http.fhir_base import MalformedUrl, parse_base
from cds_service.http.problem import Problem, Refusal
from cds_service.observability import log, metrics, tracing
from cds_service.settings.model import NOBODY, Settings, Tenant
from fhir_mappings.assess import (
    DATA_PRESENT,
    RESULT_NEEDS,
    Assessment,
    Availability,
    ChartReader,
    Entry,
    Facts,
    ForeignResource,
    Knowledge,
    Need,
    NeedData,
    NeedState,
    Status,
    Subject,
    Unreadable,
    assess_facts,
    has_all_diagnosis,
    open_chart,
    seen_since_diagnosis,
)

CONDITIONS = "conditions"
"""The need that is looked at first: without ALL among them nothing else matters."""

PATIENT = "patient"
"""The need that shows whether an empty chart is one."""

RESERVE_SECONDS = 0.25
"""Kept from the time of a call for deciding and answering."""

_SILENT = frozenset({Status.NONE, Status.OUT_OF_SCOPE, Status.NOT_EVALUABLE})
_NO_SUCH_PATIENT = (
    "The FHIR server knows no such Patient. Send the id of the Patient resource as context.patientId."
)
_NOT_ADMITTED = frozenset({"unauthorised", "forbidden"})


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The answer, the facts it rests on, and where the data came from (need key to ``prefetch`` or
    ``server``). Of a chart without leukaemia only the Conditions and the patient were read."""

    assessment: Assessment
    facts: Facts
    states: Mapping[str, NeedState]
    sources: Mapping[str, str]
    server_refusal: str = ""
    """Why the FHIR server was not contacted, in words for the integrator; empty where that is not so."""

    def reason(self, key: str) -> str:
        """Why a need was not seen."""
        state = self.states.get(key)
        return state.reason if state is not None and state.reason else "unreadable"

    @property
    def is_incomplete(self) -> bool:
        """True where the answer would be silence although data that are needed were not seen."""
        return bool(self.assessment.missing_needs) and self.assessment.status in _SILENT


@dataclass(slots=True)
class _Gathered:
    """The data of one call, growing as they come in."""

    states: dict[str, NeedState]
    entries: list[Entry]
    unreadable: list[Unreadable]
    queries: dict[str, Need] = field(default_factory=dict)
    next_urls: dict[str, tuple[Need, str]] = field(default_factory=dict)
    fetched: set[str] = field(default_factory=set)
    survey: NeedData = field(default_factory=lambda: NeedData(NOT_SUPPLIED))
    control: Control | None = None
    server_refusal: str = ""

    def open_needs(self) -> set[str]:
        """The needs that the FHIR server may say more about."""
        return self.queries.keys() | self.next_urls.keys()

    def leave_unasked(self, refused: RefusedServer) -> None:
        """The server is not contacted: what only it could have said is unknown for that reason."""
        self.server_refusal = str(refused)
        for key in self.queries:
            if self.states[key] == NOT_SUPPLIED:
                self.states[key] = NeedState(Availability.UNKNOWN, refused.need_reason)

    def add(self, key: str, found: NeedData) -> None:
        """What the server said replaces what was unknown."""
        self.fetched.add(key)
        self.states[key] = found.state
        self.entries.extend(found.entries)
        self.unreadable.extend(found.unreadable)

    def add_rest(self, key: str, found: NeedData) -> None:
        """The pages after a prefetched one: the need is present if they are all there."""
        self.add(key, found)
        if found.state.availability is Availability.EMPTY:
            self.states[key] = NeedState(Availability.PRESENT)


class Evaluator:
    """Evaluates calls with one knowledge. Safe to use from several threads."""

    def __init__(self, knowledge: Knowledge, settings: Settings, reader: Reader) -> None:
        self._knowledge = knowledge
        self._settings = settings
        self._reader = reader
        for tenant in settings.tenants:
            policy_of(tenant)  # a reader that is not installed is told when the service starts
        concepts = concept_needs(knowledge)
        self._anybody = PrefetchTable.of(knowledge.needs, NOBODY, concepts)
        self._tables = {
            tenant.id: PrefetchTable.of(knowledge.needs, tenant, concepts) for tenant in settings.tenants
        }

    def evaluate(self, request: ChartRequest, tenant: Tenant, at: datetime, deadline: Deadline) -> Evaluation:
        """The answer to one request.

        Raises Refusal: foreign-resource, merged-patient. An answer may be incomplete; see there.
        """
        table = self._tables.get(tenant.id, self._anybody)
        request = with_checked(request, deciding=True)
        gathered = self._prefetched(request, table)
        subject = Subject(request.patient_id, _bases(request, tenant))
        chart = self._chart(gathered, subject, tenant)
        facts = self._without_leukaemia(chart, gathered, subject, tenant)
        if facts is None:
            if (whole := with_checked(request)) is not request:
                request, gathered = whole, self._prefetched(whole, table)
                chart = self._chart(gathered, subject, tenant)
            facts = _checked(chart.read, tenant)
            if not self._is_settled(gathered, facts):
                facts = self._completed(gathered, facts, request, tenant, subject, deadline)
            if not self._is_settled(gathered, facts):
                self._doubt(gathered, facts, table)
        with tracing.span("rules") as mark:
            assessment = assess_facts(
                facts, gathered.states, tenant.local(at), self._knowledge, subject, policy_of(tenant)
            )
            mark(relapse_cds__status=assessment.status.value)
        sources = {key: "server" if key in gathered.fetched else "prefetch" for key in gathered.states}
        return Evaluation(assessment, facts, gathered.states, sources, gathered.server_refusal)

    def _prefetched(self, request: ChartRequest, table: PrefetchTable) -> _Gathered:
        found = table.read(request.supplied)
        gathered = _Gathered(
            {key: need.state for key, need in found.needs.items()}, found.entries, found.unreadables
        )
        if proposed := request.proposed:
            gathered.entries.extend(proposed.resource.entry or ())
            gathered.unreadable.extend(proposed.unreadable)
        for key, need in found.needs.items():
            if need.next_url:
                gathered.next_urls[key] = (table.needs[key], need.next_url)
            elif need.may_query and (asked := table.askable.get(key)):
                gathered.queries[key] = asked
        return gathered

    def _without_leukaemia(
        self, chart: ChartReader, gathered: _Gathered, subject: Subject, tenant: Tenant
    ) -> Facts | None:
        """The facts of a chart whose Conditions are known and hold no ALL; None: everything must be read."""
        facts = _checked(chart.first_look, tenant)
        if not self._is_settled(gathered, facts):
            return None
        with _refusing(tenant):
            if not check_owners(gathered.entries, subject):
                return None
        # Blasts of a patient without leukaemia are said, from the data of the call alone (D-02).
        with _refusing(tenant):
            return chart.samples() or facts

    def _chart(self, gathered: _Gathered, subject: Subject, tenant: Tenant) -> ChartReader:
        return open_chart(gathered.entries, subject, self._knowledge, tenant.codes, gathered.unreadable)

    def _facts(self, gathered: _Gathered, subject: Subject, tenant: Tenant) -> Facts:
        return _checked(self._chart(gathered, subject, tenant).read, tenant)

    def _is_settled(self, gathered: _Gathered, facts: Facts) -> bool:
        """True where the Conditions are known and none of them is ALL."""
        known = gathered.states[CONDITIONS].availability is not Availability.UNKNOWN
        complete = known and CONDITIONS not in gathered.open_needs() and CONDITIONS not in facts.unreadable
        return complete and not has_all_diagnosis(facts)

    def _completed(
        self,
        gathered: _Gathered,
        facts: Facts,
        request: ChartRequest,
        tenant: Tenant,
        subject: Subject,
        deadline: Deadline,
    ) -> Facts:
        """The facts with what the FHIR server adds: the Conditions first, then everything else at once."""
        if request.fhir_server is None:
            return facts
        if tenant is NOBODY:
            known = bool(canonical_base(request.fhir_server))
            gathered.server_refusal = str(RefusedServer("not-allowed" if known else "malformed-url"))
            return facts
        try:
            opened = self._reader.open(tenant, request.fhir_server, request.authorization, deadline)
        except RefusedServer as refused:
            log.event("server-not-read", reason=refused.reason, tenant=tenant.id)
            gathered.leave_unasked(refused)
            return facts
        with opened as reading, tracing.span("read", relapse_cds__tenant=tenant.id) as mark:
            mark(relapse_cds__needs=len(gathered.open_needs()))
            if CONDITIONS in gathered.open_needs():
                self._fetch(gathered, {CONDITIONS}, reading, request.patient_id)
                if not self._is_chart_there(gathered, reading, request.patient_id):
                    return facts
                facts = self._facts(gathered, subject, tenant)
                if self._is_settled(gathered, facts):
                    return facts
            self._fetch(gathered, gathered.open_needs(), reading, request.patient_id, with_survey=True)
            self._control(gathered, self._tables[tenant.id], reading, request.patient_id)
            facts = self._facts(gathered, subject, tenant)
            attachments = fetched(unfetched(facts, tenant), reading)
        if not attachments:
            return facts
        gathered.entries.extend(attachments)
        return self._facts(gathered, subject, tenant)

    @staticmethod
    def _control(gathered: _Gathered, table: PrefetchTable, reading: Reading, patient_id: str) -> None:
        """Hold what came by code against the newest results, and ask again where they do not bear it out."""
        control = held_against(gathered.survey, gathered.entries, table.by_code)
        gathered.control = control
        gathered.entries.extend(control.added)
        gathered.unreadable.extend(gathered.survey.unreadable)
        coded = [key for key, need in table.askable.items() if need.coded]
        doubted = believed(gathered.states, control, coded)
        again = [table.askable[key] for key, state in doubted.items() if state != DATA_PRESENT]
        answers = reading.ask_again(again, patient_id) if again else {}
        for key, state in doubted.items():
            log.event("search-doubted", need=key, reason=state.reason)
            gathered.states[key] = after_second_question(state, answers.get(key), control)
        for answer in answers.values():
            gathered.entries.extend(without_known(answer.entries, gathered.entries))
            gathered.unreadable.extend(answer.unreadable)

    def _doubt(self, gathered: _Gathered, facts: Facts, table: PrefetchTable) -> None:
        """What nothing could be held against, and what no code asks for."""
        control = gathered.control
        if not (control and control.was_read) and not seen_since_diagnosis(facts, self._knowledge):
            for key in RESULT_NEEDS:
                if gathered.states[key].availability is not Availability.UNKNOWN:
                    gathered.states[key] = NOT_CONTROLLED
        for key, need in table.needs.items():
            if need.coded and key not in table.askable and gathered.states[key] == NOT_SUPPLIED:
                gathered.states[key] = unasked(control)

    def _is_chart_there(self, gathered: _Gathered, reading: Reading, patient_id: str) -> bool:
        """False where no Condition came and the server knows no such patient: it has searched for nobody.

        A search for an unknown patient succeeds with nothing in it (FHIR R4, "Search"), so only reading the
        Patient can tell. It is read for an empty answer alone; where it cannot be read, the search stands.
        """
        if (
            gathered.states[CONDITIONS].availability is not Availability.EMPTY
            or PATIENT not in gathered.queries
        ):
            return True
        self._fetch(gathered, {PATIENT}, reading, patient_id)
        if gathered.states[PATIENT].reason != "not-found":
            return True
        gathered.states[CONDITIONS] = NeedState(Availability.UNKNOWN, "not-found")
        gathered.server_refusal = _NO_SUCH_PATIENT
        return False

    @staticmethod
    def _fetch(
        gathered: _Gathered,
        keys: Iterable[str],
        reading: Reading,
        patient_id: str,
        with_survey: bool = False,
    ) -> None:
        wanted = sorted(set(keys))
        queries = [gathered.queries.pop(key) for key in wanted if key in gathered.queries]
        if queries or with_survey:
            answers = dict(reading.fetch([*queries, *([SURVEY] if with_survey else [])], patient_id))
            gathered.survey = answers.pop(SURVEY.key, gathered.survey)
            for key, found in answers.items():
                gathered.add(key, found)
        for key in wanted:
            if key in gathered.next_urls:
                gathered.add_rest(key, reading.follow(*gathered.next_urls.pop(key)))


def _checked(read: Callable[[], Facts], tenant: Tenant) -> Facts:
    """The facts that ``read`` finds. Raises Refusal: foreign-resource, merged-patient."""
    with _refusing(tenant):
        facts = read()
    if any(person.merged for person in facts.persons):
        raise Refusal(Problem.MERGED_PATIENT)
    return facts


@contextmanager
def _refusing(tenant: Tenant) -> Iterator[None]:
    """Another patient's resource is counted and refuses the call."""
    try:
        yield
    except ForeignResource as foreign:
        metrics.MISMATCHES.labels(tenant.id).inc()
        raise Refusal(Problem.FOREIGN_RESOURCE, f"a {foreign.resource_type}") from None


def concept_needs(knowledge: Knowledge) -> dict[str, str]:
    """The need that each concept of the knowledge belongs to."""
    return {name: concept.need for name, concept in knowledge.vocabulary.result_concepts.items()}


def _bases(request: ChartRequest, tenant: Tenant) -> tuple[str, ...]:
    """The base URLs at which the patient of the context is this patient."""
    own = tenant.fhir_servers
    if request.fhir_server is None:
        return own
    canonical = canonical_base(request.fhir_server)
    spellings = [request.fhir_server.rstrip("/"), *([canonical] if canonical else []), *own]
    return tuple(dict.fromkeys(spellings))


def canonical_base(url: str) -> str:
    """A FHIR base URL in its one spelling; empty where it is none."""
    try:
        return parse_base(url).url
    except MalformedUrl:
        return ""


def tenant_of(request: ChartRequest, caller: Tenant, settings: Settings) -> Tenant:
    """Whose call this is: the tenant that the token proved, or the one whose FHIR server is named.

    Raises Refusal (foreign-server) where a tenant names another tenant's server.
    """
    server = canonical_base(request.fhir_server) if request.fhir_server else ""
    owner = next((tenant for tenant in settings.tenants if server and server in tenant.fhir_servers), NOBODY)
    if caller is NOBODY:
        return owner
    if owner is not NOBODY and owner.id != caller.id:
        raise Refusal(Problem.FOREIGN_SERVER)
    return caller


def check_complete(evaluation: Evaluation) -> None:
    """Raises Refusal (missing-data, refused-data, out-of-service) where silence would mislead."""
    if not evaluation.is_incomplete:
        return
    if evaluation.server_refusal == str(RefusedServer("busy")):
        # Nothing is wrong with the data: the same call is answered in a moment.
        raise Refusal(Problem.OUT_OF_SERVICE, evaluation.server_refusal, {"Retry-After": "1"})
    missing = evaluation.assessment.missing_needs
    reasons = {key: evaluation.reason(key) for key in missing}
    for key in missing:
        log.event("need-not-seen", need=key, reason=reasons[key])
    problem = Problem.MISSING_DATA
    if "wrong-version" in reasons.values():
        problem = Problem.WRONG_VERSION
    elif all(reason in _NOT_ADMITTED for reason in reasons.values()):
        problem = Problem.REFUSED_DATA
    named = ", ".join(f"{key} ({reason})" for key, reason in reasons.items())
    why = f". {evaluation.server_refusal}" if evaluation.server_refusal else ""
    raise Refusal(problem, f"not seen: {named}{why}")
