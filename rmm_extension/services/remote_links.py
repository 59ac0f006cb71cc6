"""The link to a device that its vendor has to be called for: asked for by a run, handed over, and gone.

The link is never in PostgreSQL. It waits in Redis, encrypted and bound to the run and the person who asked,
for ten minutes or until the vendor ends it; that person alone may take it within that time.
"""

from __future__ import annotations

import base64
import binascii
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from rmm_extension.domain.errors import ConfigError, Conflict, RateLimited
from rmm_extension.domain.types import RemoteLink
from rmm_extension.host import Actor
from rmm_extension.models import JobRun, utc_now
from rmm_extension.providers.capabilities import FetchesRemoteLink

from . import runs
from .context import Rmm
from .inventory.load import open_connection
from .remote_access import reachable, tell
from .runs import Run, UnknownRun
from .unit import unit

KIND = "remote_link"
KEPT = timedelta(minutes=10)
"""A link is taken within this time, or not at all."""
PATIENCE = timedelta(minutes=2)
"""Nobody waits longer in an open tab: what could not begin by then is not asked for any more."""
SHORTEST = timedelta(seconds=5)
"""A link that ends sooner is of no use to anybody."""
LONGEST = 8000
"""Characters of a link; it goes through a header."""
_SEPARATOR = "."


def ask(rmm: Rmm, actor: Actor, device_id: UUID) -> UUID:
    """Have a run fetch the link to the device, or find the one that this person asked for just before.

    Raises what :func:`~.remote_access.open_remotely` raises, and ``Conflict`` while links cannot be handed
    over.
    """
    with unit(rmm) as session:
        device, integration, _ = reachable(rmm, session, actor, device_id)
        before = _latest(session, actor, device_id)
        integration_id = integration.id
    kept = take(rmm, before) if before is not None else None
    if before is None:
        rmm.short.get("")  # whether it is there: without it nothing could be handed over
    elif before.status in runs.UNFINISHED:
        return before.id
    with unit(rmm) as session:
        if before is not None and kept is not None:
            device, integration, _ = reachable(rmm, session, actor, device_id)
            tell(session, actor, device, integration, kept)
            return before.id
        return _start(session, actor, device_id, integration_id)


def asked(rmm: Rmm, actor: Actor, run_id: UUID) -> JobRun:
    """What became of it, for the person who asked and for nobody else. Raises ``UnknownRun``."""
    with unit(rmm) as session:
        run = runs.get(session, actor.tenant_id, run_id)
        if run.kind != KIND or run.actor_id != actor.id:
            raise UnknownRun("This link is not there (any more).")
        session.expunge(run)
    return run


def device_of(run: JobRun) -> UUID:
    """The device that the link leads to."""
    return UUID(run.subject["device_id"])


def take(rmm: Rmm, run: JobRun) -> RemoteLink | None:
    """The link that :func:`asked` found the run of, while it may be taken.

    What cannot be opened (any more) is none. Raises ``Conflict`` while links cannot be handed over.
    """
    if run.status != "succeeded" or run.integration_id is None:
        return None
    kept = rmm.short.get(_key(run.id))
    return _opened(rmm, run, kept) if kept else None


def fetch_link(rmm: Rmm, run: Run) -> dict[str, int]:
    """Call the vendor for the link, write down who gets it, and leave it where they find it."""
    if run.queued_at is not None and utc_now() - run.queued_at > PATIENCE:
        raise Conflict("No worker was free in time. Ask for the link again.")
    device_id = UUID(run.subject["device_id"])
    with unit(rmm) as session:
        device, integration, _ = reachable(rmm, session, run.actor, device_id)
        external_id = device.external_id
        _, connection, provider = open_connection(rmm, session, run.tenant_id, integration.id)
    if not isinstance(provider, FetchesRemoteLink):
        raise ConfigError(f"{provider.manifest.label} is not called for links.")
    try:
        link = provider.fetch_remote_link(connection, external_id)
    except RateLimited as error:
        raise Conflict(str(error)) from error  # nobody waits in a tab for as long as a vendor may ask for
    base = provider.runtime.base_urls.get(provider.manifest.key) or connection.instance_url
    left = _lifetime(provider.manifest.label, base, link)
    with unit(rmm) as session:
        # Before it can be taken: better told and not taken than taken and not told.
        device, integration, _ = reachable(rmm, session, run.actor, device_id)
        tell(session, run.actor, device, integration, link)
    rmm.short.put(_key(run.id), _sealed(rmm, run, link), int(left.total_seconds()))
    return {}


def _lifetime(label: str, base: str, link: RemoteLink) -> timedelta:
    """How long the link is kept; raises where it leads nowhere, or ends at once."""
    if not _leads_on(base, link.url):
        raise ConfigError(f"The link that {label} has for this device is no https address.")
    left = KEPT if link.expires_at is None else min(KEPT, link.expires_at - utc_now())
    if left < SHORTEST:
        raise Conflict(f"The link that {label} gave has ended already. Ask for another one.")
    return left


def _leads_on(base: str, url: str) -> bool:
    """Whether it is the whole address of a server.

    It may hold what signs a person in: https, or the plain http of the very server that is called so.
    """
    asked = urlsplit(base)
    try:
        given = urlsplit(url)
        # The header that leads on has the name in ASCII and the port as a number.
        host, _ = (given.hostname or "").encode("idna"), given.port
    except ValueError:
        return False
    is_plain = (given.scheme, given.netloc) == ("http", asked.netloc) and asked.scheme == "http"
    return bool(host) and len(url) <= LONGEST and (given.scheme == "https" or is_plain)


def _start(session: Session, actor: Actor, device_id: UUID, integration_id: UUID) -> UUID:
    started = runs.try_start(
        session,
        actor,
        KIND,
        integration_id=integration_id,
        subject={"device_id": str(device_id)},
        exclusive_key=_asking(actor, device_id),
    )
    if started is None:
        under_way = _latest(session, actor, device_id)
        if under_way is None:
            raise Conflict("Asking for the link has just ended. Try again.")
        return under_way.id
    return started


def _latest(session: Session, actor: Actor, device_id: UUID) -> JobRun | None:
    """This person's newest asking for a link to the device whose link may still be there, or is to come."""
    recent = JobRun.finished_at > utc_now() - KEPT
    statement = select(JobRun).where(
        JobRun.tenant_id == actor.tenant_id,
        JobRun.exclusive_key == _asking(actor, device_id),
        or_(JobRun.status.in_(runs.UNFINISHED), (JobRun.status == "succeeded") & recent),
    )
    found = session.scalars(statement.order_by(JobRun.queued_at.desc()).limit(1)).first()
    if found is not None:
        session.expunge(found)
    return found


def _opened(rmm: Rmm, run: JobRun, kept: str) -> RemoteLink | None:
    key_id, _, text = kept.rpartition(_SEPARATOR)
    place = _place(run.id, run.actor_id)
    assert run.integration_id is not None
    try:
        sealed = base64.b64decode(text, validate=True)
        found = rmm.vault.open(run.tenant_id, run.integration_id, place, key_id, sealed)
    except (ConfigError, binascii.Error):
        return None
    until, _, url = found.partition(" ")
    return RemoteLink(url=url, expires_at=datetime.fromisoformat(until))


def _sealed(rmm: Rmm, run: Run, link: RemoteLink) -> str:
    assert run.integration_id is not None
    until = link.expires_at or utc_now() + KEPT
    place = _place(run.id, run.actor.id)
    key_id, sealed = rmm.vault.seal(
        run.tenant_id, run.integration_id, place, f"{until.isoformat()} {link.url}"
    )
    return f"{key_id}{_SEPARATOR}{base64.b64encode(sealed).decode()}"


def _key(run_id: UUID) -> str:
    return f"{KIND}:{run_id}"


def _place(run_id: UUID, actor_id: str | None) -> str:
    """What the link is bound to beside its tenant and connection."""
    return f"{KIND}:{run_id}:{actor_id}"


def _asking(actor: Actor, device_id: UUID) -> str:
    """One person asks once at a time for one device."""
    return f"{KIND}:{device_id}:{actor.id}"
