"""Asking for the same on several devices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from rmm_extension.domain.errors import Conflict
from rmm_extension.host import Actor
from rmm_extension.services.context import Rmm
from rmm_extension.services.unit import unit

from .request import request


@dataclass(frozen=True, slots=True)
class Refused:
    """A device on which nothing is done, and why, in a sentence."""

    device_id: UUID
    reason: str


@dataclass(frozen=True, slots=True)
class Asked:
    """The invocations, in the devices' order, and the devices that were left alone."""

    ids: tuple[UUID, ...]
    refused: tuple[Refused, ...] = ()


def request_each(
    rmm: Rmm,
    actor: Actor,
    action_id: str,
    *,
    integration_id: UUID,
    device_ids: Iterable[UUID],
    input: Mapping[str, Any],  # noqa: A002 - what it is called everywhere
    ticket_id: str | None = None,
    idempotency_key: str,
) -> Asked:
    """Ask for the action on each of these devices of a connection, in a transaction of its own each, so that
    one that is refused keeps no other back.

    The same key again asks for nothing twice. Raises as :func:`.request.request` what is wrong for all of
    them: ``Invalid``, ``Forbidden``.
    """
    ids: list[UUID] = []
    refused: list[Refused] = []
    for device_id in dict.fromkeys(device_ids):
        try:
            with unit(rmm) as session:
                found = request(
                    rmm,
                    session,
                    actor,
                    action_id,
                    integration_id=integration_id,
                    device_id=device_id,
                    input=input,
                    ticket_id=ticket_id,
                    idempotency_key=f"{idempotency_key}:{device_id}",
                )
        except Conflict as error:
            refused.append(Refused(device_id, str(error)))
        else:
            ids.append(found)
    return Asked(tuple(ids), tuple(refused))
