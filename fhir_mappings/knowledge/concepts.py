"""``concepts.toml`` as it is written: which codes and words state which concept."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, StrictBool

from fhir_mappings.knowledge.loader import KnowledgeFile

_Id = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
_Code = Annotated[str, Field(pattern=r"^https?://[^|\s]+\|[^|\s]+$")]
Material = Literal["marrow", "blood", "csf", "other", "unstated"]
Dimension = Literal[
    "percent", "count", "csf-count", "residual", "ratio", "presence", "score", "text",
    "creatinine", "bilirubin", "gfr", "enzyme",
]  # fmt: skip


class ResultEntry(KnowledgeFile):
    """One ``[[result]]``."""

    id: _Id
    title: Annotated[str, Field(min_length=1)]
    need: str
    dimension: Dimension
    material: Material = "unstated"
    only_on: Material = "unstated"
    value_sets: tuple[str, ...] = ()
    codes: tuple[_Code, ...] = ()


class DiagnosisEntry(KnowledgeFile):
    """One ``[[diagnosis]]``. ``without``: codes of its value sets that another entry states more exactly."""

    id: _Id
    kind: str
    phase: str = "unstated"
    lineage: Literal["B", "T", "unknown"] = "unknown"
    bcr_abl1: Literal["positive", "negative", "unstated"] = "unstated"
    kmt2a: StrictBool = False
    history: StrictBool = False
    site: str = ""
    value_sets: tuple[str, ...] = ()
    codes: tuple[_Code, ...] = ()
    without: tuple[_Code, ...] = ()


class TextEntry(KnowledgeFile):
    """One ``[[diagnosis_text]]`` or ``[[result_text]]``: ``hint`` is a word tried before the pattern."""

    means: _Id
    hint: str
    pattern: str
    refuse: str = ""
    said_only: bool = False
    """A result that has these words and no code is said, never used: its code is to be mapped."""
    harmless_below: Decimal | None = None
    """In % or the dimension's unit: below this, a result that is said only is worth no suspicion."""


class ProcedureEntry(KnowledgeFile):
    """One ``[[procedure]]``."""

    id: _Id
    title: str
    value_sets: tuple[str, ...] = ()
    codes: tuple[_Code, ...] = ()


class ReferralEntry(KnowledgeFile):
    """One ``[[referral]]``."""

    id: _Id
    value_sets: tuple[str, ...] = ()
    pattern: str


class SiteEntry(KnowledgeFile):
    """One ``[[body_site]]``."""

    id: _Id
    codes: tuple[_Code, ...]


class SpecimenEntry(KnowledgeFile):
    """One ``[[specimen]]``."""

    material: Material
    value_sets: tuple[str, ...]


class SpecimenTextEntry(KnowledgeFile):
    """One ``[[specimen_text]]``."""

    material: Material
    pattern: str


class CertaintyWords(KnowledgeFile):
    """``[certainty]``: extensions that state it, the system whose codes carry its letter, and its codes."""

    extensions: tuple[str, ...]
    letters: str
    refuted: tuple[str, ...]
    unproven: tuple[str, ...]
    past: tuple[str, ...]


class Cancers(KnowledgeFile):
    """``[blood_cancer]`` and ``[marrow_tumour]``: ICD-10 codes and words of malignancies without an entry."""

    codes: str
    words: str


class WordPatterns(KnowledgeFile):
    """``[words]``."""

    diagnosis_course: str
    leukaemia: str
    donor: str
    absent: str
    present: str
    value_nouns: str
    sensitivity: str
    unit_annotation: str


class Answers(KnowledgeFile):
    """``[answers]``: value sets of coded answers, and the codes that state full remission."""

    present: str
    weak: str
    absent: str
    indeterminate: str
    full_remission: tuple[_Code, ...]
    intrathecal_route: str


class UnitEntry(KnowledgeFile):
    """One ``[[unit]]``: a value set with factors (or none), what is not trusted, and texts that occur."""

    dimension: Dimension
    value_set: str = ""
    text_sets: tuple[str, ...] = ()
    untrusted: dict[str, str]
    seen: dict[str, Decimal]


class ConceptsFile(KnowledgeFile):
    """``concepts.toml``."""

    result: tuple[ResultEntry, ...]
    diagnosis: tuple[DiagnosisEntry, ...]
    diagnosis_text: tuple[TextEntry, ...]
    procedure: tuple[ProcedureEntry, ...]
    referral: tuple[ReferralEntry, ...]
    body_site: tuple[SiteEntry, ...]
    specimen: tuple[SpecimenEntry, ...]
    specimen_text: tuple[SpecimenTextEntry, ...]
    result_text: tuple[TextEntry, ...]
    certainty: CertaintyWords
    blood_cancer: Cancers
    marrow_tumour: Cancers
    words: WordPatterns
    answers: Answers
    genes: dict[str, str]
    unit: tuple[UnitEntry, ...]
