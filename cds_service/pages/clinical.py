"""``/clinical/``: what a clinician reviews, as pages: statements, where each is decided, decisions."""

from __future__ import annotations

from flask import Blueprint, Response

from cds_service.pages.documents import clinical_documents
from cds_service.pages.rendering import page
from cds_service.refusals import Problem, Refusal

clinical = Blueprint("clinical", __name__)


@clinical.get("/clinical/")
def overview() -> Response:
    """The list of documents."""
    return page("pages/clinical.html", documents=clinical_documents().values())


@clinical.get("/clinical/<name>")
def document(name: str) -> Response:
    """One document."""
    found = clinical_documents().get(name)
    if found is None:
        raise Refusal(Problem.UNKNOWN_PATH)
    return page("pages/document.html", document=found)
