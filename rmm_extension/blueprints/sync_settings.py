"""When a connection's alerts are polled, its devices, their software and patches synced."""

from __future__ import annotations

from uuid import UUID

from flask import render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from rmm_extension.forms.connection import ActivityForm, PatchForm, PollingForm, ScheduleForm, SoftwareForm
from rmm_extension.models import Integration
from rmm_extension.providers.contract import Provider
from rmm_extension.services import recurring
from rmm_extension.services.inventory.scope import makes_assets
from rmm_extension.services.recurring import ACTIVITY, PATCHES, SOFTWARE, SYNCS, Schedule

from .abilities import POLLED, able, is_polled, needs
from .access import requires
from .connection import found
from .context import act, actor
from .routing import Routes
from .tabs import tabs

routes = Routes()


@routes.get("/connections/<uuid:integration_id>/sync")
@requires("rmm.configure")
@needs(*POLLED, "devices")
def sync_settings(integration_id: UUID) -> ResponseReturnValue:
    """Polling of alerts, sync of devices, software and patches, and what happens to a device that is gone."""
    row, provider = found(integration_id)
    return _page(row, provider)


@routes.post("/connections/<uuid:integration_id>/polling")
@requires("rmm.configure")
@needs(*POLLED)
def connection_polling(integration_id: UUID) -> ResponseReturnValue:
    """Save whether and how often alerts are polled."""
    row, provider = found(integration_id)
    polls = _polls(provider)
    form = PollingForm(polls)
    if not form.validate_on_submit():
        return _page(row, provider, polling=form)
    enabled, minutes = bool(form.polling.data), form.every.data

    def work(opened: Session) -> str:
        recurring.save_polling(opened, actor(), integration_id, enabled=enabled, minutes=minutes, polls=polls)
        if not enabled:
            return "Alerts are not polled any more. A webhook that gets lost will not be noticed."
        return f"Alerts are polled every {'minute' if minutes == 1 else f'{minutes} minutes'}."

    return act(work, url_for("rmm.sync_settings", integration_id=integration_id))


@routes.post("/connections/<uuid:integration_id>/activity-log")
@requires("rmm.configure")
@needs("activity")
def connection_activity_log(integration_id: UUID) -> ResponseReturnValue:
    """Save whether and how often the vendor's activity log is read."""
    form = ActivityForm()
    row, provider = found(integration_id)
    if not form.validate_on_submit():
        return _page(row, provider, activity=form)
    enabled, minutes = bool(form.activity.data), form.pause.data

    def work(opened: Session) -> str:
        recurring.save_activity(opened, actor(), integration_id, enabled=enabled, minutes=minutes)
        if not enabled:
            return "The activity log is not read any more. What a webhook loses of a device is not noticed."
        return f"The activity log is read every {minutes} minutes."

    return act(work, url_for("rmm.sync_settings", integration_id=integration_id))


@routes.post("/connections/<uuid:integration_id>/schedule")
@requires("rmm.configure")
@needs("devices")
def connection_schedule(integration_id: UUID) -> ResponseReturnValue:
    """Save the sync schedule and the deletion policy."""
    form = ScheduleForm()
    row, provider = found(integration_id)
    if not form.validate_on_submit():
        return _page(row, provider, schedule=form)
    enabled, minutes = bool(form.enabled.data), form.minutes.data
    policy, wish = form.deletion_policy.data, bool(form.make_assets.data)

    def work(opened: Session) -> str:
        recurring.save_syncing(
            opened,
            actor(),
            integration_id,
            enabled=enabled,
            minutes=minutes,
            deletion_policy=policy,
            makes_assets=wish,
        )
        if not enabled:
            return "Devices are synced only when somebody starts it."
        return f"Devices are synced every {minutes} minutes."

    return act(work, url_for("rmm.sync_settings", integration_id=integration_id))


@routes.post("/connections/<uuid:integration_id>/software")
@requires("rmm.configure")
@needs("software")
def connection_software(integration_id: UUID) -> ResponseReturnValue:
    """Save whether and how often software is synced."""
    form = SoftwareForm()
    row, provider = found(integration_id)
    if not form.validate_on_submit():
        return _page(row, provider, software=form)
    enabled, hours = bool(form.software.data), form.hours.data

    def work(opened: Session) -> str:
        recurring.save_software(opened, actor(), integration_id, enabled=enabled, minutes=hours * 60)
        if not enabled:
            return "Software is synced only when somebody starts it."
        return f"Software is synced every {hours} hours where devices are synced on a schedule."

    return act(work, url_for("rmm.sync_settings", integration_id=integration_id))


@routes.post("/connections/<uuid:integration_id>/patches")
@requires("rmm.configure")
@needs("patches")
def connection_patches(integration_id: UUID) -> ResponseReturnValue:
    """Save whether and how often patches are synced."""
    form = PatchForm()
    row, provider = found(integration_id)
    if not form.validate_on_submit():
        return _page(row, provider, patches=form)
    enabled, hours = bool(form.patches.data), form.patch_hours.data

    def work(opened: Session) -> str:
        recurring.save_patches(opened, actor(), integration_id, enabled=enabled, minutes=hours * 60)
        if not enabled:
            return "Patches are synced only when somebody starts it."
        return f"Patches are synced every {hours} hours where devices are synced on a schedule."

    return act(work, url_for("rmm.sync_settings", integration_id=integration_id))


def _page(
    row: Integration,
    provider: Provider | None,
    *,
    polling: PollingForm | None = None,
    activity: ActivityForm | None = None,
    schedule: ScheduleForm | None = None,
    software: SoftwareForm | None = None,
    patches: PatchForm | None = None,
) -> ResponseReturnValue:
    """The page; a form that was sent and refused stands as it was typed, the others as they are stored."""
    sent = polling or activity or schedule or software or patches
    page = render_template(
        "rmm/connections/sync.html",
        row=row,
        able=able(provider),
        tabs=tabs(row, provider),
        polling=polling or _polling(row, _polls(provider)),
        is_polled=is_polled(provider),
        activity=activity or _activity(row),
        schedule=schedule or _schedule(row, provider),
        software=software or _software(row),
        patches=patches or _patches(row),
        follows=SYNCS.is_on(row.settings),
    )
    return page, 422 if sent else 200


def _polls(provider: Provider | None) -> Schedule:
    return (recurring.polls_of(provider) if provider else None) or recurring.POLLS


def _polling(row: Integration, polls: Schedule) -> PollingForm:
    return PollingForm(polls, formdata=None, polling=polls.is_on(row.settings), every=_minutes(polls, row))


def _activity(row: Integration) -> ActivityForm:
    return ActivityForm(formdata=None, activity=ACTIVITY.is_on(row.settings), pause=_minutes(ACTIVITY, row))


def _schedule(row: Integration, provider: Provider | None) -> ScheduleForm:
    return ScheduleForm(
        formdata=None,
        enabled=SYNCS.is_on(row.settings),
        minutes=_minutes(SYNCS, row),
        deletion_policy=row.settings.get("deletionPolicy") or "never",
        make_assets=provider is not None and makes_assets(provider.manifest, row.settings),
    )


def _software(row: Integration) -> SoftwareForm:
    wished, hours = SOFTWARE.is_wished(row.settings), _minutes(SOFTWARE, row) // 60
    return SoftwareForm(formdata=None, software=wished, hours=hours)


def _patches(row: Integration) -> PatchForm:
    wished, hours = PATCHES.is_wished(row.settings), _minutes(PATCHES, row) // 60
    return PatchForm(formdata=None, patches=wished, patch_hours=hours)


def _minutes(schedule: Schedule, row: Integration) -> int:
    return int(schedule.interval(row.settings).total_seconds() // 60)
