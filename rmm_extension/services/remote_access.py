"""Remote access: whether a device can be reached now, and the way where it is known without a call.

A vendor that has to be called for its link is asked by a run (:mod:`.remote_links`); to people both are one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from rmm_extension.domain.connection_states import refusal, works
from rmm_extension.domain.errors import ConfigError, Conflict, Forbidden
from rmm_extension.domain.sessions import MemorySessions
from rmm_extension.domain.types import AgentStatus, Connection, RemoteLink
from rmm_extension.host import Actor
from rmm_extension.models import CONNECTION_OF_DEVICE, DeviceRow, Integration
from rmm_extension.providers.capabilities import FetchesRemoteLink, OpensRemotely
from rmm_extension.providers.contract import Provider

from . import audit, sign_in
from .connections import entitled
from .context import Rmm
from .inventory import UnknownDevice
from .unit import unit

PERMISSION = "rmm.remote_access"

_NOT_ONLINE = {
    AgentStatus.OFFLINE: "The device is offline.",
    AgentStatus.OVERDUE: "The device is overdue: its agent has been silent for too long.",
    AgentStatus.UNKNOWN: "It is not known whether the device is online.",
}


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a device cannot be reached now; ``lacking`` is the connection that misses a setting for it."""

    reason: str
    lacking: UUID | None = None


def open_remotely(rmm: Rmm, actor: Actor, device_id: UUID) -> RemoteLink | None:
    """The link to the device, and a line in the audit that the actor asked for it; ``None`` where nothing
    stands in the way and the vendor has to be called for it.

    Raises ``Forbidden``, ``Conflict`` with the reason when the device cannot be reached now, ``ConfigError``
    when the connection lacks a setting, and ``UnknownDevice``.
    """
    with unit(rmm) as session:
        device, integration, link = reachable(rmm, session, actor, device_id)
        if link is not None:
            tell(session, actor, device, integration, link)
    return link


def reachable(
    rmm: Rmm, session: Session, actor: Actor, device_id: UUID
) -> tuple[DeviceRow, Integration, RemoteLink | None]:
    """The device that nothing keeps this person from, and the link as :func:`open_remotely` gives it."""
    if not rmm.host.permissions.allows(actor, PERMISSION):
        raise Forbidden("Your role may not open remote sessions.")
    found = with_connections(session, actor.tenant_id, [device_id])
    if not found:
        raise UnknownDevice("This device does not exist (any more).")
    device, integration = found[0]
    sessions = _sessions(rmm, session, actor.tenant_id, [integration])
    return device, integration, _way(rmm, session, device, integration, sessions)


def tell(
    session: Session, actor: Actor, device: DeviceRow, integration: Integration, link: RemoteLink
) -> None:
    """Write to the audit who was given a link to the device."""
    audit.record(
        session,
        actor,
        "device.remote_access",
        subject_type="device",
        subject_id=device.id,
        subject_name=device.name,
        integration_id=integration.id,
        # The host alone: what stands behind it may be a secret.
        changes={"host": urlsplit(link.url).hostname or ""},
    )


def with_connections(
    session: Session, tenant_id: str, device_ids: Collection[UUID]
) -> list[tuple[DeviceRow, Integration]]:
    """These devices, each with its connection."""
    if not device_ids:
        return []
    statement = (
        select(DeviceRow, Integration)
        .join(Integration, CONNECTION_OF_DEVICE)
        .where(DeviceRow.tenant_id == tenant_id, DeviceRow.id.in_(list(device_ids)))
    )
    return [(row[0], row[1]) for row in session.execute(statement)]


def obstacles(
    rmm: Rmm, session: Session, tenant_id: str, found: Collection[tuple[DeviceRow, Integration]]
) -> Mapping[UUID, Obstacle | None]:
    """What stands in the way to each of these devices, ``None`` where nothing does.

    Devices of vendors without remote access are left out. One statement where a vendor has to be called for
    its links, and the host's word on each vendor.
    """
    able = {
        one.manifest.key for one in rmm.providers.all() if isinstance(one, (OpensRemotely, FetchesRemoteLink))
    }
    told: dict[UUID, Obstacle | None] = {}
    rows = [row for row in found if row[1].provider in able]
    sessions = _sessions(rmm, session, tenant_id, [integration for _, integration in rows])
    for device, integration in rows:
        try:
            _way(rmm, session, device, integration, sessions)
        except (Conflict, Forbidden) as error:
            told[device.id] = Obstacle(str(error))
        except ConfigError as error:
            told[device.id] = Obstacle(str(error), lacking=integration.id)
        else:
            told[device.id] = None
    return told


def _sessions(
    rmm: Rmm, session: Session, tenant_id: str, integrations: Collection[Integration]
) -> Mapping[UUID, str]:
    """The stored sessions of connections whose vendor is called for its links: they say what it allows."""
    wanted = {one.id for one in integrations if isinstance(_provider(rmm, one.provider), FetchesRemoteLink)}
    return rmm.vault.read_named(session, tenant_id, wanted, sign_in.SESSION) if wanted else {}


def _provider(rmm: Rmm, key: str) -> Provider | None:
    try:
        return rmm.providers.get(key)
    except ConfigError:
        return None


def _way(
    rmm: Rmm, session: Session, device: DeviceRow, integration: Integration, sessions: Mapping[UUID, str]
) -> RemoteLink | None:
    """The link, ``None`` where the vendor is to be called for it, or an error that says what stands in its
    way; what lasts longest is said first."""
    provider = rmm.providers.get(integration.provider)
    label, link = provider.manifest.label, None
    if not isinstance(provider, (OpensRemotely, FetchesRemoteLink)):
        raise Conflict(f"{label} offers no remote access.")
    if not entitled(rmm, session, integration.tenant_id, provider):
        raise Forbidden(f"{label} is not part of this tenant's edition.")
    if device.deleted_at is not None:
        raise Conflict(f"The device was deleted in {label}.")
    if not works(integration.state):
        raise Conflict(refusal(integration.name, integration.state))
    connection = _without_secrets(integration, sessions.get(integration.id))
    if isinstance(provider, OpensRemotely):
        link = provider.remote_link(connection, device.external_id)
        if urlsplit(link.url).scheme not in ("http", "https"):
            # Whoever opens it is signed in here: a link that runs something would run it with their rights.
            raise ConfigError(f"The link that {label} has for this device is no web address.")
    elif obstacle := provider.remote_obstacle(connection):
        raise ConfigError(obstacle)
    if device.status != AgentStatus.ONLINE:
        raise Conflict(_NOT_ONLINE.get(AgentStatus(device.status), "The device is not online."))
    return link


def _without_secrets(integration: Integration, stored: str | None) -> Connection:
    return Connection(
        tenant_id=integration.tenant_id,
        integration_id=str(integration.id),
        provider=integration.provider,
        instance_url=integration.instance_url,
        auth_mode=integration.auth_mode,
        settings=dict(integration.settings),
        sessions=MemorySessions(sign_in.decoded(stored)),
    )
