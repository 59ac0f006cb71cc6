"""Acme RMM, a vendor made up: machines of customers, alerts by webhook and by poll, a reboot.

All that its distribution brings. Facts by Acme's API 1, which ``tests/packaging/acme_server.py`` speaks.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Annotated
from urllib.parse import quote, urlsplit

import msgspec
from marshmallow import fields

from rmm_extension.domain.actions import ActionContext, Order, Outcome, requested
from rmm_extension.domain.contracts.actions import ActionModule, ActionSpec
from rmm_extension.domain.contracts.strict import Strict
from rmm_extension.domain.errors import ConfigError, NotFound, RMMError, WebhookRejected
from rmm_extension.domain.types import (
    AgentStatus,
    AlertEvent,
    AlertKind,
    Check,
    Connection,
    Device,
    DeviceKind,
    DevicePage,
    Organization,
    Receipt,
    Severity,
    WebhookRequest,
)
from rmm_extension.providers.capabilities import WebhookStep
from rmm_extension.providers.contract import AuthMode, Field, Manifest, Provider
from rmm_extension.providers.http import RETRIES, HttpClient
from rmm_extension.providers.progress import Progress

KEY = "acme"
HEADER = "X-Acme-Secret"
SEVERITIES = {"critical": Severity.CRITICAL, "warning": Severity.MODERATE, "info": Severity.MINOR}
KINDS = {"server": DeviceKind.SERVER, "workstation": DeviceKind.WORKSTATION}

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
"""A time with its zone; one without is refused."""


class Account(msgspec.Struct):
    """Whose key it is."""

    name: str


class Customer(msgspec.Struct):
    """Acme's organization."""

    id: str
    name: str


class Machine(msgspec.Struct):
    """A managed computer."""

    id: str
    customer_id: str
    name: str
    type: str
    online: bool
    last_contact: Moment | None = None
    os: str | None = None
    serial: str | None = None


class Machines(msgspec.Struct):
    """A page of them; ``next`` is where the next one begins, ``null`` on the last one."""

    machines: list[Machine]
    next: str | None


class Alert(msgspec.Struct):
    """An alert as lists, single calls and webhooks tell it; ``cleared_at`` is set when it is over."""

    id: str
    machine_id: str
    machine_name: str
    customer_id: str
    check: str
    level: str
    text: str
    raised_at: Moment
    cleared_at: Moment | None = None


class NoInput(Strict):
    """Nothing beside the device."""


class Rebooting(Strict):
    """What Acme took on."""

    order = fields.String(required=True)


REBOOT = ActionSpec(
    id=f"{KEY}.machines.reboot",
    module=f"app:{KEY}",
    label="Reboot",
    description="Restarts the machine at once.",
    input=NoInput,
    output=Rebooting,
    side_effects=True,
    category="Devices",
    icon="power",
    confirmation="Restart this machine now?",
)
MODULE = ActionModule(
    key=f"app:{KEY}",
    label="Acme RMM",
    description="Reboots of machines.",
    icon=KEY,
    default_action=REBOOT.id,
    availability=f"rmm:{KEY}",
    actions=(REBOOT,),
)


class AcmeClient(HttpClient):
    """Acme's API with one key. Its errors are by their status, so the common reading of them will do."""

    provider = KEY

    def machines(self, customer_id: str) -> Iterator[Machines]:
        """The machines of a customer, page by page."""
        progress, after = Progress(), ""
        while True:
            reply = self.read(f"{_path('customers', customer_id)}/machines", params={"after": after})
            page = reply.decode(Machines)
            progress.note(reply, after)
            yield page
            if page.next is None:
                return
            after = page.next


class Acme(Provider):
    """The provider for Acme RMM."""

    manifest = Manifest(
        key=KEY,
        label="Acme RMM",
        description="Machines and alerts of Acme RMM.",
        auth_modes=(
            AuthMode(
                key="api_key",
                label="API key",
                description="A key of an Acme account.",
                fields=(
                    Field("instance_url", "Address", kind="url", help="As in https://acme.example.com."),
                    Field("api_key", "API key", secret=True),
                ),
                vendor_steps=("Open Settings › API in Acme and make a key.",),
            ),
        ),
        organization_noun="customer",
        docs_url="https://docs.acme.example/api",
    )

    def normalize_url(self, value: str) -> str:
        """Scheme and host; https where no scheme was typed."""
        url = value.strip().rstrip("/")
        url = url if "://" in url else f"https://{url}"
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path:
            raise ConfigError("Enter the address of Acme, as in https://acme.example.com.")
        return url

    def check(self, connection: Connection) -> Iterator[Check]:
        """Whether the key opens the account, and whose it is."""
        try:
            with self._client(connection, retries=0) as client:
                account = client.read("/api/account").decode(Account)
        except RMMError as error:
            yield Check(name="Account", state="failed", message=str(error))
            return
        told = {"acme_account": account.name}
        yield Check(name="Account", state="ok", message=f"The key is of {account.name}.", learned=told)

    def organizations(self, connection: Connection) -> Sequence[Organization]:
        """Acme's customers."""
        with self._client(connection) as client:
            rows = client.read("/api/customers").decode(list[Customer])
        return [Organization(external_id=row.id, name=row.name) for row in rows]

    def devices(
        self, connection: Connection, organization_ids: Sequence[str], *, full: bool
    ) -> Iterator[DevicePage]:
        """The machines of these customers; each list tells all there is, so ``full`` makes no difference."""
        with self._client(connection) as client:
            for customer_id in organization_ids:
                for page in client.machines(customer_id):
                    yield DevicePage(
                        devices=tuple(_device(row) for row in page.machines),
                        completed_organizations=() if page.next else (customer_id,),
                    )

    def device(self, connection: Connection, external_id: str) -> Device | None:
        """One machine now."""
        with self._client(connection) as client:
            try:
                return _device(client.read(_path("machines", external_id)).decode(Machine))
            except NotFound:
                return None

    def active_alerts(self, connection: Connection) -> Sequence[AlertEvent]:
        """All open alerts; Acme gives them in one answer."""
        with self._client(connection) as client:
            return [_event(row) for row in client.read("/api/alerts").decode(list[Alert])]

    def alert(self, connection: Connection, external_id: str) -> AlertEvent | None:
        """One alert now."""
        with self._client(connection) as client:
            try:
                return _event(client.read(_path("alerts", external_id)).decode(Alert))
            except NotFound:
                return None

    def reset_alert(self, connection: Connection, external_id: str) -> Receipt:
        """Clear the alert; one that is over stays over."""
        with self._client(connection) as client:
            try:
                reply = client.write("POST", f"{_path('alerts', external_id)}/clear")
                reply.require_json()
            except NotFound as error:
                gone = "The alert no longer exists in Acme RMM."
                return Receipt(accepted=True, message=gone, status=error.status)
        return Receipt(accepted=True, message="Acme RMM cleared the alert.", status=reply.status)

    def action_module(self) -> ActionModule:
        """Rebooting."""
        return MODULE

    def perform_action(self, connection: Connection, order: Order, context: ActionContext) -> Outcome:
        """Reboot: Acme hands it on and tells the number of its order."""
        device = order.device
        with self._client(connection) as client:
            reply = client.write("POST", f"{_path('machines', device.external_id)}/reboot")
            taken = reply.decode(dict[str, str])
        return requested(f"Acme RMM restarts {device.name}.", {"order": taken.get("order", "")})

    def verify_webhook(self, request: WebhookRequest, secrets: Sequence[str]) -> bool:
        """Whether the header holds one of the secrets; each is compared, in constant time."""
        given = request.headers.get(HEADER.lower(), "").encode()
        return bool(sum(hmac.compare_digest(given, secret.encode()) for secret in secrets))

    def parse_webhook(self, request: WebhookRequest) -> Sequence[AlertEvent]:
        """The alert that the body is."""
        try:
            return [_event(msgspec.json.decode(request.body, type=Alert))]
        except msgspec.ValidationError as error:
            raise WebhookRejected("wrong_shape", "The body is no alert of Acme RMM.") from error
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise WebhookRejected("not_json", "The body is no JSON.") from error

    def webhook_steps(self, url: str, secret: str) -> Sequence[WebhookStep]:
        """A webhook with a header."""
        return [
            WebhookStep("Address", "Open Settings › Webhooks, choose Add and paste the address.", url),
            WebhookStep("Header", "Add this header.", f"{HEADER}: {secret}", is_secret=True),
        ]

    def _client(self, connection: Connection, *, retries: int = RETRIES) -> AcmeClient:
        key = connection.secrets.get("api_key", "")
        if not key:
            raise ConfigError("This connection has no API key: enter one.")
        base = self.runtime.base_urls.get(KEY) or connection.instance_url
        headers = {"X-Acme-Key": key}
        return AcmeClient(self.runtime, base, headers=headers, secrets=(key,), retries=retries)


def _path(kind: str, external_id: str) -> str:
    return f"/api/{kind}/{quote(external_id, safe='')}"


def _device(row: Machine) -> Device:
    return Device(
        external_id=row.id,
        external_organization_id=row.customer_id,
        name=row.name,
        kind=KINDS.get(row.type, DeviceKind.UNKNOWN),
        status=AgentStatus.ONLINE if row.online else AgentStatus.OFFLINE,
        last_seen_at=row.last_contact,
        serial=row.serial,
        os_version=row.os,
    )


def _event(row: Alert) -> AlertEvent:
    """The same from every channel: id, severity, condition and time."""
    return AlertEvent(
        kind=AlertKind.TRIGGERED if row.cleared_at is None else AlertKind.RESET,
        external_id=row.id,
        occurred_at=row.cleared_at or row.raised_at,
        severity=SEVERITIES.get(row.level, Severity.NONE),
        external_device_id=row.machine_id,
        external_organization_id=row.customer_id,
        device_name=row.machine_name,
        condition=row.check,
        message=row.text,
        raw=msgspec.to_builtins(row),
    )
