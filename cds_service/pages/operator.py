"""``/operator/``: how often the rules fire, how fast, and what users do with the cards."""

from __future__ import annotations

from flask import Blueprint, Response, request

from cds_service.app_state import Parts, parts_of
from cds_service.http.problem import Problem, Refusal
from cds_service.pages.operator_access import EVERYTHING, NotAdmitted, scope_of
from cds_service.pages.operator_figures import Choice, Figures, bound_words, figures, with_unshown
from cds_service.pages.plots import Column, column_plot
from cds_service.pages.rendering import page
from cds_service.store import StoreUnavailable

operator = Blueprint("operator", __name__)

PERIODS = (7, 30, 90, 365)


@operator.get("/operator/")
def operator_page() -> Response:
    """The figures of a period, of all tenants or one, of all rule versions or one."""
    parts = parts_of()
    try:
        scope = scope_of(parts, request)
    except NotAdmitted:
        return _closed(parts)
    choice = _choice(parts, scope)
    try:
        parts.recorder.flush()
        rows = list(parts.store.firings.read())
        found = figures(
            rows, parts.store.feedback.read(choice.since), choice, _topics(parts), _reasons(parts)
        )
        found = with_unshown(found, parts.store.firings.read_unshown(), choice, _topics(parts))
    except StoreUnavailable:
        raise Refusal(Problem.OUT_OF_SERVICE, headers={"Retry-After": "5"}) from None
    seen = [row for row in rows if scope in (EVERYTHING, row.tenant)]
    return page(
        "pages/operator.html",
        figures=found,
        choice=choice,
        periods=PERIODS,
        tenants=sorted({row.tenant for row in seen}) if scope == EVERYTHING else [scope],
        rule_versions=sorted({row.rule_version for row in seen}, reverse=True),
        scope=scope,
        silent=[
            one.id for one in parts.settings.tenants if one.mode == "silent" and scope in (EVERYTHING, one.id)
        ],
        days_plot=_days_plot(found),
        latency_plot=_latency_plot(found),
        bound_words=bound_words,
    )


def _choice(parts: Parts, scope: str) -> Choice:
    """What the query asks for; a tenant sees nobody else whatever it asks for."""
    days = request.args.get("days", "")
    return Choice(
        today=parts.clock().date(),
        days=int(days) if days in map(str, PERIODS) else PERIODS[1],
        tenant=scope or request.args.get("tenant", ""),
        rule_version=request.args.get("version", ""),
    )


def _closed(parts: Parts) -> Response:
    response = page("pages/operator_closed.html", 401, settings=parts.settings)
    response.headers["WWW-Authenticate"] = (
        'Basic realm="relapse-cds operator", charset="UTF-8"' if parts.settings.operator_token else "Bearer"
    )
    return response


def _topics(parts: Parts) -> dict[str, str]:
    return {topic.code: topic.display for topic in parts.knowledge.card_topics}


def _reasons(parts: Parts) -> dict[tuple[str, str], str]:
    offered = (reason for topic in parts.knowledge.card_topics for reason in topic.override_reasons)
    return {(reason.system, reason.code): reason.display for reason in offered}


def _days_plot(found: Figures) -> object:
    columns = [Column(f"{day:%d %b}", calls.calls, calls.with_cards) for day, calls in found.by_day]
    return column_plot(columns, "with cards")


def _latency_plot(found: Figures) -> object:
    return column_plot([Column(_short(bound), count) for bound, count in found.all.latencies])


def _short(bound: int) -> str:
    return bound_words(bound).replace("up to ", "≤ ").replace("over ", "> ")
