"""The second half of connecting, which can be left and resumed: organizations, webhook, first sync."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import abort, flash, redirect, render_template, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from rmm_extension.models import Integration
from rmm_extension.providers.capabilities import capabilities
from rmm_extension.providers.contract import Provider
from rmm_extension.services import connections, runs
from rmm_extension.services.queries import connections as queries
from rmm_extension.services.unit import unit

from .access import requires
from .context import actor, current_rmm, session
from .jobs import progress_values
from .messaging import bot_values
from .organizations import mapping_values
from .routing import Routes
from .webhook_access import webhook_values

routes = Routes()

FIRST_STEPS = (("sign_in", "Sign-in"), ("details", "Details"), ("test", "Test"))
_STEPS = {
    "bot": ("bot_messages", "Bot"),
    "organizations": ("organizations", "Organizations"),
    "webhook": ("webhook", "Webhook"),
    "first_sync": ("devices", "First sync"),
}


def first_steps(provider: Provider) -> tuple[tuple[str, str], ...]:
    """The steps up to the test; there is nothing to choose where there is one way to sign in."""
    return FIRST_STEPS if len(provider.manifest.auth_modes) > 1 else FIRST_STEPS[1:]


def steps_of(provider: Provider) -> dict[str, str]:
    """The steps after the test that this provider has, with their names."""
    able = capabilities(provider)
    return {step: label for step, (need, label) in _STEPS.items() if need in able}


@routes.get("/connections/<uuid:integration_id>/setup")
@requires("rmm.configure")
def setup(integration_id: UUID) -> ResponseReturnValue:
    """Where the set-up was left."""
    row = connections.get(session(), actor().tenant_id, integration_id)
    if row.setup_step is None:
        return redirect(url_for("rmm.connection", integration_id=integration_id))
    return redirect(url_for("rmm.setup_step", integration_id=integration_id, step=row.setup_step))


@routes.get("/connections/<uuid:integration_id>/setup/<step>")
@requires("rmm.configure")
def setup_step(integration_id: UUID, step: str) -> ResponseReturnValue:
    """One step of the set-up."""
    row = connections.get(session(), actor().tenant_id, integration_id)
    provider = current_rmm().providers.get(row.provider)
    if step not in steps_of(provider):
        abort(404)
    return render_template(
        f"rmm/connect/{step}.html",
        row=row,
        manifest=provider.manifest,
        steps=[*first_steps(provider), *steps_of(provider).items()],
        current=step,
        checks=_checks(integration_id),
        back_to="setup",
        **_values(row, provider, step),
    )


@routes.post("/connections/<uuid:integration_id>/setup/<step>")
@requires("rmm.configure")
def setup_next(integration_id: UUID, step: str) -> ResponseReturnValue:
    """This step is done: go to the next, or finish."""
    tenant_id = actor().tenant_id
    row = connections.get(session(), tenant_id, integration_id)
    provider = current_rmm().providers.get(row.provider)
    following = _following(provider, step)
    with unit(current_rmm()) as opened:
        connections.set_setup_step(opened, tenant_id, integration_id, following)
        if following == "first_sync":
            _start_first_sync(opened, integration_id)
    if following is None:
        flash("The set-up is finished.", "success")
    return redirect(url_for("rmm.setup", integration_id=integration_id), 303)


def _following(provider: Provider, step: str) -> str | None:
    order = list(steps_of(provider))
    if step not in order:
        abort(404)
    place = order.index(step) + 1
    return order[place] if place < len(order) else None


def _start_first_sync(opened: Session, integration_id: UUID) -> None:
    """Start it where something is mapped; without a mapping it would bring nothing."""
    found = queries.counts(opened, actor().tenant_id, integration_id).get(integration_id)
    if found and found.mapped:
        runs.try_start(opened, actor(), "device_sync", integration_id=integration_id, subject={"full": True})


def _values(row: Integration, provider: Provider, step: str) -> Mapping[str, Any]:
    if step == "organizations":
        run = queries.latest_run(session(), row.tenant_id, row.id, "organization_sync")
        return {**progress_values(run), "reload_after": True, **mapping_values(row, provider)}
    if step == "webhook":
        return webhook_values(row, provider)
    if step == "bot":
        return bot_values(row, provider)
    run = queries.latest_run(session(), row.tenant_id, row.id, "device_sync")
    counts = queries.counts(session(), row.tenant_id, row.id).get(row.id, queries.Counts())
    return {**progress_values(run), "reload_after": True, "counts": counts}


def _checks(integration_id: UUID) -> list[tuple[str, str, str]]:
    """The results of the test that led here, shown once."""
    kept = cookie.pop("rmm_checks", None)
    if not kept or kept.get("of") != str(integration_id):
        return []
    return [(line[0], line[1], line[2]) for line in kept["lines"]]
