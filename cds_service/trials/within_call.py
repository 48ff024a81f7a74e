"""Studies of a FHIR server that wants a token: read within the hook call, by its deadline, and not kept."""

from __future__ import annotations

from datetime import date

from cds_service.fhir_client import Deadline, RefusedServer
from cds_service.fhir_client.access import Reader
from cds_service.observability import log
from cds_service.settings.model import Settings, Tenant
from cds_service.trials.fhir_server import ServerUnavailable, read_studies, unread_list
from cds_service.trials.referral import ServerStudies
from cds_service.wire.request import HookRequest
from fhir_mappings.trials import StudyList, TrialVocabulary


def studies_within_call(
    reader: Reader, settings: Settings, hook: HookRequest, tenant: Tenant, deadline: Deadline
) -> ServerStudies | None:
    """How to read them; None where that is off, or the background reads them already."""
    server, authorization = hook.fhir_server, hook.authorization
    if not settings.trials.fhir_servers or tenant.open_fhir:
        return None
    if server is None or authorization is None:
        return None

    def read(vocabulary: TrialVocabulary, on: date) -> StudyList:
        try:
            with reader.open(tenant, server, authorization, deadline) as reading:
                return read_studies(reading.get, reading.base, vocabulary, on)
        except (RefusedServer, ServerUnavailable) as fault:
            log.event("trial-list-not-read", source="fhir-server", reason=fault.reason, tenant=tenant.id)
            return unread_list(vocabulary, on)

    return read
