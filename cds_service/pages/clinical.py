"""``/clinical/``: what a clinician reviews, as pages: statements, where each is decided, decisions."""

from __future__ import annotations

from flask import Blueprint, Response

from cds_service.http.problem import Problem, Refusal
from cds_service.pages.documents import clinical_documents
from cds_service.pages.rendering import page

clinical = Blueprint("clinical", __name__)

_ABOUT = {
    "rules": "every rule with its numbers, decision table, sentences and a card, for a clinician's review",
    "decisions": "which reading is built where the sources leave a choice, and what a clinician must answer",
    "traceability": "from every statement of the product-defining documents to its rule, cases and words",
}


@clinical.get("/clinical/")
def overview() -> Response:
    """The list of documents."""
    found = [document for name, document in clinical_documents().items() if "/" not in name]
    return page("pages/clinical.html", documents=found, about=_ABOUT)


@clinical.get("/clinical/<path:name>")
def document(name: str) -> Response:
    """One document."""
    found = clinical_documents().get(name)
    if found is None:
        raise Refusal(Problem.UNKNOWN_PATH)
    return page("pages/document.html", document=found)
