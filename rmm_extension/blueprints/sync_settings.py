"""When a connection's alerts are polled and its devices synced."""

from __future__ import annotations

from uuid import UUID

from flask import render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from rmm_extension.forms.connection import PollingForm, ScheduleForm
from rmm_extension.models import Integration
from rmm_extension.providers.contract import Provider, capabilities
from rmm_extension.services import recurring
from rmm_extension.services.recurring import POLLS, SYNCS

from .access import requires
from .connection import found
from .context import act, actor
from .routing import Routes
from .tabs import tabs

routes = Routes()


@routes.get("/connections/<uuid:integration_id>/sync")
@requires("rmm.configure")
def sync_settings(integration_id: UUID) -> ResponseReturnValue:
    """Polling of alerts, sync of devices, and what happens to a device that is gone."""
    row, provider = found(integration_id)
    return _page(row, provider, _polling(row), _schedule(row))


@routes.post("/connections/<uuid:integration_id>/polling")
@requires("rmm.configure")
def connection_polling(integration_id: UUID) -> ResponseReturnValue:
    """Save whether and how often alerts are polled."""
    form = PollingForm()
    row, provider = found(integration_id)
    if not form.validate_on_submit():
        return _page(row, provider, form, _schedule(row))
    enabled, minutes = bool(form.polling.data), form.every.data

    def work(opened: Session) -> str:
        recurring.save_polling(opened, actor(), integration_id, enabled=enabled, minutes=minutes)
        if not enabled:
            return "Alerts are not polled any more. A webhook that gets lost will not be noticed."
        return f"Alerts are polled every {minutes} minutes."

    return act(work, url_for("rmm.sync_settings", integration_id=integration_id))


@routes.post("/connections/<uuid:integration_id>/schedule")
@requires("rmm.configure")
def connection_schedule(integration_id: UUID) -> ResponseReturnValue:
    """Save the sync schedule and the deletion policy."""
    form = ScheduleForm()
    row, provider = found(integration_id)
    if not form.validate_on_submit():
        return _page(row, provider, _polling(row), form)
    enabled, minutes = bool(form.enabled.data), form.minutes.data
    policy = form.deletion_policy.data

    def work(opened: Session) -> str:
        recurring.save_syncing(
            opened, actor(), integration_id, enabled=enabled, minutes=minutes, deletion_policy=policy
        )
        if not enabled:
            return "Devices are synced only when somebody starts it."
        return f"Devices are synced every {minutes} minutes."

    return act(work, url_for("rmm.sync_settings", integration_id=integration_id))


def _page(
    row: Integration, provider: Provider | None, polling: PollingForm, schedule: ScheduleForm
) -> ResponseReturnValue:
    page = render_template(
        "rmm/connections/sync.html",
        row=row,
        able=capabilities(provider) if provider else frozenset(),
        tabs=tabs(row, provider),
        polling=polling,
        schedule=schedule,
    )
    return page, 422 if polling.errors or schedule.errors else 200


def _polling(row: Integration) -> PollingForm:
    minutes = int(POLLS.interval(row.settings).total_seconds() // 60)
    return PollingForm(formdata=None, polling=POLLS.is_on(row.settings), every=minutes)


def _schedule(row: Integration) -> ScheduleForm:
    minutes = int(SYNCS.interval(row.settings).total_seconds() // 60)
    return ScheduleForm(
        formdata=None,
        enabled=SYNCS.is_on(row.settings),
        minutes=minutes,
        deletion_policy=row.settings.get("deletionPolicy") or "never",
    )
