"""Huntress: incidents and escalations as alerts, agents as devices. Facts by its API v1 and its webhooks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from rmm_extension.domain.actions import ActionContext, Order, Outcome
from rmm_extension.domain.contracts.actions import ActionModule
from rmm_extension.domain.errors import ConfigError
from rmm_extension.domain.signals import Told
from rmm_extension.domain.types import (
    AlertChanges,
    AlertEvent,
    Check,
    Connection,
    Device,
    DevicePage,
    Organization,
    PermissionLine,
    Receipt,
    WebhookRequest,
)
from rmm_extension.domain.values import text
from rmm_extension.providers.capabilities import WebhookStep
from rmm_extension.providers.contract import Provider
from rmm_extension.providers.http import RETRIES
from rmm_extension.providers.huntress import (
    alerts,
    changes,
    checks,
    inventory,
    organizations,
    permissions,
    signatures,
    webhooks,
)
from rmm_extension.providers.huntress.action_specs import MODULE
from rmm_extension.providers.huntress.client import HuntressClient, open_client
from rmm_extension.providers.huntress.dispatch import DOING
from rmm_extension.providers.huntress.manifest import MANIFEST
from rmm_extension.providers.prefetch import prefetch


class Huntress(Provider):
    """The provider for accounts of Huntress."""

    manifest = MANIFEST

    def client(self, connection: Connection, *, retries: int = RETRIES) -> HuntressClient:
        """A client for one connection; use it in a ``with`` block."""
        return open_client(self.runtime, connection, retries=retries)

    def check(self, connection: Connection) -> Iterator[Check]:
        """Test account, key and what it may read, line by line."""
        try:
            # Someone is waiting for the answer, and a flaw that passes is worth seeing: no retries here.
            client = self.client(connection, retries=0)
        except ConfigError as error:
            yield checks.failed(checks.FIRST, error)
            return
        with client:
            yield from checks.run(client)

    def permissions(self, connection: Connection) -> Iterator[PermissionLine]:
        """Which features the key allows, feature by feature."""
        with self.client(connection) as client:
            yield from permissions.lines(client)

    def organizations(self, connection: Connection) -> Sequence[Organization]:
        """The organizations of the account."""
        with self.client(connection) as client:
            return organizations.listing(client)

    def devices(
        self, connection: Connection, organization_ids: Sequence[str], *, full: bool
    ) -> Iterator[DevicePage]:
        """The agents of these organizations, the next page read ahead."""
        with self.client(connection) as client:
            yield from prefetch(inventory.walk(client, organization_ids, full=full), cancel=client.cancel)

    def device(self, connection: Connection, external_id: str) -> Device | None:
        """One agent now."""
        with self.client(connection) as client:
            return inventory.fetch(client, external_id)

    def alert_changes(self, connection: Connection, since: datetime) -> AlertChanges:
        """Incidents and escalations that changed since then."""
        with self.client(connection) as client:
            return changes.since(client, since, _subdomain(connection))

    def alert(self, connection: Connection, external_id: str) -> AlertEvent | None:
        """The incident with host, organization and all remediations; the escalation with what it is about."""
        with self.client(connection) as client:
            return alerts.single(client, external_id, _subdomain(connection))

    def reset_alert(self, connection: Connection, external_id: str) -> Receipt:
        """Close the incident, if all its remediations are approved; resolve the escalation."""
        with self.client(connection) as client:
            return alerts.reset(client, external_id, _subdomain(connection))

    def verify_webhook(self, request: WebhookRequest, secrets: Sequence[str]) -> bool:
        """Whether the delivery is fresh and signed with one of the secrets."""
        return signatures.verify(request, secrets)

    def parse_webhook(self, request: WebhookRequest) -> Sequence[Told]:
        """The alert of a delivery; nothing for an event that is not used."""
        return webhooks.parse(request)

    def webhook_steps(self, url: str, secret: str) -> Sequence[WebhookStep]:
        """What to set up in Huntress; its secret is made there."""
        return webhooks.steps(url)

    def check_webhook_secret(self, value: str) -> str:
        """The signing secret as Huntress shows it."""
        return signatures.checked_secret(value)

    def action_module(self) -> ActionModule:
        """Incidents, agents, organizations."""
        return MODULE

    def perform_action(self, connection: Connection, order: Order, context: ActionContext) -> Outcome:
        """Do one of them."""
        with self.client(connection) as client:
            return DOING[order.action](client, order, context, _subdomain(connection))


def _subdomain(connection: Connection) -> str:
    """The account's, as the connection test learned it; empty where it did not."""
    return text(connection.settings.get("account_subdomain")) or ""


PROVIDER = Huntress
__all__ = ["PROVIDER", "Huntress"]
