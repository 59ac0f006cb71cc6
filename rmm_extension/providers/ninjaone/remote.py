"""``GET /v2/device/{id}/dashboard-url``: the link to a device's dashboard, from which it is controlled."""

from __future__ import annotations

from urllib.parse import quote

import msgspec

from rmm_extension.domain.errors import BadResponse, NotFound
from rmm_extension.domain.types import Connection, RemoteLink
from rmm_extension.providers.ninjaone import scopes
from rmm_extension.providers.ninjaone.client import NinjaOneClient
from rmm_extension.providers.values import Scalar, epoch, text


class _Answer(msgspec.Struct):
    url: Scalar = None
    expires: Scalar = None


def obstacle(connection: Connection) -> str | None:
    """Why no device can be opened, by what NinjaOne granted; nothing where it did not say."""
    if not scopes.is_missing(connection, scopes.CONTROL):
        return None
    return (
        f"NinjaOne did not grant the scope {scopes.LABELS[scopes.CONTROL]}, which remote access takes. Tick"
        " it for the API application and sign in again."
    )


def page(base_url: str, external_id: str) -> str:
    """The same dashboard for whoever is signed in at NinjaOne, as its web pages have it: undocumented."""
    return f"{base_url}/#/deviceDashboard/{quote(external_id, safe='')}/overview"


def fetch(client: NinjaOneClient, external_id: str) -> RemoteLink:
    """A link that is good for a short time."""
    if not (external_id.isascii() and external_id.isdecimal()):
        raise NotFound(f"“{external_id}” is no id of a device in NinjaOne.", provider=client.provider)
    reply = client.read(f"/v2/device/{external_id}/dashboard-url")
    found = reply.decode(_Answer)
    url = text(found.url)
    if url is None:
        raise BadResponse(
            "NinjaOne gave no link to this device.",
            provider=client.provider,
            status=reply.status,
            request_id=reply.request_id,
        )
    return RemoteLink(url=url, expires_at=epoch(found.expires))
