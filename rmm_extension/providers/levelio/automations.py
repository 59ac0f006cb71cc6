"""Automations of Level, and starting one by its webhook.

An automation is started by the token of one of its webhooks, and whoever has the token can start it. So the
token is asked for when it is needed, is nobody's input and nobody's output, and is kept out of every text.
What the lists of automations and of webhooks look like is not published: both are read as they come.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import msgspec

from rmm_extension.domain.actions import Script
from rmm_extension.domain.errors import BadResponse
from rmm_extension.domain.values import identifier, storable, text
from rmm_extension.providers.levelio.client import LevelClient
from rmm_extension.providers.levelio.errors import KEY
from rmm_extension.providers.reply import Reply
from rmm_extension.providers.values import flag

AUTOMATIONS, WEBHOOKS = "/v2/automations", "/v2/automations/webhooks"
_LONGEST = 4000
"""Characters of a text of the library that are kept."""
_AUTHORIZED = ("requires_authorization_header", "requires_authorization", "authorization_required")


class Automation(msgspec.Struct, frozen=True, kw_only=True):
    """An automation; ``token`` is that of its webhook, ``None`` where it has none."""

    id: str
    name: str
    description: str | None = None
    group_id: str | None = None
    group_name: str | None = None
    token: str | None = None
    requires_authorization: bool | None = None

    def __repr__(self) -> str:
        return f"Automation({self.id})"


def library(client: LevelClient) -> Sequence[Script]:
    """What can be started from here: the automations that have a webhook."""
    return [_script(one) for one in listing(client) if one.token is not None]


def listing(client: LevelClient) -> Sequence[Automation]:
    """All automations, each with its webhook where it has one. Of several webhooks the first counts."""
    errors: list[str] = []
    rows = [row for page in client.listing(AUTOMATIONS, dict[str, Any], errors=errors) for row in page]
    if errors:
        raise BadResponse(f"The list of automations is not complete. {errors[0]}", provider=KEY)
    named = {key: row for row in rows if (key := identifier(row.get("id"))) is not None}
    webhooks = _by_automation(_webhooks(client), named)
    return [_automation(key, row, webhooks.get(key, {})) for key, row in named.items()]


def start(client: LevelClient, automation: Automation, device_ids: Sequence[str]) -> Reply:
    """Have Level start the automation on these devices; the answer tells nothing that is known."""
    token = automation.token or ""
    client.also_hide(token, quote(token, safe=""))
    reply = client.write("POST", f"{WEBHOOKS}/{quote(token, safe='')}", json={"device_ids": list(device_ids)})
    reply.require_json()
    return reply


class _Envelope(msgspec.Struct):
    data: list[dict[str, Any]]
    has_more: bool = False


def _webhooks(client: LevelClient) -> Sequence[dict[str, Any]]:
    """The list, which may come bare or in pages."""
    found = client.read(WEBHOOKS).decode(list[dict[str, Any]] | _Envelope)  # type: ignore[arg-type]
    if isinstance(found, list):
        return found
    if not found.has_more:
        return found.data
    pages = client.listing(WEBHOOKS, dict[str, Any], errors=[])
    return [row for page in pages for row in page]


def _by_automation(
    webhooks: Sequence[Mapping[str, Any]], automations: Mapping[str, Mapping[str, Any]]
) -> dict[str, Mapping[str, Any]]:
    """The first webhook with a token of each automation, by its id; by its name where it tells no id."""
    by_name: dict[str, list[str]] = {}
    for key, row in automations.items():
        by_name.setdefault(text(row.get("name")) or "", []).append(key)
    found: dict[str, Mapping[str, Any]] = {}
    for webhook in webhooks:
        same = by_name.get(text(webhook.get("automation_name")) or "?", [])
        owner = _automation_id(webhook) or (same[0] if len(same) == 1 else None)
        if owner is not None and _token(webhook) is not None:
            found.setdefault(owner, webhook)
    return found


def _automation_id(webhook: Mapping[str, Any]) -> str | None:
    nested = webhook.get("automation")
    return identifier(webhook.get("automation_id")) or (
        identifier(nested.get("id")) if isinstance(nested, dict) else identifier(nested)
    )


def _token(webhook: Mapping[str, Any]) -> str | None:
    """The token, or the last part of the webhook's address, which it is."""
    told = text(webhook.get("token"))
    if told is not None:
        return told
    try:
        path = urlsplit(text(webhook.get("url")) or "").path
    except ValueError:
        return None
    return unquote(path.rstrip("/").rpartition("/")[2]) or None


def _automation(key: str, row: Mapping[str, Any], webhook: Mapping[str, Any]) -> Automation:
    needs = [flag(webhook.get(name)) for name in _AUTHORIZED if name in webhook]
    return Automation(
        id=key,
        name=text(row.get("name")) or f"Automation {key}",
        description=text(row.get("description")),
        group_id=identifier(row.get("group_id")),
        group_name=text(row.get("group_name")),
        token=_token(webhook),
        requires_authorization=needs[0] if needs else None,
    )


def _script(one: Automation) -> Script:
    return Script(
        external_id=one.id,
        name=storable(one.name)[:_LONGEST],
        description=storable(one.description or "")[:_LONGEST],
        category=storable(one.group_name or "")[:_LONGEST],
    )


class _Hidden(logging.Filter):
    """Takes the token out of what urllib3 notes of a request when it is asked to note everything."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(_bare(one) if isinstance(one, str) else one for one in record.args)
        return True


def _bare(text_of_log: str) -> str:
    return re.sub(r"(/automations/webhooks/)[^/?#\s]+", r"\1•••", text_of_log)


logging.getLogger("urllib3.connectionpool").addFilter(_Hidden())
