"""The evidence one criterion is held against: everything since the last remission."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fhir_mappings.clinical.answers import Answer
from fhir_mappings.clinical.cns import TapReading
from fhir_mappings.clinical.moments import Moment
from fhir_mappings.clinical.samples import Sample
from fhir_mappings.clinical.verdict import Evidence, Missing

Gap = Callable[[str], Missing]


@dataclass(frozen=True, slots=True)
class SiteFinding:
    """Leukaemia outside the marrow that is not read from CSF counts.

    ``site`` is cns, testis or another site's name. ``proven`` is YES for biopsy, unequivocal imaging or
    a confirmed coded diagnosis, UNSURE for a suspicion (F-21).
    """

    site: str
    day: Moment
    proven: Answer
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Window:
    """Samples and findings between a remission (or diagnosis) and the moment of evaluation."""

    marrow: tuple[Sample, ...]
    blood: tuple[Sample, ...]
    taps: tuple[TapReading, ...]
    mrd: tuple[Sample, ...]
    findings: tuple[SiteFinding, ...]
