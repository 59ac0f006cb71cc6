"""How a connection does, line by line: a state, what it means and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from flask import render_template, url_for
from flask.typing import ResponseReturnValue

from rmm_extension.domain.connection_states import works
from rmm_extension.domain.labels import provider_label
from rmm_extension.models import Integration, JobRun, utc_now
from rmm_extension.providers.contract import Provider
from rmm_extension.services.queries import health as queries
from rmm_extension.services.queries import messaging
from rmm_extension.services.queries.health import DAYS, Health
from rmm_extension.services.recurring import Schedule, polls_of
from rmm_extension.services.runs import label as run_label

from .abilities import able, has_alerts, has_part, is_polled
from .access import requires
from .connection import found
from .context import allows, session
from .registration import standing
from .routing import Routes
from .tabs import tabs

routes = Routes()

WORDS = {"ok": "Good", "warning": "Look at it", "failed": "Trouble", "not_checked": "Off"}
"""The states of a line, by the names of their shapes and colours."""
PATIENCE = timedelta(minutes=5)
"""A poll may be so late before it is worth a look: a worker may be busy."""
_OLD_KEYS = timedelta(days=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing that is well or not. The sentence is ``message`` and the time ``at``, then ``then`` and
    ``next_at``; ``link`` is a label and an address."""

    name: str
    state: str
    message: str
    at: datetime | None = None
    then: str = ""
    next_at: datetime | None = None
    remedy: str = ""
    link: tuple[str, str] | None = None

    @property
    def word(self) -> str:
        """The state in words."""
        return WORDS[self.state]


@routes.get("/connections/<uuid:integration_id>/health")
@requires("rmm.view")
def connection_health(integration_id: UUID) -> ResponseReturnValue:
    """Channels, losses, sign-in, mapping, patience of the vendor, latest problems."""
    row, provider = found(integration_id)
    return render_template(
        "rmm/connections/health.html",
        row=row,
        is_polled=is_polled(provider),
        tabs=tabs(row, provider),
        lines=list(lines(row, provider, queries.health(session(), row), queries.failing(session(), row))),
        troubles=queries.troubles(session(), row),
    )


def lines(
    row: Integration, provider: Provider | None, known: Health, failing: Sequence[JobRun]
) -> Iterator[Line]:
    """The health of the connection, the most telling first; ``failing`` are syncs that failed last."""
    has = able(provider)
    yield _sign_in(row, known)
    yield _vendor(row)
    if "bot_messages" in has and row.state != "not_connected":
        yield _bot(row)
        yield _signing_keys(row)
    if "webhook" in has:
        yield _webhook(row, known, is_signed="signed_webhook" in has)
        if "webhook_registration" in has:
            yield _registration(row)
        yield _lost(row, known)
        yield _deliveries(row, known)
    if provider is not None and (polls := polls_of(provider)):
        yield _polling(row, polls)
        if known.set_aside:
            yield _set_aside(known)
        if row.reconcile_state:
            yield _doubt(row)
    yield from map(_sync, failing)
    if "organizations" in has or known.organizations:
        yield _mapping(row, known)
    if provider is None or has_alerts(provider):
        yield _rules(row, known)
    yield _throttling(row, known, has_part("rmm.sync_settings", provider))


def _configuring(label: str, endpoint: str, row: Integration) -> tuple[str, str] | None:
    """A link to a page of this connection, for those who may configure."""
    return (label, url_for(f"rmm.{endpoint}", integration_id=row.id)) if allows("rmm.configure") else None


def _sign_in(row: Integration, known: Health) -> Line:
    link = _configuring("Enter new credentials", "connection_credentials", row)
    if row.state == "needs_reauth":
        message = "The vendor refuses the credentials, so polling and syncs have stopped"
        remedy = "Webhooks are still taken."
        return Line(name="Sign-in", state="failed", message=message, remedy=remedy, link=link)
    if row.state == "not_connected":
        return Line(name="Sign-in", state="not_checked", message="There are no credentials", link=link)
    message = "The credentials are accepted; they were saved"
    return Line(name="Sign-in", state="ok", message=message, at=known.signed_in_since or row.connected_at)


def _vendor(row: Integration) -> Line:
    name = provider_label(row.provider)
    if row.state == "paused":
        message = "Paused: nothing is polled or synced, and webhooks are not taken"
        link = _configuring("Settings", "connection_settings", row)
        return Line(
            name=name,
            state="not_checked",
            message=message,
            remedy="An administrator can resume it.",
            link=link,
        )
    if row.last_error and row.state in ("error", "connected"):
        remedy = "It is tried again by itself; nothing was concluded from what did not arrive completely."
        state = "failed" if row.state == "error" else "warning"
        message = f"The last talk failed: {row.last_error.rstrip('.')}"
        return Line(name=name, state=state, message=message, at=row.last_error_at, remedy=remedy)
    if row.state in ("needs_reauth", "not_connected"):
        return Line(name=name, state="not_checked", message="Not asked without valid credentials")
    return Line(name=name, state="ok", message="It answers")


def _bot(row: Integration) -> Line:
    link = _configuring("Bot", "connection_bot", row)
    bot = messaging.standing(session(), row.tenant_id, row.id)
    if not bot.is_installed:
        message = "It was not put anywhere yet, so nobody can be reached"
        return Line(name="Bot", state="warning", message=message, link=link)
    people = f"{bot.people} {'person' if bot.people == 1 else 'people'}"
    channels = f"{bot.channels} {'channel' if bot.channels == 1 else 'channels'}"
    message = f"It reaches {people} and {channels}; heard of"
    return Line(name="Bot", state="ok", message=message, at=bot.heard_at, link=link)


def _signing_keys(row: Integration) -> Line:
    """The keys that messages to the bot are verified with: the tick renews them daily."""
    known = messaging.keys_of(session(), row.tenant_id, row.id)
    if known is None or known.fetched_at is None:
        message = "Not fetched yet, so the bot's messages are not taken"
        remedy = "A run fetches them; its error stands below if it failed."
        return Line(name="Signing keys", state="warning", message=message, remedy=remedy)
    if known.fetched_at < utc_now() - _OLD_KEYS:
        remedy = "Those before are used on. They are asked for every hour; the runs say what is in the way."
        message = "They could not be renewed since they were fetched"
        return Line(name="Signing keys", state="warning", message=message, at=known.fetched_at, remedy=remedy)
    return Line(
        name="Signing keys",
        state="ok",
        message="The bot's messages are verified with keys fetched",
        at=known.fetched_at,
    )


def _webhook(row: Integration, known: Health, *, is_signed: bool) -> Line:
    link = _configuring("Webhook", "connection_webhook", row)
    if not row.webhook_enabled:
        message = "Off: alerts come by polling alone, minutes later"
        return Line(
            name="Webhook",
            state="not_checked",
            message=message,
            remedy="An administrator can set it up.",
            link=link,
        )
    if is_signed and not known.has_webhook_secret:
        message = "Waiting for the secret: deliveries are refused until then"
        remedy = f"An administrator pastes the secret that {provider_label(row.provider)} made."
        return Line(name="Webhook", state="warning", message=message, remedy=remedy, link=link)
    if known.last_webhook_at is None:
        message = f"On, but nothing has arrived in {DAYS} days"
        remedy = "Trigger a test alert at the vendor, or look at the set-up."
        return Line(name="Webhook", state="warning", message=message, remedy=remedy, link=link)
    return Line(name="Webhook", state="ok", message="The last delivery arrived", at=known.last_webhook_at)


def _registration(row: Integration) -> Line:
    known = standing(row)
    state = {"running": "warning"}.get(known.badge, known.badge)
    link = _configuring("Webhook", "connection_webhook", row) if state != "ok" else None
    return Line(
        name="Registration",
        state=state,
        message=known.message,
        at=known.at,
        then=", the next try is due" if known.next_at else "",
        next_at=known.next_at,
        remedy=known.error,
        link=link,
    )


def _lost(row: Integration, known: Health) -> Line:
    if not known.lost:
        return Line(name="Lost webhooks", state="ok", message=f"None noticed in {DAYS} days")
    alerts = "1 alert was" if known.lost == 1 else f"{known.lost:,} alerts were"
    return Line(
        name="Lost webhooks",
        state="warning",
        message=f"{alerts} found by polling in {DAYS} days although the webhook should have told",
        remedy="Look whether the vendor reaches this installation, and whether its alerts use the webhook.",
        link=("See the alerts", url_for("rmm.alert_list", connection=row.id, lost=1, time="7d")),
    )


def _deliveries(row: Integration, known: Health) -> Line:
    link = ("Deliveries", url_for("rmm.delivery_list", connection=row.id, outcome="stored"))
    if not known.to_retry and not known.put_aside:
        return Line(name="Deliveries", state="ok", message="None waits or was put aside")
    parts = [
        f"{known.to_retry:,} tried again by itself" if known.to_retry else "",
        f"{known.put_aside:,} put aside as unreadable" if known.put_aside else "",
    ]
    message = " and ".join(part for part in parts if part)
    return Line(
        name="Deliveries", state="warning", message=message, remedy="Each says what to do.", link=link
    )


def _set_aside(known: Health) -> Line:
    alerts = "1 alert" if known.set_aside == 1 else f"{known.set_aside:,} alerts"
    return Line(
        name="Set aside",
        state="warning",
        message=f"{alerts} could not be taken",
        remedy="The others are not kept waiting. Each says why, and when it is tried again.",
        link=("Needs attention", url_for("rmm.attention")),
    )


def _polling(row: Integration, polls: Schedule) -> Line:
    link = _configuring("Sync settings", "sync_settings", row)
    if not polls.is_on(row.settings):
        message = "Switched off: a webhook that gets lost is not noticed"
        return Line(
            name="Polling",
            state="not_checked",
            message=message,
            remedy="An administrator can switch it on.",
            link=link,
        )
    at = row.last_reconciled_at
    if not works(row.state):
        message = f"No list is asked for{'; the last complete one arrived' if at else ''}"
        return Line(name="Polling", state="not_checked", message=message, at=at)
    if at is None:
        message = "No complete list of alerts has arrived yet"
        return Line(name="Polling", state="warning", message=message, remedy="It comes by itself.")
    now = utc_now()
    late = now - at > 2 * polls.interval(row.settings) + PATIENCE
    then, next_at = "", row.next_reconcile_at
    if next_at:
        then = ", the next is due" if next_at > now else ", the next is due now"
    return Line(
        name="Polling",
        state="warning" if late else "ok",
        message="The last complete list arrived",
        at=at,
        then=then,
        next_at=next_at if next_at and next_at > now else None,
        remedy="Polls come late: see the problems below, and whether a worker is running." if late else "",
    )


def _doubt(row: Integration) -> Line:
    guard = queries.vanish_guard(row.id, row.provider, row.name, row.reconcile_state)
    return Line(
        name="Doubtful list",
        state="warning",
        message=f"{guard.suspects:,} of {guard.open:,} open alerts were missing in the vendor's list",
        at=guard.since,
        remedy="None is resolved before a second list a minute later says the same.",
    )


def _sync(run: JobRun) -> Line:
    why = (run.error or "it did not say why").rstrip(".")
    return Line(
        name=run_label(run.kind),
        state="warning",
        message=f"The last one failed: {why}",
        at=run.finished_at or run.queued_at,
        remedy="What is known from before stays.",
    )


def _mapping(row: Integration, known: Health) -> Line:
    link = ("Organizations", url_for("rmm.organizations", integration_id=row.id))
    waiting = known.alerts_without_client
    if not known.unmapped and not waiting:
        return Line(name="Mapping", state="ok", message="Every organization has a client")
    unmapped = f"{known.unmapped:,} of {known.organizations:,} organizations have no client"
    parts = [unmapped if known.unmapped else "", _waiting(waiting)]
    message = ", and ".join(part for part in parts if part)
    remedy = "Map them; the tickets that wait are then made by themselves."
    state = "failed" if waiting else "warning"
    return Line(name="Mapping", state=state, message=message, remedy=remedy, link=link)


def _waiting(alerts: int) -> str:
    if not alerts:
        return ""
    return "1 alert waits for one" if alerts == 1 else f"{alerts:,} alerts wait for one"


def _rules(row: Integration, known: Health) -> Line:
    if known.rules:
        active = "1 rule is" if known.rules == 1 else f"{known.rules:,} rules are"
        return Line(name="Rules", state="ok", message=f"{active} active")
    link = ("Rules", url_for("rmm.connection_rules", integration_id=row.id))
    message = "None is active, so alerts are recorded and make no ticket"
    return Line(
        name="Rules",
        state="warning",
        message=message,
        remedy="A rule says which alerts become tickets.",
        link=link,
    )


def _throttling(row: Integration, known: Health, is_set: bool) -> Line:
    name = "Requests"
    if known.throttled_until and known.throttled_until > utc_now():
        message = "The vendor asked for patience; the next try is due"
        remedy = "Longer intervals ask less of it." if is_set else ""
        link = _configuring("Sync settings", "sync_settings", row) if is_set else None
        return Line(
            name=name, state="warning", message=message, at=known.throttled_until, remedy=remedy, link=link
        )
    if known.throttled_at:
        message = "The vendor asked for patience in a run that was queued"
        return Line(name=name, state="ok", message=message, at=known.throttled_at)
    return Line(name=name, state="ok", message=f"The vendor limited none in {DAYS} days")
