"""The timeline's addresses: launch, callback, and the page of one chart."""

from __future__ import annotations

import logging
from typing import cast

from flask import Blueprint, Flask, Response, current_app, g, request

from cds_service.api import problems
from cds_service.app_state import parts_of
from cds_service.evaluation.chart_request import ChartRequest
from cds_service.fhir_client.tokens import GrantedAccess
from cds_service.http.problem import Refusal
from cds_service.observability import log, metrics
from cds_service.pages.rendering import page
from cds_service.store import StoreUnavailable
from cds_service.timeline.chart_data import picture_of
from cds_service.timeline.charts import ReadChart, read_chart
from cds_service.timeline.demonstration import Demonstration, demonstration_of
from cds_service.timeline.endpoints import SmartServers
from cds_service.timeline.launch_cookies import INDEX, begun, launch_cookie
from cds_service.timeline.launching import REMEMBERED_SECONDS, ChartAccess, Launcher, PendingLaunch
from cds_service.timeline.page_rows import page_of
from cds_service.timeline.problem import LaunchRefused, oauth_error
from cds_service.timeline.public_address import is_elsewhere, public_launch
from cds_service.timeline.sealing import Sealer
from cds_service.timeline.unread import unread_panels

timeline = Blueprint(
    "timeline",
    __name__,
    url_prefix="/timeline",
    template_folder="templates",
    static_folder="static",
    static_url_path="/static",
)

_KEY = "relapse_cds.timeline"
_CALLBACK = "/timeline/callback"
_COOKIE_BYTES = 3600
_MOST_COOKIES = 3
_FRAMES = frozenset({"iframe", "frame", "embed", "object", "fencedframe"})
_DEMONSTRATION_SECONDS = 300


def register(app: Flask) -> None:
    """Add the timeline to an application that has its parts."""
    parts = parts_of(app)
    app.extensions[_KEY] = Launcher(parts.settings, parts.knowledge, SmartServers(parts.settings))
    app.register_blueprint(timeline)


@timeline.before_request
def in_a_frame() -> Response | None:
    """A word inside a frame, where the browser would show none; the only page of ours that may be framed."""
    if request.headers.get("Sec-Fetch-Dest") not in _FRAMES:
        return None
    log.event("timeline-refused", reason="framed", tenant="none")
    response = page("timeline/framed.html", 403, address=request.full_path.removesuffix("?"))
    response.headers["Content-Security-Policy"] = "default-src 'none'; base-uri 'none'; form-action 'none'"
    return response


@timeline.get("/")
def start() -> Response:
    """Where the card's link leads: a launch, a demonstration patient, or a word on how to get in."""
    if "iss" in request.args:
        return launch()
    shown = demonstration_of()
    if shown is not None and "patient" in request.args:
        return _demonstrated(shown, request.args["patient"])
    patients = shown.patients if shown is not None else ()
    return page("timeline/start.html", patients=patients)


@timeline.get("/launch")
def launch() -> Response:
    """EHR launch (with ``launch``) and standalone launch (without)."""
    public_url = parts_of().settings.public_url
    if is_elsewhere(request.host, public_url) and (public := public_launch(public_url, request.args)):
        return _sent(public)
    iss = _one("iss")
    if "form" in request.args:
        # Typed by hand; the server compares the audience letter by letter.
        iss = iss.strip().removesuffix("/")
    pending, address = _launcher().begin(iss, _one("launch"), parts_of().clock())
    g.tenant = pending.tenant
    response = _sent(address)
    _remember_launch(response, pending)
    log.event("timeline-launch", tenant=pending.tenant)
    return response


@timeline.get("/callback")
def callback() -> Response:
    """The answer of the authorisation server."""
    state = _one("state")
    sealed = request.cookies.get(launch_cookie(state), "")
    pending = _sealer().open(sealed, PendingLaunch) if state and sealed else None
    if pending is None or pending.state != state:
        elsewhere = is_elsewhere(request.host, parts_of().settings.public_url)
        raise LaunchRefused("launch-elsewhere" if elsewhere else "unknown-launch")
    g.tenant = pending.tenant
    try:
        response = _admitted(pending, state)
    except LaunchRefused as refused:
        response = refusal_page(refused)
    # A launch is answered once, however it ends.
    response.delete_cookie(launch_cookie(state), path=_CALLBACK)
    return response


@timeline.get("/chart/<key>")
def chart(key: str) -> Response:
    """The page of one chart; the cookie that opens it belongs to this page alone."""
    at = parts_of().clock()
    access = _sealer().open(_recalled("relapse_chart"), ChartAccess)
    if access is None or access.key != key or access.is_over(at):
        raise LaunchRefused("session-over")
    tenant = _launcher().tenant(access.tenant)
    g.tenant = tenant.id
    left = max(1, int(access.ends - at.timestamp()))
    asked = ChartRequest(access.patient, access.server, GrantedAccess(access.token, left))
    return _shown(read_chart(parts_of(), asked, tenant, at), closes=f"/timeline/chart/{key}/close")


@timeline.post("/chart/<key>/close")
def close(key: str) -> Response:
    """The browser forgets its access to a chart, whether or not it still held any."""
    response = page("timeline/closed.html")
    for number in range(_MOST_COOKIES):
        response.delete_cookie(f"relapse_chart_{number}", path=f"/timeline/chart/{key}")
    log.event("timeline-closed")
    return response


@timeline.errorhandler(LaunchRefused)
def refusal_page(refused: LaunchRefused) -> Response:
    """The page of a refused launch or session: no data."""
    told = refused.told
    fields: dict[str, object] = {"reason": refused.reason, "tenant": g.get("tenant", "none")}
    if refused.error:
        fields["error"] = refused.error
    log.event("timeline-refused", logging.INFO, **fields)
    public_url = parts_of().settings.public_url if refused.reason == "launch-elsewhere" else ""
    values = {"title": told.title, "words": told.words, "public_url": public_url}
    return page("timeline/refused.html", told.status, **values)


@timeline.errorhandler(Refusal)
def evaluation_refused(refusal: Refusal) -> Response:
    """The page of an evaluation that is refused as a hook call would be."""
    row = problems.TABLE[refusal.problem]
    metrics.refused(refusal.problem.value, row.status)
    return page("timeline/refused.html", row.status, title="The chart cannot be shown", words=row.words)


@timeline.errorhandler(StoreUnavailable)
def store_unavailable(_: StoreUnavailable) -> Response:
    """Without the store there is no key, and so no session."""
    return refusal_page(LaunchRefused("service-unready"))


def _admitted(pending: PendingLaunch, state: str) -> Response:
    """The answer to a known launch: on to the chart. Raises LaunchRefused."""
    if "error" in request.args:
        error = _one("error")
        if error == "access_denied":
            raise LaunchRefused("access-denied")
        raise LaunchRefused("authorization-failed", oauth_error(error))
    code = _one("code")
    if not code:
        raise LaunchRefused("malformed-launch")
    at = parts_of().clock()
    access = _launcher().complete(pending, state, code, at)
    place = f"/timeline/chart/{access.key}"
    response = Response(status=303, headers={"Location": place})
    sealed = _sealer().seal(access)
    if len(sealed) > _COOKIE_BYTES * _MOST_COOKIES:
        raise LaunchRefused("token-too-long")
    lifetime = max(1, int(access.ends - at.timestamp()))
    for number, start_at in enumerate(range(0, len(sealed), _COOKIE_BYTES)):
        part = sealed[start_at : start_at + _COOKIE_BYTES]
        _remember(response, f"relapse_chart_{number}", part, place, lifetime)
    return response


def _demonstrated(shown: Demonstration, patient: str) -> Response:
    if patient not in {one.id for one in shown.patients}:
        raise LaunchRefused("unknown-patient")
    parts = parts_of()
    tenant = next(one for one in parts.settings.tenants if shown.fhir_server in one.fhir_servers)
    g.tenant = tenant.id
    access = GrantedAccess(shown.token_for(patient), _DEMONSTRATION_SECONDS)
    asked = ChartRequest(patient, shown.fhir_server, access)
    found = read_chart(parts, asked, tenant, parts.clock())
    return _shown(found, next(one.name for one in shown.patients if one.id == patient))


def _shown(found: ReadChart, name: str = "", closes: str = "") -> Response:
    knowledge = parts_of().knowledge
    return page(
        "timeline/chart.html",
        shown=page_of(found.evaluation, found.timeline, knowledge),
        name=name,
        closes=closes,
        picture=picture_of(found.timeline, knowledge, unread_panels(found.evaluation)),
    )


def _one(name: str) -> str:
    """A parameter that may come once at most. Raises LaunchRefused."""
    values = request.args.getlist(name)
    if len(values) > 1:
        raise LaunchRefused("malformed-launch")
    return values[0] if values else ""


def _sent(address: str) -> Response:
    """On to another address."""
    if "form" not in request.args:
        return Response(status=303, headers={"Location": address})
    # The policy of the page with the form forbids it to lead elsewhere, and a redirect would.
    host = address.partition("://")[2].partition("/")[0]
    return page("timeline/leaving.html", address=address, host=host)


def _remember_launch(response: Response, pending: PendingLaunch) -> None:
    index, dropped = begun(request.cookies, pending.state)
    for name in dropped:
        response.delete_cookie(name, path=_CALLBACK)
    name, sealed = launch_cookie(pending.state), _sealer().seal(pending)
    _remember(response, name, sealed, _CALLBACK, REMEMBERED_SECONDS)
    _remember(response, INDEX, index, "/timeline/", REMEMBERED_SECONDS)


def _recalled(name: str) -> str:
    parts = (request.cookies.get(f"{name}_{number}", "") for number in range(_MOST_COOKIES))
    return "".join(parts)


def _remember(response: Response, name: str, value: str, path: str, seconds: int) -> None:
    secure = parts_of().settings.public_url.startswith("https://")
    response.set_cookie(name, value, max_age=seconds, path=path, secure=secure, httponly=True, samesite="Lax")


def _sealer() -> Sealer:
    return Sealer(parts_of().store)


def _launcher() -> Launcher:
    return cast(Launcher, current_app.extensions[_KEY])
