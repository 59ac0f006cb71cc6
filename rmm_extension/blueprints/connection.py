"""One connection: how it stands, its settings, its runs and its activity."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from rmm_extension.domain.connection_states import refusal, works
from rmm_extension.domain.errors import ConfigError, Conflict, RMMError
from rmm_extension.domain.labels import provider_label
from rmm_extension.forms.connection import RenameForm
from rmm_extension.forms.credentials import PREFIX, CredentialsForm, credentials_form
from rmm_extension.models import Integration
from rmm_extension.providers.contract import Provider
from rmm_extension.services import connection_health, connections, credentials, runs
from rmm_extension.services.messaging import open_endpoint
from rmm_extension.services.permissions import start_check
from rmm_extension.services.queries import activity, messaging
from rmm_extension.services.queries import connections as queries
from rmm_extension.services.queries.health import health
from rmm_extension.services.unit import unit

from .abilities import POLLED, able, has_alerts, is_polled, routing_lacks
from .access import requires
from .context import act, actor, current_rmm, end_reading, session
from .leaving import lead_away, way_back
from .routing import Routes
from .signing_in import Attempt, attempt, test, typed
from .tabs import tabs

routes = Routes()

SYNCS: dict[str, tuple[tuple[str, ...], str, dict[str, Any]]] = {
    "organizations": (("organizations",), "organization_sync", {}),
    "devices": (("devices",), "device_sync", {}),
    "devices_full": (("devices",), "device_sync", {"full": True}),
    "software": (("software",), "software_sync", {}),
    "patches": (("patches",), "patch_sync", {}),
    "alerts": (POLLED, "alert_reconcile", {}),
    "activity": (("activity",), "activity_sync", {}),
}
"""What each sync button asks the vendor for, and the run it starts."""


@routes.get("/connections/<uuid:integration_id>")
@requires("rmm.view")
def connection(integration_id: UUID) -> ResponseReturnValue:
    """How the connection stands: its state in words, counts, health, newest runs."""
    row, provider = found(integration_id)
    counted = queries.counts(session(), row.tenant_id, row.id)
    recent = queries.runs_of(session(), row.tenant_id, row.id)
    return render_template(
        "rmm/connections/overview.html",
        row=row,
        provider=provider,
        able=able(provider),
        has_alerts=has_alerts(provider),
        is_polled=is_polled(provider),
        tabs=tabs(row, provider),
        lacks=routing_lacks(row, provider),
        counts=counted.get(row.id, queries.Counts()),
        health=health(session(), row),
        bot=_bot(row, provider),
        runs=recent,
        under_way=[run for run in recent if run.status in runs.UNFINISHED],
    )


@routes.post("/connections/<uuid:integration_id>/test")
@requires("rmm.configure")
def connection_test(integration_id: UUID) -> ResponseReturnValue:
    """Test the stored credentials and show what each check says; reloading tests again."""
    row, provider = found(integration_id)
    if provider is None or row.state == "not_connected":
        raise Conflict("There is nothing to test: this connection has no credentials.")
    stored = connections.build(current_rmm(), session(), row)
    result = test(provider, stored)
    _note_result(integration_id, result)
    return render_template("rmm/connections/test.html", row=found(integration_id)[0], result=result)


@routes.post("/connections/<uuid:integration_id>/sync")
@requires("rmm.sync")
def connection_sync(integration_id: UUID) -> ResponseReturnValue:
    """Start a sync, or go to the one that is under way."""
    wanted = SYNCS.get(request.form.get("what", ""))
    row, provider = found(integration_id)
    if wanted is None:
        raise ConfigError("Choose what to sync.")
    any_of, kind, subject = wanted
    if able(provider).isdisjoint(any_of):
        raise ConfigError(f"{provider_label(row.provider)} lists no {any_of[0]} here.")
    if not works(row.state):
        raise Conflict(refusal(row.name, row.state))
    with unit(current_rmm()) as opened:
        run_id = runs.try_start(opened, actor(), kind, integration_id=integration_id, subject=subject)
    if run_id is None:
        going_on = queries.latest_run(session(), row.tenant_id, integration_id, kind)
        run_id = going_on.id if going_on else None
    if run_id is None:
        return redirect(url_for("rmm.connection", integration_id=integration_id), 303)
    return redirect(url_for("rmm.job_page", run_id=run_id), 303)


@routes.get("/connections/<uuid:integration_id>/settings")
@requires("rmm.configure")
def connection_settings(integration_id: UUID) -> ResponseReturnValue:
    """Name, credentials, pause and disconnect."""
    row, provider = found(integration_id)
    return _settings_page(row, provider, RenameForm(name=row.name))


@routes.post("/connections/<uuid:integration_id>/name")
@requires("rmm.configure")
def connection_rename(integration_id: UUID) -> ResponseReturnValue:
    """Give the connection another name."""
    form = RenameForm()
    row, provider = found(integration_id)
    if not form.validate_on_submit():
        return _settings_page(row, provider, form)

    def work(opened: Session) -> str:
        renamed = connections.rename(opened, actor(), integration_id, form.name.data)
        return f"The connection is named {renamed.name} now."

    return act(work, url_for("rmm.connection_settings", integration_id=integration_id))


@routes.form("/connections/<uuid:integration_id>/credentials")
@requires("rmm.configure")
def connection_credentials(integration_id: UUID) -> ResponseReturnValue:
    """Change address or credentials; they are tested before they are kept. Secrets are never shown."""
    row, provider = found(integration_id)
    if provider is None:
        raise ConfigError("This vendor is not available in this installation.")
    mode = credentials.auth_mode(provider, request.args.get("mode") or row.auth_mode)
    hints = current_rmm().vault.hints(session(), row.tenant_id, row.id)
    kept = hints if mode.key == row.auth_mode else {}
    form = credentials_form(mode, kept)(data=_stored_values(row))
    result, way = Attempt(), way_back(mode)
    if form.validate_on_submit():
        stored = connections.build(current_rmm(), session(), row) if kept else None
        result = attempt(provider, form, stored) if way is None else typed(provider, form, stored)
        if result.connection is not None and way is None:
            return reconnect(integration_id, result)
        if result.connection is not None and way is not None:
            try:
                return lead_away(provider, result.connection, way, integration_id=integration_id)
            except ConfigError as error:
                result = Attempt(general=form.refuse(error))
    return credentials_page(integration_id, provider, form, result)


def credentials_page(
    integration_id: UUID, provider: Provider, form: CredentialsForm, result: Attempt
) -> ResponseReturnValue:
    """The form of a connection's credentials, with how their test went; sent to its own address."""
    row, _ = found(integration_id)
    mode = form.mode
    page = render_template(
        "rmm/connections/credentials.html",
        row=row,
        manifest=provider.manifest,
        mode=mode,
        form=form,
        result=result,
        way=way_back(mode),
        action=url_for("rmm.connection_credentials", integration_id=row.id, mode=mode.key),
    )
    return page, 422 if form.errors or result.general else 200


@routes.post("/connections/<uuid:integration_id>/pause")
@requires("rmm.configure")
def connection_pause(integration_id: UUID) -> ResponseReturnValue:
    """Stop polling, webhooks and actions."""

    def work(opened: Session) -> str:
        if connections.get(opened, actor().tenant_id, integration_id).state == "not_connected":
            raise Conflict("This connection is not connected.")
        row = connections.pause(opened, actor(), integration_id)
        return f"{row.name} is paused: it polls nothing and takes no alerts until it is resumed."

    return act(work, url_for("rmm.connection", integration_id=integration_id))


@routes.post("/connections/<uuid:integration_id>/resume")
@requires("rmm.configure")
def connection_resume(integration_id: UUID) -> ResponseReturnValue:
    """Take up again what was paused."""

    def work(opened: Session) -> str:
        row = connections.resume(opened, actor(), integration_id)
        return f"{row.name} is connected again."

    return act(work, url_for("rmm.connection", integration_id=integration_id))


@routes.form("/connections/<uuid:integration_id>/disconnect")
@requires("rmm.configure")
def connection_disconnect(integration_id: UUID) -> ResponseReturnValue:
    """Name the consequences, then delete the credentials."""
    row, provider = found(integration_id)
    if request.method == "GET":
        counted = queries.counts(session(), row.tenant_id, row.id).get(row.id, queries.Counts())
        return render_template("rmm/connections/disconnect.html", row=row, provider=provider, counts=counted)

    def work(opened: Session) -> str:
        gone = connections.disconnect(current_rmm(), opened, actor(), integration_id)
        return f"{gone.name} is disconnected. Its devices, alerts, rules and mappings are kept."

    return act(work, url_for("rmm.connection", integration_id=integration_id))


@routes.get("/connections/<uuid:integration_id>/activity")
@requires("rmm.configure")
def connection_activity(integration_id: UUID) -> ResponseReturnValue:
    """Who changed what."""
    row, provider = found(integration_id)
    return render_template(
        "rmm/connections/activity.html",
        row=row,
        tabs=tabs(row, provider),
        activity=activity.of_connection(session(), row.tenant_id, row.id),
        shown=activity.SHOWN,
    )


def _bot(row: Integration, provider: Provider | None) -> messaging.Standing | None:
    """Whom the bot of a chat service can reach; ``None`` for other vendors."""
    if "bot_messages" not in able(provider):
        return None
    return messaging.standing(session(), row.tenant_id, row.id)


def found(integration_id: UUID) -> tuple[Integration, Provider | None]:
    """The connection and its provider."""
    row = connections.get(session(), actor().tenant_id, integration_id)
    return row, provider_of(row)


def found_with(integration_id: UUID, capability: type[Any]) -> tuple[Integration, Provider]:
    """The connection and its provider, which has this capability; 404 where it has not, or cannot be used."""
    row, provider = found(integration_id)
    if provider is None or not isinstance(provider, capability):
        abort(404)
    return row, provider


def provider_of(row: Integration) -> Provider | None:
    """The connection's provider, ``None`` for one that cannot be used any more."""
    try:
        return connections.entitled_provider(current_rmm(), session(), row.tenant_id, row.provider)
    except RMMError:
        return None


def _settings_page(row: Integration, provider: Provider | None, rename: RenameForm) -> ResponseReturnValue:
    page = render_template(
        "rmm/connections/settings.html",
        row=row,
        provider=provider,
        tabs=tabs(row, provider),
        rename=rename,
        hints=current_rmm().vault.hints(session(), row.tenant_id, row.id),
    )
    return page, 422 if rename.errors else 200


def _stored_values(row: Integration) -> dict[str, str]:
    plain = {key: _shown(value) for key, value in row.settings.items() if isinstance(value, (str, int))}
    return {PREFIX + key: value for key, value in {**plain, "instance_url": row.instance_url}.items()}


def _shown(value: str | int) -> str:
    """A setting as its form takes it, however it was saved."""
    return ("1" if value else "") if isinstance(value, bool) else str(value)


def reconnect(integration_id: UUID, result: Attempt) -> ResponseReturnValue:
    """Keep tested credentials, and go to the connection."""
    assert result.connection is not None
    tested = result.connection

    def work(opened: Session) -> str:
        provider = current_rmm().providers.get(tested.provider)
        told = credentials.learned(provider, result.checks)
        row = connections.reconnect(current_rmm(), opened, actor(), integration_id, tested, learned=told)
        if row.setup_step:
            runs.try_start(opened, actor(), "organization_sync", integration_id=row.id)
        open_endpoint(current_rmm(), opened, actor(), row.id)
        start_check(opened, actor(), provider, row.id)
        return f"The credentials of {row.name} were tested and saved."

    return act(work, url_for("rmm.connection", integration_id=integration_id))


def _note_result(integration_id: UUID, result: Attempt) -> None:
    """A connection that was in trouble and passes is well again; what failed is written down."""
    end_reading()
    with unit(current_rmm()) as opened:
        if result.connection is not None:
            connection_health.mark_tested(opened, actor().tenant_id, integration_id)
        else:
            failed = next((check.message for check in result.checks if check.state == "failed"), None)
            message = failed or result.general or "The test failed."
            connection_health.mark_error(opened, actor().tenant_id, integration_id, message)
