"""What a provider can do: each capability is a small Protocol with a word for pages and documents.

A provider implements those its vendor has, and pages and jobs show and use only these. Errors are the
``ProviderError`` classes of ``domain.errors``, with a message that says what happened and what to do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Protocol, runtime_checkable

from rmm_extension.domain.actions import ActionContext, Order, Outcome, Script
from rmm_extension.domain.authorization import AuthorizationRequest
from rmm_extension.domain.contracts.actions import ActionModule
from rmm_extension.domain.messaging import AppPackage, AppPlace, BotActivity
from rmm_extension.domain.patches import PatchesOfDevice, PatchPage
from rmm_extension.domain.registrations import Subscription, WebhookRegistration
from rmm_extension.domain.signals import ActivityPage, Told
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
    RemoteLink,
    SoftwareOfDevice,
    SoftwarePage,
    WebhookRequest,
)

from .contract import Provider


@runtime_checkable
class TestsConnection(Protocol):
    def check(self, connection: Connection) -> Iterator[Check]:
        """Test what was typed, check by check; yields results, never raises a ``ProviderError``.

        The connection is usable when no check failed. Asks for nothing that changes the vendor's data.
        """


@runtime_checkable
class AuthorizesInBrowser(Protocol):
    def authorization_url(self, connection: Connection, request: AuthorizationRequest) -> str:
        """The vendor's page where a person signs in and agrees, for the modes that are ``in_browser``.

        Made from what was typed, without asking anybody. What the vendor sends back comes to ``check`` in
        ``Connection.once``, by the names of ``domain.authorization``.
        """


@runtime_checkable
class ListsOrganizations(Protocol):
    def organizations(self, connection: Connection) -> Sequence[Organization]:
        """All organizations, complete or an error."""


@runtime_checkable
class ListsDevices(Protocol):
    def devices(
        self, connection: Connection, organization_ids: Sequence[str], *, full: bool
    ) -> Iterator[DevicePage]:
        """Stream the devices of these organizations in bounded pages.

        ``full`` also brings the heavy hardware facts where the vendor has them. An error ends the stream; the
        organizations named complete before stay so.
        """


@runtime_checkable
class FetchesDevice(Protocol):
    def device(self, connection: Connection, external_id: str) -> Device | None:
        """One device now; ``None`` when the vendor says it does not exist."""


@runtime_checkable
class FetchesAlert(Protocol):
    def alert(self, connection: Connection, external_id: str) -> AlertEvent | None:
        """One alert now, with its text; ``None`` when the vendor says it does not exist."""


@runtime_checkable
class ListsAlerts(Protocol):
    def active_alerts(self, connection: Connection) -> Sequence[AlertEvent]:
        """All alerts that are open at the vendor, complete or an error."""


@runtime_checkable
class FollowsAlerts(Protocol):
    """For vendors that have no list of what is open, but one of what changed."""

    def alert_changes(self, connection: Connection, since: datetime) -> AlertChanges:
        """The alerts that changed at or after ``since``, whatever became of them; complete or an error.

        An alert that cannot be read stands in ``unread`` and stops no other.
        """


@runtime_checkable
class ResetsAlert(Protocol):
    def reset_alert(self, connection: Connection, external_id: str) -> Receipt:
        """Resolve the alert at the vendor; safe to repeat."""


@runtime_checkable
class ListsSoftware(Protocol):
    def software(self, connection: Connection) -> Iterator[SoftwarePage]:
        """Stream the software of all devices in bounded pages; an error ends the stream.

        A device that no page names has told nothing: what is known of it stays.
        """


@runtime_checkable
class FetchesSoftware(Protocol):
    def device_software(self, connection: Connection, external_id: str) -> SoftwareOfDevice | None:
        """The software of one device now; ``None`` when the vendor says that there is no such device."""


@runtime_checkable
class ListsPatches(Protocol):
    def patches(self, connection: Connection) -> Iterator[PatchPage]:
        """Stream the patches of all devices in bounded pages; an error ends the stream.

        Each device is named once, with all that is listed for it; one that no page names has none listed. Of
        a kind that may not be read (:attr:`PatchPage.unread`) nothing is said.
        """


@runtime_checkable
class FetchesPatches(Protocol):
    def device_patches(self, connection: Connection, external_id: str) -> PatchesOfDevice | None:
        """The patches of one device now; ``None`` when the vendor says that there is no such device."""


@runtime_checkable
class ListsActivity(Protocol):
    def activity(self, connection: Connection, after: str | None) -> Iterator[ActivityPage]:
        """Stream what happened since the position ``after``, oldest first; an error ends the stream.

        Without a position one empty page tells the position of now. What a page brings is taken before the
        next one is asked for, and the position after it kept.
        """


@runtime_checkable
class HasDevicePage(Protocol):
    def device_page(self, connection: Connection, external_id: str) -> str:
        """The address of the vendor's own page about the device, for those who are signed in there.

        Made from the connection's address, without asking anybody and without secrets.
        """


@runtime_checkable
class OpensRemotely(Protocol):
    def remote_link(self, connection: Connection, external_id: str) -> RemoteLink:
        """Where a technician reaches the device. Raises ``ConfigError`` when a setting for it is missing.

        Made from what is known, without a call to the vendor: pages ask it to know whether to offer the way.
        A vendor that has to be called for its link is a :class:`FetchesRemoteLink`.
        """


@runtime_checkable
class FetchesRemoteLink(Protocol):
    def remote_obstacle(self, connection: Connection) -> str | None:
        """Why this connection opens no device, in a sentence; without asking anybody."""

    def fetch_remote_link(self, connection: Connection, external_id: str) -> RemoteLink:
        """A fresh link from the vendor. ``PermissionMissing`` and ``NotFound`` say in words what is wrong."""


@runtime_checkable
class TellsPermissions(Protocol):
    def permissions(self, connection: Connection) -> Iterator[PermissionLine]:
        """Which features the credentials' rights allow, feature by feature, without doing anything.

        A state is ``ok`` only where an answer of the vendor proves it. Raises ``AuthFailed`` when the
        credentials themselves are refused.
        """


@runtime_checkable
class EndsSessions(Protocol):
    def end_session(self, connection: Connection) -> None:
        """End the session ``connection.sessions`` at the vendor, so that its token is worth nothing any more.

        The connection is as it was when the session was left, with the secrets that ``AuthMode.ends_with``
        names and no others. Safe to repeat; signs in to nothing. Raises ``AuthFailed`` when the vendor does
        not take the token (any more), which is well, and any other ``ProviderError`` when it did not end it.
        """


@runtime_checkable
class PerformsActions(Protocol):
    def action_module(self) -> ActionModule:
        """The actions with their contracts. Always the same, and without asking anybody."""

    def perform_action(self, connection: Connection, order: Order, context: ActionContext) -> Outcome:
        """Do what is ordered, once, and say what came of it.

        The input has been checked. What the vendor refuses or cannot do is an outcome, or a ``ProviderError``
        where that says it all. Only an error whose ``may_have_arrived`` is false is tried again.
        """


@runtime_checkable
class ListsScripts(Protocol):
    def scripts(self, connection: Connection) -> Sequence[Script]:
        """The scripts of the vendor's library that can be run, complete or an error."""


@dataclass(frozen=True, slots=True)
class WebhookStep:
    """One step of the webhook set-up page: a sentence and, where there is something to paste, the text."""

    title: str
    text: str
    paste: str | None = None
    is_secret: bool = False


@runtime_checkable
class ReceivesWebhooks(Protocol):
    def verify_webhook(self, request: WebhookRequest, secrets: Sequence[str]) -> bool:
        """Whether the delivery proves to know one of the secrets (several while rotating); constant time."""

    def parse_webhook(self, request: WebhookRequest) -> Sequence[Told]:
        """What the delivery tells; an empty sequence for one we do not use (a test button, say).

        Raises :class:`~rmm_extension.domain.errors.WebhookRejected` for a body of the wrong shape. Pure: it
        is called before the delivery is verified.
        """

    def webhook_steps(self, url: str, secret: str) -> Sequence[WebhookStep]:
        """What an administrator does at the vendor, with everything ready to paste."""


@runtime_checkable
class SignsWebhooks(Protocol):
    """For vendors that make the secret of a webhook themselves; they are :class:`ReceivesWebhooks` too.

    Their ``webhook_steps`` are called with an empty secret: the administrator copies it from there to here.
    """

    def check_webhook_secret(self, value: str) -> str:
        """What was pasted, in its one form; raises ``ConfigError`` with a sentence for what is no secret."""


@runtime_checkable
class RegistersWebhooks(Protocol):
    """For vendors that are told of a webhook by a call; they are :class:`ReceivesWebhooks` too."""

    def registration_scope(self, connection: Connection) -> str:
        """What the vendor keeps one webhook for, such as its API application: two connections that share it
        would take the webhook from each other. Made without asking anybody."""

    def subscription(self) -> Subscription:
        """What the vendor is asked to send. Always the same within a release."""

    def register_webhook(self, connection: Connection, registration: WebhookRegistration) -> None:
        """Have deliveries sent as the registration says, in place of what was there; safe to repeat.

        ``PermissionMissing`` says who may do it.
        """

    def unregister_webhook(self, connection: Connection) -> None:
        """Have nothing sent any more; safe to repeat.

        ``PermissionMissing`` and ``InvalidRequest`` say that asking again is in vain.
        """


@runtime_checkable
class SetsMaintenance(Protocol):
    def set_maintenance(
        self, connection: Connection, external_id: str, *, until: datetime, reason: str
    ) -> None:
        """Put a device into maintenance from now until then; in place of what was set, safe to repeat."""

    def end_maintenance(self, connection: Connection, external_id: str) -> None:
        """Take it out again; safe to repeat, also where it is in none or gone."""


@runtime_checkable
class ReceivesBotMessages(Protocol):
    """For chat services: their bot's messages come to an address of the connection, signed by the vendor."""

    def verify_bot_message(
        self,
        connection: Connection,
        headers: Mapping[str, str],
        body: bytes,
        keys: Sequence[Mapping[str, Any]],
    ) -> BotActivity | None:
        """What the message says, if the vendor signed it for this connection's bot with one of ``keys``.

        ``None`` for one that is genuine and not used. Pure, and without the connection's secrets. ``headers``
        have names in any case. Raises :class:`~rmm_extension.domain.messaging.KeyUnknown` where the key is
        none of these (fetching them anew may help), and any other ``WebhookRejected`` for what is not taken.
        """

    def signing_keys(self) -> list[dict[str, Any]]:
        """The public keys that the vendor signs with now, as JSON Web Keys; asks the vendor.

        Raises a ``ProviderError`` where they cannot be had: those known before stay good.
        """


@runtime_checkable
class MakesAppPackage(Protocol):
    def app_package(self, connection: Connection, place: AppPlace) -> AppPackage:
        """The app that has the connection's bot, for the vendor's catalogue. Made without asking anybody."""


CAPABILITIES: dict[str, type] = {
    "test": TestsConnection,
    "browser_sign_in": AuthorizesInBrowser,
    "organizations": ListsOrganizations,
    "devices": ListsDevices,
    "device": FetchesDevice,
    "alert": FetchesAlert,
    "alerts": ListsAlerts,
    "alert_changes": FollowsAlerts,
    "alert_reset": ResetsAlert,
    "software": ListsSoftware,
    "device_software": FetchesSoftware,
    "patches": ListsPatches,
    "device_patches": FetchesPatches,
    "activity": ListsActivity,
    "device_page": HasDevicePage,
    "remote_access": OpensRemotely,
    "remote_link": FetchesRemoteLink,
    "permissions": TellsPermissions,
    "session_end": EndsSessions,
    "actions": PerformsActions,
    "scripts": ListsScripts,
    "webhook": ReceivesWebhooks,
    "signed_webhook": SignsWebhooks,
    "webhook_registration": RegistersWebhooks,
    "maintenance": SetsMaintenance,
    "bot_messages": ReceivesBotMessages,
    "app_package": MakesAppPackage,
}
"""Every capability by the word that pages and documents use."""


def capabilities(provider: Provider) -> frozenset[str]:
    """The words of the capabilities this provider implements."""
    kind: Any = type(provider)
    return _of_class(kind)


@cache
def _of_class(kind: type) -> frozenset[str]:
    """Kept, for asking a Protocol takes long and every delivery asks."""
    return frozenset(word for word, protocol in CAPABILITIES.items() if issubclass(kind, protocol))
