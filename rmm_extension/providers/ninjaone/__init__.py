"""NinjaOne: sign-in by OAuth, organizations, devices. Facts by its OpenAPI 2.0.9."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from rmm_extension.domain.actions import ActionContext, Order, Outcome, Script
from rmm_extension.domain.authorization import AuthorizationRequest
from rmm_extension.domain.contracts.actions import ActionModule
from rmm_extension.domain.errors import ConfigError
from rmm_extension.domain.patches import PatchesOfDevice, PatchPage
from rmm_extension.domain.registrations import Subscription, WebhookRegistration
from rmm_extension.domain.signals import ActivityPage, Told
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
from rmm_extension.providers.capabilities import WebhookStep
from rmm_extension.providers.contract import Provider
from rmm_extension.providers.http import RETRIES
from rmm_extension.providers.ninjaone import (
    activities,
    address,
    alerts,
    checks,
    inventory,
    maintenance,
    organizations,
    patches,
    permissions,
    registration,
    remote,
    scopes,
    scripts,
    session,
    software,
    webhooks,
)
from rmm_extension.providers.ninjaone.action_specs import MODULE
from rmm_extension.providers.ninjaone.client import (
    NinjaOneClient,
    application_of,
    open_client,
)
from rmm_extension.providers.ninjaone.dispatch import DOING
from rmm_extension.providers.ninjaone.manifest import MANIFEST
from rmm_extension.providers.prefetch import prefetch


class NinjaOne(Provider):
    """The provider for accounts of NinjaOne."""

    manifest = MANIFEST

    def normalize_url(self, value: str) -> str:
        """The instance URL in its one form."""
        return address.normalize(value)

    def client(self, connection: Connection, *, retries: int = RETRIES) -> NinjaOneClient:
        """A client for one connection; use it in a ``with`` block."""
        return open_client(self.runtime, connection, retries=retries)

    def authorization_url(self, connection: Connection, request: AuthorizationRequest) -> str:
        """NinjaOne's page where a person signs in and agrees."""
        application = application_of(self.runtime, connection)
        return session.authorization_url(application, scopes.asked(connection), request)

    def check(self, connection: Connection) -> Iterator[Check]:
        """Test address, sign-in, scopes and renewal, line by line."""
        try:
            # Someone is waiting for the answer, and a flaw that passes is worth seeing: no retries here.
            client = self.client(connection, retries=0)
        except ConfigError as error:
            yield checks.failed(checks.FIRST, error)
            return
        with client:
            yield from checks.run(client, connection.auth_mode, scopes.asked(connection))

    def permissions(self, connection: Connection) -> Iterator[PermissionLine]:
        """Which features the scopes allow, feature by feature."""
        with self.client(connection, retries=0) as client:
            yield from permissions.lines(client)

    def organizations(self, connection: Connection) -> Sequence[Organization]:
        """The organizations that the sign-in may see."""
        with self.client(connection) as client:
            return organizations.listing(client)

    def devices(
        self, connection: Connection, organization_ids: Sequence[str], *, full: bool
    ) -> Iterator[DevicePage]:
        """The devices of these organizations, the next page read ahead."""
        with self.client(connection) as client:
            walk = inventory.Walk(client, full=full)
            yield from prefetch(walk.pages(organization_ids), cancel=client.cancel)

    def device(self, connection: Connection, external_id: str) -> Device | None:
        """One device now."""
        with self.client(connection) as client:
            return inventory.fetch(client, external_id)

    def software(self, connection: Connection) -> Iterator[SoftwarePage]:
        """The software of all devices, from one report."""
        with self.client(connection) as client:
            yield from prefetch(software.listing(client), cancel=client.cancel)

    def device_software(self, connection: Connection, external_id: str) -> SoftwareOfDevice | None:
        """One device's software now."""
        with self.client(connection) as client:
            return software.of_device(client, external_id)

    def patches(self, connection: Connection) -> Iterator[PatchPage]:
        """The patches of all devices, from four reports."""
        with self.client(connection) as client:
            yield from prefetch(patches.listing(client), cancel=client.cancel)

    def device_patches(self, connection: Connection, external_id: str) -> PatchesOfDevice | None:
        """One device's patches now."""
        with self.client(connection) as client:
            return patches.of_device(client, external_id)

    def active_alerts(self, connection: Connection) -> Sequence[AlertEvent]:
        """Everything that is active, each alert under its uid."""
        with self.client(connection) as client:
            return alerts.active(client)

    def alert(self, connection: Connection, external_id: str) -> AlertEvent | None:
        """The alert by its series of activities; ``None`` where NinjaOne keeps none of it."""
        with self.client(connection) as client:
            return alerts.single(client, external_id)

    def reset_alert(self, connection: Connection, external_id: str) -> Receipt:
        """Reset the alert; one that is gone counts as reset."""
        with self.client(connection) as client:
            return alerts.reset(client, external_id)

    def activity(self, connection: Connection, after: str | None) -> Iterator[ActivityPage]:
        """What happened since the activity of this id."""
        with self.client(connection) as client:
            yield from activities.since(client, after)

    def verify_webhook(self, request: WebhookRequest, secrets: Sequence[str]) -> bool:
        """Whether the delivery holds one of the secrets in our header."""
        return webhooks.verify(request, secrets)

    def parse_webhook(self, request: WebhookRequest) -> Sequence[Told]:
        """The alert or the signal of a delivery; nothing for an activity that is not used."""
        return webhooks.parse(request)

    def webhook_steps(self, url: str, secret: str) -> Sequence[WebhookStep]:
        """What to set up by hand, where the webhook is not registered."""
        return webhooks.steps(url, secret)

    def registration_scope(self, connection: Connection) -> str:
        """The API application, which has one webhook."""
        application = application_of(self.runtime, connection)
        return registration.scope(application.client_id, application.base_url)

    def subscription(self) -> Subscription:
        """The activities that the webhook tells."""
        return registration.subscription()

    def register_webhook(self, connection: Connection, wanted: WebhookRegistration) -> None:
        """Have NinjaOne send its activities to us."""
        with self.client(connection) as client:
            registration.register(client, wanted)

    def unregister_webhook(self, connection: Connection) -> None:
        """Have it send nothing any more."""
        with self.client(connection) as client:
            registration.unregister(client)

    def device_page(self, connection: Connection, external_id: str) -> str:
        """The device's dashboard in NinjaOne's web pages."""
        return remote.page(connection.instance_url, external_id)

    def remote_obstacle(self, connection: Connection) -> str | None:
        """Why no device can be opened: the scope for it was not granted."""
        return remote.obstacle(connection)

    def fetch_remote_link(self, connection: Connection, external_id: str) -> RemoteLink:
        """The link to the device's dashboard."""
        # Somebody waits for it: the run tries once more, and says so meanwhile.
        with self.client(connection, retries=0) as client:
            return remote.fetch(client, external_id)

    def action_module(self) -> ActionModule:
        """Scripts, reboots, maintenance and alerts."""
        return MODULE

    def perform_action(self, connection: Connection, order: Order, context: ActionContext) -> Outcome:
        """Do one of them."""
        with self.client(connection) as client:
            return DOING[order.action](client, order, context)

    def scripts(self, connection: Connection) -> Sequence[Script]:
        """The library, without scripts that are switched off and without built-in actions."""
        with self.client(connection) as client:
            return scripts.library(client)

    def set_maintenance(
        self, connection: Connection, external_id: str, *, until: datetime, reason: str
    ) -> None:
        """Have NinjaOne raise no alerts of the device until then."""
        with self.client(connection) as client:
            maintenance.put(client, external_id, until=until, reason=reason)

    def end_maintenance(self, connection: Connection, external_id: str) -> None:
        """Take the device out of maintenance."""
        with self.client(connection) as client:
            maintenance.end(client, external_id)

    def end_session(self, connection: Connection) -> None:
        """Revoke the tokens."""
        token = connection.sessions.current() if connection.sessions else None
        if token is None:
            raise ConfigError("There is no session to end.")
        session.end(application_of(self.runtime, connection), token)


PROVIDER = NinjaOne
__all__ = ["PROVIDER", "NinjaOne"]
