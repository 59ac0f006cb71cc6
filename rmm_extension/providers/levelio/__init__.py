"""Level: groups, devices, updates, alerts by poll and signed webhook, automations. Facts by its API v2."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rmm_extension.domain.actions import ActionContext, Order, Outcome, Script
from rmm_extension.domain.contracts.actions import ActionModule
from rmm_extension.domain.errors import ConfigError
from rmm_extension.domain.patches import PatchesOfDevice, PatchPage
from rmm_extension.domain.signals import Told
from rmm_extension.domain.types import (
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
from rmm_extension.providers.capabilities import WebhookStep
from rmm_extension.providers.contract import Provider
from rmm_extension.providers.http import RETRIES
from rmm_extension.providers.levelio import (
    alerts,
    automations,
    checks,
    inventory,
    organizations,
    patches,
    permissions,
    webhooks,
)
from rmm_extension.providers.levelio.action_specs import MODULE
from rmm_extension.providers.levelio.client import LevelClient, open_client
from rmm_extension.providers.levelio.dispatch import DOING
from rmm_extension.providers.levelio.manifest import MANIFEST
from rmm_extension.providers.prefetch import prefetch


class Level(Provider):
    """The provider for accounts of Level."""

    manifest = MANIFEST

    def client(self, connection: Connection, *, retries: int = RETRIES) -> LevelClient:
        """A client for one connection; use it in a ``with`` block."""
        return open_client(self.runtime, connection, retries=retries)

    def check(self, connection: Connection) -> Iterator[Check]:
        """Test the key and what it may read, line by line."""
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
        with self.client(connection, retries=0) as client:
            yield from permissions.lines(client)

    def organizations(self, connection: Connection) -> Sequence[Organization]:
        """The groups, each with the one it lies in."""
        with self.client(connection) as client:
            return organizations.listing(client)

    def devices(
        self, connection: Connection, organization_ids: Sequence[str], *, full: bool
    ) -> Iterator[DevicePage]:
        """The devices of these groups, the next page read ahead."""
        with self.client(connection) as client:
            walk = inventory.Walk(client, full=full)
            yield from prefetch(walk.pages(organization_ids), cancel=client.cancel)

    def device(self, connection: Connection, external_id: str) -> Device | None:
        """One device now."""
        with self.client(connection) as client:
            return inventory.fetch(client, external_id)

    def patches(self, connection: Connection) -> Iterator[PatchPage]:
        """The available updates of all devices."""
        with self.client(connection) as client:
            yield from prefetch(patches.listing(client), cancel=client.cancel)

    def device_patches(self, connection: Connection, external_id: str) -> PatchesOfDevice | None:
        """One device's available updates now."""
        with self.client(connection) as client:
            return patches.of_device(client, external_id)

    def active_alerts(self, connection: Connection) -> Sequence[AlertEvent]:
        """Everything that is active."""
        with self.client(connection) as client:
            return alerts.active(client)

    def alert(self, connection: Connection, external_id: str) -> AlertEvent | None:
        """One alert now."""
        with self.client(connection) as client:
            return alerts.single(client, external_id)

    def reset_alert(self, connection: Connection, external_id: str) -> Receipt:
        """Resolve the alert; one that is gone or over counts as resolved."""
        with self.client(connection) as client:
            return alerts.resolve(client, external_id)

    def action_module(self) -> ActionModule:
        """Automations, updates, alerts, and finding devices."""
        return MODULE

    def perform_action(self, connection: Connection, order: Order, context: ActionContext) -> Outcome:
        """Do one of them."""
        with self.client(connection) as client:
            return DOING[order.action](client, order, context)

    def scripts(self, connection: Connection) -> Sequence[Script]:
        """The automations that can be started from here."""
        with self.client(connection) as client:
            return automations.library(client)

    def verify_webhook(self, request: WebhookRequest, secrets: Sequence[str]) -> bool:
        """Whether the delivery is signed with one of the secrets, or holds one in its header."""
        return webhooks.verify(request, secrets)

    def parse_webhook(self, request: WebhookRequest) -> Sequence[Told]:
        """The alert or the signal of a delivery; nothing for an event that is not used."""
        return webhooks.parse(request)

    def webhook_steps(self, url: str, secret: str) -> Sequence[WebhookStep]:
        """The set-up in Level."""
        return webhooks.steps(url, secret)

    def check_webhook_secret(self, value: str) -> str:
        """The secret that Level made, in its one form."""
        return webhooks.check_secret(value)


PROVIDER = Level
__all__ = ["PROVIDER", "Level"]
