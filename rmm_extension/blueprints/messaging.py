"""A chat service's bot: the address of its messages, its app package, and where it was put."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from flask import Response, abort, after_this_request, render_template
from flask.typing import ResponseReturnValue

from rmm_extension.domain.errors import ConfigError
from rmm_extension.domain.messaging import AppPlace
from rmm_extension.models import Integration
from rmm_extension.providers.capabilities import MakesAppPackage, ReceivesBotMessages
from rmm_extension.providers.contract import Provider
from rmm_extension.services import connections
from rmm_extension.services.messaging import endpoint
from rmm_extension.services.queries import messaging as queries

from .abilities import needs
from .access import requires
from .connection import found_with
from .context import actor, current_rmm, session
from .routing import Routes
from .tabs import tabs
from .webhook_access import not_kept

routes = Routes()

NO_ADDRESS = "RMM_PUBLIC_URL is not set: the app has to name the public address of this installation."


@routes.get("/connections/<uuid:integration_id>/bot")
@requires("rmm.configure")
@needs("bot_messages")
def connection_bot(integration_id: UUID) -> ResponseReturnValue:
    """The address to copy, the package to download, and where the bot is."""
    row, provider = found_with(integration_id, ReceivesBotMessages)
    return render_template(
        "rmm/connections/bot.html",
        row=row,
        manifest=provider.manifest,
        tabs=tabs(row, provider),
        **bot_values(row, provider),
    )


@routes.get("/connections/<uuid:integration_id>/bot/package")
@requires("rmm.configure")
@needs("app_package")
def connection_bot_package(integration_id: UUID) -> ResponseReturnValue:
    """The app package as a file."""
    row, provider = found_with(integration_id, ReceivesBotMessages)
    if not isinstance(provider, MakesAppPackage):
        abort(404)
    rmm, tenant_id = current_rmm(), actor().tenant_id
    if rmm.settings.public_url is None:
        raise ConfigError(NO_ADDRESS)
    tenant = rmm.host.tenants.get(session(), tenant_id)
    assert tenant is not None
    place = AppPlace(organization=tenant.name, website=rmm.settings.public_url)
    package = provider.app_package(connections.build(rmm, session(), row), place)
    headers = {"Content-Disposition": f'attachment; filename="{package.name}"'}
    return Response(package.content, mimetype="application/zip", headers=headers)


def bot_values(row: Integration, provider: Provider) -> Mapping[str, Any]:
    """What the bot's page and the wizard's step show."""
    after_this_request(not_kept)
    public = current_rmm().settings.public_url
    places = queries.places(session(), row.tenant_id, row.id)
    return {
        "endpoint": endpoint(current_rmm(), session(), row),
        "has_package": isinstance(provider, MakesAppPackage),
        "is_https": public is not None and urlsplit(public).scheme == "https",
        "keys": queries.keys_of(session(), row.tenant_id, row.id),
        "places": places,
        "shown": queries.SHOWN,
    }
