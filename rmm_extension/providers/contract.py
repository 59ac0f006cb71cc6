"""What a provider is: a manifest and the capabilities it implements.

A provider is made once per process with a :class:`Runtime` and is stateless between calls: everything about
an account comes in the :class:`~rmm_extension.domain.types.Connection`. Every capability is a small protocol;
the pages show only what a provider implements. Errors are the ``ProviderError`` classes of ``domain.errors``,
with a message that says in words what happened and what to do.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, ClassVar, Protocol, runtime_checkable

from rmm_extension.domain.actions import ActionContext, Order, Outcome, Script
from rmm_extension.domain.contracts.actions import ActionModule
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

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Runtime:
    """What the installation decides for every provider.

    ``allowed_networks`` are private networks the administrator opened; ``base_urls`` replaces a vendor's
    address (provider key to URL), set only for demos and tests.
    """

    allowed_networks: tuple[Network, ...] = ()
    base_urls: Mapping[str, str] = field(default_factory=dict)
    connect_timeout: float = 5.0
    read_timeout: float = 30.0


@dataclass(frozen=True, slots=True)
class Field:
    """One input of the connection form. A ``secret`` is write-only and stored encrypted under ``name``.

    ``kind``: text, url, password, number, choice (then ``choices`` of (value, label)) or checkbox. A password
    is taken to the letter, and no page shows its end; all else is taken without the blanks around it. A field
    that is not secret is stored in the connection's settings, except ``instance_url``. One that is asked
    ``once`` is for this one sign-in, never stored, and comes in ``Connection.once``. A session lasts while no
    secret and no required field of its sign-in changes.
    """

    name: str
    label: str
    kind: str = "text"
    secret: bool = False
    once: bool = False
    required: bool = True
    help: str = ""
    default: str = ""
    choices: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class AuthMode:
    """One way to sign in, with its fields and the steps to take on the vendor's side, in words.

    ``ends_with`` names the secrets that ending a session takes beside its token, such as OAuth's client
    secret.
    """

    key: str
    label: str
    description: str
    fields: tuple[Field, ...]
    vendor_steps: tuple[str, ...] = ()
    ends_with: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a provider says of itself.

    ``editions`` are the host's editions that include it; ``organization_noun`` is the vendor's word for a
    customer ("client", "organization", "group"); ``docs_url`` the vendor's documentation;
    ``software_platforms`` are the only ones (windows, linux, darwin) whose agents tell their software, where
    these are not all; ``short_name`` stands before the id in the tag of an asset made for a device, the key
    where it is empty.
    """

    key: str
    label: str
    description: str
    auth_modes: tuple[AuthMode, ...]
    editions: tuple[str, ...] = ("enterprise",)
    organization_noun: str = "organization"
    docs_url: str = ""
    software_platforms: tuple[str, ...] = ()
    short_name: str = ""

    @property
    def tag(self) -> str:
        """What tags of assets begin with."""
        return self.short_name or self.key


class Provider:
    """Base of all providers. Subclass, set ``manifest``, implement the capabilities the vendor has."""

    manifest: ClassVar[Manifest]

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime

    def normalize_url(self, value: str) -> str:
        """The instance URL in its one form; raises ``ConfigError`` with a sentence when it is no URL."""
        return value.strip()

    def check_settings(self, settings: dict[str, str]) -> dict[str, str]:
        """What was typed beside address and secrets, in its one form; raises ``ConfigError`` with a sentence
        that names the field that cannot be kept."""
        return settings


@runtime_checkable
class TestsConnection(Protocol):
    def check(self, connection: Connection) -> Iterator[Check]:
        """Test what was typed, check by check; yields results, never raises a ``ProviderError``.

        The connection is usable when no check failed. Asks for nothing that changes the vendor's data.
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
class OpensRemotely(Protocol):
    def remote_link(self, connection: Connection, external_id: str) -> RemoteLink:
        """Where a technician reaches the device. Raises ``ConfigError`` when a setting for it is missing.

        Made from what is known, without a call to the vendor: pages ask it to know whether to offer the way.
        A vendor that has to be called for its link takes a capability of its own, served by a run.
        """


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

    def parse_webhook(self, request: WebhookRequest) -> Sequence[AlertEvent]:
        """The events of the delivery; an empty sequence for one we do not use (a test button, say).

        Raises :class:`~rmm_extension.domain.errors.WebhookRejected` for a body of the wrong shape. Pure: it
        is called before the delivery is verified.
        """

    def webhook_steps(self, url: str, secret: str) -> Sequence[WebhookStep]:
        """What an administrator does at the vendor, with everything ready to paste."""


CAPABILITIES: dict[str, type] = {
    "test": TestsConnection,
    "organizations": ListsOrganizations,
    "devices": ListsDevices,
    "device": FetchesDevice,
    "alert": FetchesAlert,
    "alerts": ListsAlerts,
    "alert_reset": ResetsAlert,
    "software": ListsSoftware,
    "device_software": FetchesSoftware,
    "remote_access": OpensRemotely,
    "permissions": TellsPermissions,
    "session_end": EndsSessions,
    "actions": PerformsActions,
    "scripts": ListsScripts,
    "webhook": ReceivesWebhooks,
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
