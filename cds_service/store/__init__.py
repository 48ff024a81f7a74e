"""What the service remembers: shown cards, feedback, quiet rules, used tokens, audit, daily counts,
and the last answer of a registry of trials.

SQLite (write-ahead log, synchronous FULL) for one host, PostgreSQL for several. :func:`open_store` is the
way in; one module a subject. A method that writes has committed when it returns.
"""

from cds_service.store.audit_chain import AuditEntry, AuditReport, SealedEntry, Seals
from cds_service.store.evaluations import ShownCard
from cds_service.store.faults import StoreMisconfigured, StoreUnavailable
from cds_service.store.feedback import FeedbackEvent
from cds_service.store.opening import Store, open_store
from cds_service.store.quiet import QuietRule
from cds_service.store.trials import TrialRecord
from cds_service.store.usage_counts import ANY_TOPIC, Call, Firing, Unshown

__all__ = [
    "ANY_TOPIC",
    "AuditEntry",
    "AuditReport",
    "Call",
    "FeedbackEvent",
    "Firing",
    "QuietRule",
    "SealedEntry",
    "Seals",
    "ShownCard",
    "Store",
    "StoreMisconfigured",
    "StoreUnavailable",
    "TrialRecord",
    "Unshown",
    "open_store",
]
