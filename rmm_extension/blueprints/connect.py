"""Connecting a vendor: choose how to sign in, give address and credentials, test, store."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from flask import redirect, render_template, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from rmm_extension.domain.errors import ConfigError, Conflict
from rmm_extension.domain.types import Check
from rmm_extension.forms.credentials import CredentialsForm, connect_form
from rmm_extension.models import Integration
from rmm_extension.providers.contract import AuthMode, Provider
from rmm_extension.services import connections, credentials, runs
from rmm_extension.services.messaging import open_endpoint
from rmm_extension.services.permissions import start_check
from rmm_extension.services.unit import unit

from .abilities import has_alerts
from .access import requires
from .context import actor, current_rmm, session
from .leaving import Return, lead_away, way_back
from .routing import Routes
from .setup import first_steps, steps_of
from .signing_in import Attempt, attempt, typed

routes = Routes()

CHECKS = "rmm_checks"
"""Where the cookie keeps the results of the test until the next page has shown them."""


@routes.get("/connect/<provider_key>")
@requires("rmm.configure")
def connect(provider_key: str) -> ResponseReturnValue:
    """The choice of how to sign in; skipped where there is only one."""
    provider = _provider(provider_key)
    modes = provider.manifest.auth_modes
    if len(modes) == 1:
        return redirect(url_for("rmm.connect_details", provider_key=provider_key, mode_key=modes[0].key))
    return render_template(
        "rmm/connect/choose.html", manifest=provider.manifest, steps=_steps(provider), current="sign_in"
    )


@routes.form("/connect/<provider_key>/<mode_key>")
@requires("rmm.configure")
def connect_details(provider_key: str, mode_key: str) -> ResponseReturnValue:
    """Name, address and credentials; sent, they are tested and, if good, kept."""
    provider = _provider(provider_key)
    mode = credentials.auth_mode(provider, mode_key)
    taken = _names(provider)
    name = _free_name(provider.manifest.label, taken)
    form = connect_form(mode, name, alerts=has_alerts(provider))()
    result = Attempt()
    if form.validate_on_submit() and _name_is_free(form, taken):
        way = way_back(mode)
        result = attempt(provider, form) if way is None else typed(provider, form)
        if result.connection is not None:
            try:
                return _go_on(provider, form, result, way)
            except ConfigError as error:
                result = Attempt(result.checks, general=form.refuse(error))
            except Conflict as error:
                form.name.errors = [*form.name.errors, str(error)]
    return details_page(provider, mode, form, result)


def _go_on(
    provider: Provider, form: CredentialsForm, result: Attempt, way: Return | None
) -> ResponseReturnValue:
    """Keep what was tested, or lead to the vendor."""
    assert result.connection is not None
    catch_all = "catch_all" in form and bool(form.catch_all.data)
    if way is None:
        return keep(provider, form.name.data, result, catch_all=catch_all)
    extras = {"name": form.name.data, "catch_all": "1" if catch_all else ""}
    return lead_away(provider, result.connection, way, extras=extras)


def details_page(
    provider: Provider, mode: AuthMode, form: CredentialsForm, result: Attempt
) -> ResponseReturnValue:
    """The form of a new connection, with how its test went; sent to its own address wherever it is shown."""
    page = render_template(
        "rmm/connect/details.html",
        manifest=provider.manifest,
        mode=mode,
        form=form,
        result=result,
        way=way_back(mode),
        action=url_for("rmm.connect_details", provider_key=provider.manifest.key, mode_key=mode.key),
        steps=_steps(provider),
        current="test" if result.checks else "details",
    )
    return page, 422 if form.errors or result.general else 200


def keep(provider: Provider, name: str, result: Attempt, *, catch_all: bool) -> ResponseReturnValue:
    """Store the tested connection, start the first listing of its organizations, and go on to them.

    Raises ``Conflict`` if the name was taken meanwhile.
    """
    assert result.connection is not None
    tested, told = result.connection, credentials.learned(provider, result.checks)
    with unit(current_rmm()) as opened:
        row = connections.create(
            current_rmm(), opened, actor(), name, tested, catch_all=catch_all, learned=told
        )
        _begin(provider, opened, row)
        created = row.id
    remember_checks(created, result.checks)
    return redirect(url_for("rmm.setup", integration_id=created), 303)


def _begin(provider: Provider, opened: Session, row: Integration) -> None:
    following = list(steps_of(provider))
    row.setup_step = following[0] if following else None
    if "organizations" in following:
        runs.try_start(opened, actor(), "organization_sync", integration_id=row.id)
    open_endpoint(current_rmm(), opened, actor(), row.id)
    start_check(opened, actor(), provider, row.id)


def remember_checks(integration_id: UUID, checks: Sequence[Check]) -> None:
    """Keep the test's results for the next page, shortened to what a cookie can hold."""
    cookie[CHECKS] = {
        "of": str(integration_id),
        "lines": [[check.name[:60], check.state, check.message[:120]] for check in checks[:10]],
    }


def _provider(key: str) -> Provider:
    return connections.entitled_provider(current_rmm(), session(), actor().tenant_id, key)


def _steps(provider: Provider) -> list[tuple[str, str]]:
    return [*first_steps(provider), *steps_of(provider).items()]


def _names(provider: Provider) -> set[str]:
    rows = connections.all_of(session(), actor().tenant_id)
    return {row.name for row in rows if row.provider == provider.manifest.key}


def _free_name(label: str, taken: set[str]) -> str:
    """The vendor's name, with a number behind it from the second connection on."""
    names = (label if number == 1 else f"{label} {number}" for number in range(1, len(taken) + 2))
    return next(name for name in names if name not in taken)


def _name_is_free(form: CredentialsForm, taken: set[str]) -> bool:
    """Said before the vendor is asked, so that nobody waits for a test in vain."""
    name = " ".join(form.name.data.split())
    if name not in taken:
        return True
    form.name.errors = [f"There is a connection named “{name}” already; choose another name."]
    return False
