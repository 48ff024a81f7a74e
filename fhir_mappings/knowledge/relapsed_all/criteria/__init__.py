"""The relapse criteria, one module each: guideline words, numbers, sentences and the function that decides.

Every criterion looks only at evidence since the last remission and answers Met, NotMet or Unknown. To add
one: its module here, its words and numbers in ``criteria_sets.toml``, its cases; every module of this package
that holds a ``Criterion`` takes part.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from pkgutil import iter_modules

from fhir_mappings.clinical.criteria_sets import CriteriaSet
from fhir_mappings.clinical.verdict import Verdict
from fhir_mappings.clinical.window import Gap, Window
from fhir_mappings.knowledge.criterion import Criterion


def _criteria() -> Iterator[Criterion]:
    """The criterion of every module, where the function stands that decides it."""
    for module in iter_modules(__path__):
        name = f"{__name__}.{module.name}"
        for value in vars(import_module(name)).values():
            if isinstance(value, Criterion) and value.evaluate.__module__ == name:
                yield value


CRITERIA: tuple[Criterion, ...] = tuple(sorted(_criteria(), key=lambda one: one.letter))
"""Every criterion, in the order of their letters."""

CRITERION: Mapping[str, Criterion] = {one.letter: one for one in CRITERIA}
"""Every criterion by its letter, as results name it."""


def evaluate(
    window: Window, criteria: CriteriaSet, gap: Gap
) -> Iterator[tuple[str, Verdict, tuple[str, ...]]]:
    """Every criterion of the set, with verdict and citations; the bullets are alternatives [S-000-07]."""
    for criterion in CRITERIA:
        rule = criteria.parts.get(criterion.key)
        if rule is not None:
            yield criterion.letter, criterion.evaluate(window, criteria, gap), rule.cites
