"""The log of deliveries, one delivery with its body, and replaying what was stored."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from rmm_extension.domain.deliveries import reason_in_words
from rmm_extension.domain.errors import ConfigError, RMMError, WebhookRejected
from rmm_extension.domain.masking import body_text, document_text
from rmm_extension.domain.signals import Told
from rmm_extension.domain.story import outcome_words
from rmm_extension.domain.types import Outcome, WebhookRequest
from rmm_extension.domain.values import read_uuid
from rmm_extension.models import WebhookDelivery
from rmm_extension.providers.capabilities import ReceivesWebhooks
from rmm_extension.services import replay
from rmm_extension.services.queries import deliveries as queries
from rmm_extension.services.queries.alerts import SHORTEST_TEXT
from rmm_extension.services.queries.deliveries import STATES, DeliveryFilter
from rmm_extension.services.queries.paging import custom_plans
from rmm_extension.services.unit import unit

from .access import requires
from .choices import TIMES, connection_options, since
from .context import act, actor, allows, current_rmm, session
from .jobs import progress_values
from .listing import tickets_of
from .narrowing import Chip, Options, argument, chips, uuid_argument, word
from .routing import Routes

routes = Routes()

STATE_WORDS = {
    "failed": "Failed",
    "quarantined": "Put aside",
    "processed": "Taken later",
}
OUTCOMES: Options = [
    ("ticket", "Made or joined a ticket"),
    *((outcome.value, outcome_words(outcome)) for outcome in Outcome),
    (queries.SIGNAL, "Told of a device or organizations"),
    ("stored", "Stored: any"),
    *((state, f"Stored: {STATE_WORDS[state].lower()}") for state in STATES),
]


@routes.get("/deliveries")
@requires("rmm.view")
def delivery_list() -> ResponseReturnValue:
    """Deliveries, newest first, narrowed by the address's parameters."""
    connections = connection_options()
    text = argument("q")
    wanted = DeliveryFilter(
        outcome=argument("outcome", OUTCOMES),
        integration_id=uuid_argument("connection"),
        alert_id=uuid_argument("alert"),
        text=text if text and len(text) >= SHORTEST_TEXT else None,
        since=since(argument("time", TIMES)),
    )
    custom_plans(session())
    page = queries.delivery_page(
        session(), actor().tenant_id, wanted, after=argument("after"), before=argument("before")
    )
    return render_template(
        "rmm/deliveries/list.html",
        page=page,
        wanted=wanted,
        text=text,
        too_short=text is not None and wanted.text is None,
        chips=_chips(text, connections),
        outcomes=OUTCOMES,
        connections=connections,
        times=TIMES,
        keep=current_rmm().settings.keep,
        tickets=tickets_of(page.rows),
        **row_values(connections),
        **_replay_values(wanted),
    )


def row_values(connections: Options) -> dict[str, object]:
    """What the rows of deliveries need, on the log and on a connection's page."""
    return {
        "connection_names": dict(connections),
        "STATE_WORDS": STATE_WORDS,
        "reason_in_words": reason_in_words,
    }


def latest(integration_id: UUID) -> dict[str, object]:
    """A connection's newest deliveries, for its own page."""
    custom_plans(session())
    rows = queries.last_deliveries(session(), actor().tenant_id, integration_id)
    return {"rows": rows, "tickets": tickets_of(rows), "brief": True, **row_values([])}


def _replay_values(wanted: DeliveryFilter) -> dict[str, object]:
    """Where a connection's stored deliveries are shown, whoever may can replay them all."""
    values: dict[str, object] = {"replayable": 0, **progress_values(None)}
    if wanted.integration_id is None or not allows("rmm.alerts.manage"):
        return values
    tenant_id = actor().tenant_id
    states = _states(wanted.outcome)
    values["replayable"] = replay.waiting(session(), tenant_id, wanted.integration_id, states)
    return values | progress_values(queries.replay_under_way(session(), tenant_id, wanted.integration_id))


def _states(outcome: str | None) -> Sequence[str]:
    return [outcome] if outcome in replay.REPLAYABLE else replay.REPLAYABLE


@routes.get("/deliveries/<uuid:delivery_id>")
@requires("rmm.view")
def delivery_page(delivery_id: UUID) -> ResponseReturnValue:
    """A stored delivery: why it is stored, its body, and what is read in it."""
    found = queries.stored_delivery(session(), actor().tenant_id, delivery_id)
    if found is None:
        abort(404)
    events, problem = _read(found.row)
    return render_template(
        "rmm/deliveries/stored.html",
        found=found,
        row=found.row,
        body=body_text(bytes(found.row.body), _hidden(found.row.integration_id)),
        events=events,
        problem=problem,
        tickets=tickets_of([found.alert] if found.alert else []),
        may_replay=allows("rmm.alerts.manage"),
        reason=reason_in_words(found.row.state, found.row.reason),
        **row_values([]),
        **progress_values(found.under_way),
    )


@routes.get("/deliveries/taken/<uuid:event_id>")
@requires("rmm.view")
def delivery_taken(event_id: UUID) -> ResponseReturnValue:
    """A delivery that was taken at once: what it did, and the body its alert keeps."""
    found = queries.taken_delivery(session(), actor().tenant_id, event_id)
    if found is None:
        abort(404)
    raw = found.alert.raw if found.alert else {}
    return render_template(
        "rmm/deliveries/taken.html",
        found=found,
        row=found.row,
        body=document_text(raw, _hidden(found.row.integration_id)),
        tickets=tickets_of([found.alert] if found.alert else []),
        **row_values([]),
    )


@routes.post("/deliveries/<uuid:delivery_id>/replay")
@requires("rmm.alerts.manage")
def delivery_replay(delivery_id: UUID) -> ResponseReturnValue:
    """Process a stored delivery once more."""

    def work(opened: Session) -> str:
        replay.start(current_rmm(), opened, actor(), delivery_id)
        return "The replay is queued. Its result appears here."

    return act(work, url_for("rmm.delivery_page", delivery_id=delivery_id))


@routes.post("/deliveries/replay")
@requires("rmm.alerts.manage")
def delivery_replay_all() -> ResponseReturnValue:
    """Process a connection's failed and quarantined deliveries once more."""
    integration_id = read_uuid(request.form.get("connection", ""))
    if integration_id is None:
        abort(404)
    outcome = request.form.get("outcome")
    back = url_for("rmm.delivery_list", connection=integration_id, outcome=outcome or "stored")
    try:
        with unit(current_rmm()) as opened:
            _, number = replay.start_all(
                current_rmm(), opened, actor(), integration_id, list(_states(outcome))
            )
    except RMMError as error:
        flash(str(error), "danger")
    else:
        many = "1 delivery is" if number == 1 else f"{number:,} deliveries are"
        flash(f"{many} replayed, the oldest first.", "success")
    return redirect(back, 303)


def _read(row: WebhookDelivery) -> tuple[list[Told], str | None]:
    """What the connection's vendor module reads in the body now: events, or why it reads none."""
    try:
        provider = current_rmm().providers.get(row.provider)
        if not isinstance(provider, ReceivesWebhooks):
            return [], "This vendor is not known here (any more)."
        stored = WebhookRequest(headers=row.headers, body=bytes(row.body), received_at=row.received_at)
        return list(provider.parse_webhook(stored)), None
    except (ConfigError, WebhookRejected) as problem:
        return [], str(problem)


def _hidden(integration_id: UUID) -> Collection[str]:
    """Values of the connection that no page shows, wherever a body holds them."""
    try:
        return current_rmm().vault.read(session(), actor().tenant_id, integration_id).values()
    except ConfigError:
        # Without its key nothing can be compared; keys that look like a secret's are masked nevertheless.
        return ()


def _chips(text: str | None, connections: Options) -> list[Chip]:
    chosen = argument("connection")
    return chips(
        {
            "q": ("Text", text),
            "outcome": ("Outcome", word(OUTCOMES, argument("outcome"))),
            "connection": ("Connection", word(connections, chosen) or chosen),
            "time": ("Time", word(TIMES, argument("time"))),
            "alert": ("Alert", "this one" if uuid_argument("alert") else None),
        }
    )
