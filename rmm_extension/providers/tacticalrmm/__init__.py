"""Tactical RMM: devices, alerts by poll and webhook, resolving alerts. Facts by Tactical RMM 1.5.1."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from rmm_extension.domain.actions import ActionContext, Order, Outcome, Script
from rmm_extension.domain.contracts.actions import ActionModule
from rmm_extension.domain.errors import BadResponse, ConfigError, InvalidRequest, NotFound
from rmm_extension.domain.types import (
    AlertEvent,
    Check,
    Connection,
    Device,
    DevicePage,
    Organization,
    PermissionLine,
    Receipt,
    RemoteLink,
    SoftwareOfDevice,
    SoftwarePage,
    WebhookRequest,
)
from rmm_extension.domain.values import text
from rmm_extension.providers.capabilities import WebhookStep
from rmm_extension.providers.contract import Provider
from rmm_extension.providers.http import RETRIES
from rmm_extension.providers.prefetch import prefetch
from rmm_extension.providers.reply import Reply
from rmm_extension.providers.tacticalrmm import (
    address,
    alerts,
    checks,
    permissions,
    remote,
    software,
    webhooks,
)
from rmm_extension.providers.tacticalrmm.access import leaving_client, open_client
from rmm_extension.providers.tacticalrmm.action_specs import MODULE
from rmm_extension.providers.tacticalrmm.client import TacticalClient, WrongHost
from rmm_extension.providers.tacticalrmm.dispatch import DOING
from rmm_extension.providers.tacticalrmm.inventory import Options, Walk, custom_field_names, organization_of
from rmm_extension.providers.tacticalrmm.lookups import script_of
from rmm_extension.providers.tacticalrmm.manifest import MANIFEST
from rmm_extension.providers.tacticalrmm.mapping import device_from_detail


class TacticalRmm(Provider):
    """The provider for Tactical RMM servers."""

    manifest = MANIFEST

    def normalize_url(self, value: str) -> str:
        """The instance URL in its one form."""
        return address.normalize(value)

    def check_settings(self, settings: dict[str, str]) -> dict[str, str]:
        """The dashboard's address and the form of links to it are checked."""
        return remote.checked(settings, self.runtime)

    def client(self, connection: Connection, *, retries: int = RETRIES) -> TacticalClient:
        """A client for one connection; use it in a ``with`` block."""
        return open_client(self.runtime, connection, retries=retries)

    def check(self, connection: Connection) -> Iterator[Check]:
        """Test address, sign-in and permissions, line by line."""
        try:
            # Someone is waiting for the answer, and a flaw that passes is worth seeing: no retries here.
            client = self.client(connection, retries=0)
        except ConfigError as error:
            yield checks.failed(checks.FIRST, error)
            return
        with client:
            yield from checks.run(client, Options.of(connection.settings).source)

    def permissions(self, connection: Connection) -> Iterator[PermissionLine]:
        """Which features the role allows, feature by feature."""
        with self.client(connection, retries=0) as client:
            yield from permissions.lines(client, Options.of(connection.settings).source)

    def organizations(self, connection: Connection) -> Sequence[Organization]:
        """The clients the user may see, or with source ``beta`` all of the server."""
        beta = Options.of(connection.settings).source == "beta"
        with self.client(connection) as client:
            found = client.beta_clients() if beta else client.clients()
        return [organization_of(one) for one in found]

    def devices(
        self, connection: Connection, organization_ids: Sequence[str], *, full: bool
    ) -> Iterator[DevicePage]:
        """The agents of these clients, the next page read ahead."""
        with self.client(connection) as client:
            walk = Walk(client, Options.of(connection.settings), full=full)
            yield from prefetch(walk.pages(organization_ids), cancel=client.cancel)

    def device(self, connection: Connection, external_id: str) -> Device | None:
        """One agent now."""
        with self.client(connection) as client:
            found = client.agent(external_id)
            if found is None:
                return None
            row, reply = found
            owners = {site.id: str(one.id) for one in client.clients() for site in one.sites}
            names = custom_field_names(client) if row.custom_fields else {}
        owner = owners.get(row.site or 0)
        if owner is None:
            raise BadResponse(
                "The agent's site belongs to no client that this user may see.", provider=self.manifest.key
            )
        return device_from_detail(row, owner, names, reply.moment)

    def software(self, connection: Connection) -> Iterator[SoftwarePage]:
        """The software of all agents, the next page read ahead."""
        with self.client(connection) as client:
            yield from prefetch(software.listing(client), cancel=client.cancel)

    def device_software(self, connection: Connection, external_id: str) -> SoftwareOfDevice | None:
        """The software of one agent now; an empty list where the server has none of it."""
        with self.client(connection) as client:
            return software.of_agent(client, external_id)

    def alert(self, connection: Connection, external_id: str) -> AlertEvent | None:
        """One alert now; the organization stays unknown, because the server tells the client's name only."""
        _require_number(external_id)
        with self.client(connection) as client:
            found = client.alert(external_id)
        if found is None:
            return None
        row, reply = found
        return _event(row, {}, {}, reply)

    def active_alerts(self, connection: Connection) -> Sequence[AlertEvent]:
        """All unresolved alerts; hidden and snoozed ones too, marked in ``raw``."""
        with self.client(connection) as client:
            rows, reply = client.open_alerts()
            clients = {text(one.name) or "": str(one.id) for one in client.clients()}
            nameless = any(row.get("agent_id") and not text(row.get("client")) for row in rows)
            agents = {one.agent_id: one.client for one in client.id_map()} if nameless else {}
        open_rows = [row for row in rows if row.get("resolved") is not True]
        return [_event(row, clients, agents, reply) for row in open_rows]

    def reset_alert(self, connection: Connection, external_id: str) -> Receipt:
        """Resolve the alert, or snooze it where the connection says so."""
        _require_number(external_id)
        body, done = _reset_order(connection.settings)
        with self.client(connection) as client:
            try:
                reply = client.write("PUT", f"/alerts/{int(external_id)}/", json=body)
                reply.require_json()
            except WrongHost:
                raise
            except NotFound as error:
                return Receipt(
                    accepted=True, message="The alert no longer exists in Tactical RMM.", status=error.status
                )
        return Receipt(accepted=True, message=done, status=reply.status)

    def remote_link(self, connection: Connection, external_id: str) -> RemoteLink:
        """The agent's page on the dashboard."""
        return remote.link(connection.settings, external_id)

    def end_session(self, connection: Connection) -> None:
        """Log out."""
        with leaving_client(self.runtime, connection) as client:
            client.log_out()

    def action_module(self) -> ActionModule:
        """Scripts, commands, reboots, pings, and what is needed to choose them."""
        return MODULE

    def perform_action(self, connection: Connection, order: Order, context: ActionContext) -> Outcome:
        """Do one of them."""
        with self.client(connection) as client:
            return DOING[order.action](client, order, context)

    def scripts(self, connection: Connection) -> Sequence[Script]:
        """The library, without hidden scripts."""
        with self.client(connection) as client:
            # By id: one that is told twice is one.
            return [
                script_of(row) for row in {row.id: row for row in client.scripts()}.values() if not row.hidden
            ]

    def verify_webhook(self, request: WebhookRequest, secrets: Sequence[str]) -> bool:
        """Whether the delivery holds one of the secrets in its header."""
        return webhooks.verify(request, secrets)

    def parse_webhook(self, request: WebhookRequest) -> Sequence[AlertEvent]:
        """The event of the delivery."""
        return webhooks.parse(request)

    def webhook_steps(self, url: str, secret: str) -> Sequence[WebhookStep]:
        """The set-up at the server."""
        return webhooks.steps(url, secret)


def _require_number(external_id: str) -> None:
    if not (external_id.isascii() and external_id.isdigit() and len(external_id) <= 18):
        raise InvalidRequest(
            "This alert came without its number, so Tactical RMM cannot be asked about it.",
            provider=MANIFEST.key,
        )


def _event(row: dict[str, Any], clients: dict[str, str], agents: dict[str, str], reply: Reply) -> AlertEvent:
    try:
        return alerts.event_from_row(row, clients, agents, reply.moment)
    except msgspec.ValidationError as error:
        raise reply.misshapen(f"An alert: {error}") from None


def _reset_order(settings: dict[str, Any]) -> tuple[dict[str, Any], str]:
    if settings.get("reset_mode") != "snooze":
        return {"type": "resolve"}, "Tactical RMM resolved the alert."
    try:
        days = min(max(int(settings.get("snooze_days") or 3), 1), 365)
    except (TypeError, ValueError):
        days = 3
    return {"type": "snooze", "snooze_days": days}, f"Tactical RMM snoozed the alert for {days} days."


PROVIDER = TacticalRmm
__all__ = ["PROVIDER", "TacticalRmm"]
