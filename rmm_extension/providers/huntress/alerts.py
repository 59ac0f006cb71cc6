"""One incident or escalation through the API: read whole, and resolved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from rmm_extension.domain.errors import InvalidRequest, NotFound, PermissionMissing
from rmm_extension.domain.types import AlertEvent, Receipt
from rmm_extension.domain.values import identifier, text
from rmm_extension.providers.huntress import inventory, organizations, words
from rmm_extension.providers.huntress.changes import ESCALATIONS, INCIDENTS
from rmm_extension.providers.huntress.client import HuntressClient
from rmm_extension.providers.huntress.errors import KEY, InTheWay, Refused
from rmm_extension.providers.huntress.events import (
    ESCALATION,
    Nameless,
    Unreadable,
    of_escalation,
    of_incident,
    organization_id,
)
from rmm_extension.providers.huntress.report import Known, incident_page, objects, portal

_GONE = "Huntress has no such {} any more: it is over there already."


def single(client: HuntressClient, external_id: str, subdomain: str) -> AlertEvent | None:
    """The incident with its host, organization and all remediations, or the escalation with what it is about;
    ``None`` where Huntress has none, or is deleting it."""
    number, is_escalation = _number(external_id)
    path, name = (ESCALATIONS, "escalation") if is_escalation else (INCIDENTS, "incident_report")
    try:
        row, reply = client.single(_path(path, number), name)
    except NotFound:
        return None
    if identifier(row.get("id")) != number:
        raise reply.misshapen(f"another object - at `$.{name}.id`")
    try:
        if is_escalation:
            return of_escalation(row, reply.moment, Known(subdomain=subdomain, is_whole=True))
        return of_incident(row, reply.moment, _around(client, row, subdomain))
    except Nameless:
        raise reply.misshapen(f"no id - at `$.{name}.id`") from None
    except Unreadable as error:
        raise reply.misshapen(f"an odd value - at `$.{name}.{error.field}`") from None


def reset(client: HuntressClient, external_id: str, subdomain: str) -> Receipt:
    """Resolve it. Raises ``InvalidRequest`` that says what is to be done in Huntress first."""
    number, is_escalation = _number(external_id)
    resolve = _resolve_escalation if is_escalation else _resolve_incident
    try:
        return resolve(client, number, subdomain)
    except NotFound as error:
        gone = _GONE.format("escalation" if is_escalation else "incident")
        return Receipt(accepted=True, message=gone, status=error.status)


def remediations(client: HuntressClient, row: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """All remediations of an incident; those that come with it where these are all."""
    told = row.get("remediations")
    told = told if isinstance(told, Mapping) else {}
    items, total = objects(told.get("items")), told.get("total_count")
    if told.get("has_more") is False and isinstance(total, int) and len(items) >= total:
        return items
    path = f"{_path(INCIDENTS, identifier(row.get('id')) or '')}/remediations"
    pages = client.pages(path, "remediations", params={"sort_field": "id", "sort_direction": "asc"})
    found = [_object(raw) for page in pages for raw in page.rows]
    return [one for one in found if one is not None]


def _around(client: HuntressClient, row: Mapping[str, Any], subdomain: str) -> Known:
    """What an incident's ticket tells beside it. What the key may not read, and what is gone, is left out."""
    agent_id = identifier(row.get("agent_id"))
    organization = organization_id(row)
    return Known(
        subdomain=subdomain,
        agent=_if_there(client, inventory.PATH, agent_id, "agent"),
        organization=_if_there(client, organizations.PATH, organization, "organization"),
        remediations=remediations(client, row),
        is_whole=True,
    )


def _if_there(client: HuntressClient, path: str, number: str | None, name: str) -> Mapping[str, Any] | None:
    if number is None:
        return None
    try:
        return client.single(_path(path, number), name)[0]
    except (NotFound, PermissionMissing):
        return None


def _resolve_incident(client: HuntressClient, number: str, subdomain: str) -> Receipt:
    row, reply = client.single(_path(INCIDENTS, number), "incident_report")
    status = (text(row.get("status")) or "").casefold()
    if status in words.CLOSED or status == words.DELETING:
        return Receipt(
            accepted=True, message=f"The incident was {status} in Huntress already.", status=reply.status
        )
    if obstacle := _obstacle(client, row, status, incident_page(subdomain, number)):
        raise InTheWay(obstacle, provider=KEY, status=reply.status, request_id=reply.request_id)
    try:
        done = client.write("POST", f"{_path(INCIDENTS, number)}/resolution")
    except Refused as error:
        raise _in_the_way(error, incident_page(subdomain, number)) from None
    done.require_json()
    return Receipt(accepted=True, message="Huntress has closed the incident.", status=done.status)


def _obstacle(client: HuntressClient, row: Mapping[str, Any], status: str, page: str) -> str | None:
    """Why Huntress would not close it, in words; ``None`` where nothing is in the way."""
    if status != words.SENT:
        told = words.spoken(status).lower() or "not told"
        return (
            f"Huntress closes an incident only while its status is “sent”, and this one is “{told}”. Look at"
            f" it in Huntress: {page}."
        )
    found = remediations(client, row)
    waiting = [one for one in found if text(one.get("status")) == words.UNAPPROVED]
    if not waiting:
        return None
    verb = "is" if len(waiting) == 1 else "are"
    return (
        f"{len(waiting)} of {len(found)} remediations {verb} not approved yet, and Huntress closes the"
        f" incident only afterwards. Approve or reject them in Huntress: {page}. Then resolve it again."
    )


def _in_the_way(error: Refused, page: str) -> InvalidRequest:
    """What a refusal means: something has to be done first, or Huntress's own words."""
    behind = f" (it says: {error.said.rstrip('.')})" if error.said else ""
    reasons = {409: "a remediation is not approved yet, or its status is not “sent” any more"}
    reasons[422] = "its status is not “sent” any more"
    if error.status not in reasons:
        return error
    told = f"Huntress does not close the incident{behind}: {reasons[error.status]}. Look at it there: {page}."
    return InTheWay(told, provider=KEY, status=error.status, request_id=error.request_id)


def _resolve_escalation(client: HuntressClient, number: str, subdomain: str) -> Receipt:
    """Without a determination: it is dismissed, and who may do what stays as it is."""
    try:
        done = client.write("POST", f"{_path(ESCALATIONS, number)}/resolution", json={})
    except Refused as error:
        if error.status == 409:
            already = "The escalation was resolved in Huntress already."
            return Receipt(accepted=True, message=already, status=error.status)
        if error.status != 422:
            raise
        raise InTheWay(
            "Huntress lets an escalation of this kind be resolved only in its portal:"
            f" {portal(subdomain)}/escalations.",
            provider=KEY,
            status=error.status,
            request_id=error.request_id,
        ) from None
    done.require_json()
    is_for_now = _object(done.body or b"{}") or {}
    told = "Huntress has resolved the escalation."
    if is_for_now.get("resolution_method") == "dismiss":
        told += " It is dismissed for now: the next such event opens it again."
    return Receipt(accepted=True, message=told, status=done.status)


def _object(raw: msgspec.Raw | bytes | bytearray) -> dict[str, Any] | None:
    try:
        return msgspec.json.decode(raw, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _number(external_id: str) -> tuple[str, bool]:
    """The id at Huntress, and whether it is an escalation's."""
    return external_id.removeprefix(ESCALATION), external_id.startswith(ESCALATION)


def _path(path: str, number: str) -> str:
    return f"{path}/{quote(number, safe='')}"
