"""The extension object a host creates, and what it leaves on the app."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask import Flask
from sqlalchemy import ColumnElement, event
from sqlalchemy.orm import Session

from . import blueprints, cli
from .blueprints.slots import Slots
from .blueprints.webhooks import register_webhooks
from .domain.settings import Settings, read_settings
from .host import Actor, PsaHost
from .jobs.short_store import make_short_store
from .jobs.wake import make_wake
from .providers.contract import Runtime
from .providers.registry import ProviderRegistry
from .services import hooks
from .services.context import Database, Rmm
from .services.queries.device_filter import AssetColumn, asset_conditions
from .services.vault import Vault

EXTENSION = "rmm"


@dataclass(frozen=True, slots=True)
class Mounted:
    """What ``app.extensions["rmm"]`` holds: the services' context, and what the host tells and asks.

    Every method that takes a session writes in the host's transaction and commits nothing.
    """

    services: Rmm

    def ticket_closed(self, session: Session, tenant_id: str, ticket_id: str, actor: Actor) -> None:
        """A person closed a ticket; its alerts are reset at the vendor by a job after the commit."""
        hooks.ticket_closed(session, tenant_id, ticket_id, actor)
        # The host commits, not a unit of ours: the workers are told then.
        wake = self.services.wake
        event.listen(session, "after_commit", lambda _: wake(), once=True)

    def contact_deleted(self, session: Session, tenant_id: str, contact_id: str) -> None:
        """A contact is being deleted; it stops being anybody's default contact."""
        hooks.contact_deleted(session, tenant_id, contact_id)

    def asset_conditions(
        self, tenant_id: str, asset_id: AssetColumn, args: Mapping[str, str]
    ) -> list[ColumnElement[bool]]:
        """What the selects of ``rmm_slots.asset_filters()`` say, for the query of the host's list:
        ``query.where(*rmm.asset_conditions(tenant_id, Asset.id, request.args))``."""
        return asset_conditions(tenant_id, asset_id, args)

    def asset_client_changed(
        self, session: Session, tenant_id: str, asset_id: str, client_id: str | None
    ) -> None:
        """An asset was given to another client; its devices follow."""
        hooks.asset_client_changed(session, tenant_id, asset_id, client_id)


class RmmExtension:
    """Mounts the extension: ``RmmExtension(app, db=db, host=host)``, or later by :meth:`init_app`.

    Keeps nothing about an app on itself, so that one object serves several apps.
    """

    def __init__(
        self, app: Flask | None = None, *, db: Database | None = None, host: PsaHost | None = None
    ) -> None:
        if app is not None:
            if db is None or host is None:
                raise TypeError("RmmExtension(app, …) needs db= and host=.")
            self.init_app(app, db=db, host=host)

    def init_app(self, app: Flask, *, db: Database, host: PsaHost) -> None:
        """Check the configuration, then add pages, webhooks, commands and the state to ``app``.

        Raises ``ConfigError`` that names the wrong key.
        """
        settings = read_settings(app.config)
        for key, value in (("RMM_BASE_TEMPLATE", settings.base_template),):
            app.config.setdefault(key, value)
        app.extensions[EXTENSION] = Mounted(services=_context(settings, db, host))
        blueprints.register(app, settings)
        app.jinja_env.globals["rmm_slots"] = Slots()
        register_webhooks(app)
        app.cli.add_command(cli.group)


def _context(settings: Settings, db: Database, host: PsaHost) -> Rmm:
    runtime = Runtime(allowed_networks=settings.allowed_networks, base_urls=settings.base_urls)
    return Rmm(
        settings=settings,
        host=host,
        providers=ProviderRegistry(runtime),
        db=db,
        vault=Vault(settings.secret_keys),
        wake=make_wake(settings),
        short=make_short_store(settings),
    )
