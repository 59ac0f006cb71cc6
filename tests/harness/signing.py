"""A made-up vendor that makes the secret of its webhook and signs what it sends, in one of two ways: the body
alone, or the body with the message's id and time. And a connection to it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from flask import Flask
from werkzeug.test import TestResponse

from rmm_extension.domain.errors import ConfigError, WebhookRejected
from rmm_extension.domain.signals import DeviceSignal, OrganizationSignal, SignalKind, Told
from rmm_extension.domain.types import (
    AlertEvent,
    AlertKind,
    Connection,
    Organization,
    Severity,
    WebhookRequest,
)
from rmm_extension.models import OrganizationMapping, new_id
from rmm_extension.providers.capabilities import WebhookStep
from rmm_extension.providers.contract import AuthMode, Field, Manifest, Provider, Runtime
from rmm_extension.providers.registry import ProviderRegistry
from rmm_extension.services import connections, webhook_access
from rmm_extension.services.unit import unit
from rmm_extension.services.webhook_access import TOKEN
from tests.harness.world import World

TOLERANCE = timedelta(minutes=5)
FIRST, SECOND = "whsec_first-0123456789", "whsec_second-0123456789"
WHEN = "2026-11-21T02:06:46+00:00"


class BodySigner(Provider):
    """Signs the body; its messages carry their id in it."""

    manifest = Manifest(
        key="signs_body",
        label="Sealed RMM",
        description="A vendor that signs.",
        auth_modes=(AuthMode("api_key", "API key", "A key.", (Field("api_key", "API key", secret=True),)),),
        editions=("enterprise",),
    )

    def organizations(self, connection: Connection) -> Sequence[Organization]:
        """One."""
        return [Organization(external_id="1", name="Northwind")]

    def check_webhook_secret(self, value: str) -> str:
        """Begins with whsec_."""
        if not (cleaned := value.strip()).startswith("whsec_"):
            raise ConfigError("Sealed RMM's secrets begin with whsec_.")
        return cleaned

    @staticmethod
    def sign(secret: str, body: bytes, sent_at: datetime, message_id: str) -> dict[str, str]:
        """The headers that this vendor sends with a body."""
        return {"X-Signature": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}

    def verify_webhook(self, request: WebhookRequest, secrets: Sequence[str]) -> bool:
        """By the signature of the body."""
        given = request.headers.get("x-signature", "")
        signed = [
            self.sign(secret, request.body, request.received_at, "")["X-Signature"] for secret in secrets
        ]
        return any(hmac.compare_digest(given.encode(), one.encode()) for one in signed)

    def parse_webhook(self, request: WebhookRequest) -> Sequence[Told]:
        """An alert, a device or an organization, by what the body calls itself."""
        try:
            body = json.loads(request.body)
            about = body["about"]
        except (ValueError, TypeError, KeyError) as error:
            raise WebhookRejected("wrong_shape", "The body is no message.") from error
        return [_told(about, body)] if about != "test" else []

    def webhook_steps(self, url: str, secret: str) -> Sequence[WebhookStep]:
        """One step with the address, and where the secret is found."""
        return [
            WebhookStep("Address", "Paste it there.", url),
            WebhookStep("Secret", "Copy the signing secret that is shown, and paste it below."),
        ]


class MessageSigner(BodySigner):
    """Signs id, time and body; what is older than five minutes is refused."""

    manifest = replace(BodySigner.manifest, key="signs_message")

    @staticmethod
    def sign(secret: str, body: bytes, sent_at: datetime, message_id: str) -> dict[str, str]:
        """As Svix does it."""
        seconds = str(int(sent_at.timestamp()))
        signed = f"{message_id}.{seconds}.".encode() + body
        digest = hmac.new(secret.encode(), signed, hashlib.sha256).digest()
        signature = f"v1,{base64.b64encode(digest).decode()}"
        return {"svix-id": message_id, "svix-timestamp": seconds, "svix-signature": signature}

    def verify_webhook(self, request: WebhookRequest, secrets: Sequence[str]) -> bool:
        """By the signature of a message that was sent of late."""
        seconds = request.headers.get("svix-timestamp", "")
        if not seconds.isdecimal():
            return False
        sent_at = datetime.fromtimestamp(int(seconds), UTC)
        if abs(request.received_at - sent_at) > TOLERANCE:
            return False
        given = request.headers.get("svix-signature", "").encode()
        message_id = request.headers.get("svix-id", "")
        signed = [self.sign(secret, request.body, sent_at, message_id) for secret in secrets]
        return any(hmac.compare_digest(given, one["svix-signature"].encode()) for one in signed)


def _told(about: str, body: dict[str, Any]) -> Told:
    message_id, at = str(body["id"]), datetime.fromisoformat(body["at"])
    if about == "device":
        return DeviceSignal(
            kind=SignalKind.CHANGED,
            external_id=message_id,
            occurred_at=at,
            external_device_id="d1",
            words="Changed",
        )
    if about == "organization":
        return OrganizationSignal(external_id=message_id, occurred_at=at, words="Renamed")
    return AlertEvent(
        kind=AlertKind(about),
        external_id="a1",
        occurred_at=at,
        severity=Severity.MAJOR,
        external_organization_id="1",
        condition="Disk",
        message="The disk is full.",
    )


SIGNERS: tuple[type[BodySigner], ...] = (BodySigner, MessageSigner)


def install(app: Flask, *signers: type[Provider]) -> None:
    """Have the application know these vendors alone."""
    sources = [(signer.manifest.key, lambda signer=signer: signer) for signer in signers]
    registry = ProviderRegistry(Runtime(), sources=sources)
    mounted = app.extensions["rmm"]
    app.extensions["rmm"] = replace(mounted, services=replace(mounted.services, providers=registry))


@dataclass
class Sealed:
    """A connection to a vendor that signs, with its webhook switched on."""

    world: World
    signer: type[BodySigner]
    integration_id: UUID
    token: str = ""

    @classmethod
    def connect(
        cls, world: World, signer: type[BodySigner], name: str = "Sealed", organization: str = "1"
    ) -> Sealed:
        """Connect and switch the webhook on; this organization has the world's client."""
        given = Connection(
            tenant_id=world.tenant,
            integration_id="",
            provider=signer.manifest.key,
            instance_url="",
            secrets={"api_key": "key-0123456789"},
        )
        with world.unit() as session:
            row = connections.create(world.rmm, session, world.admin, name, given, catch_all=True)
            mapping = {"external_id": organization, "name": "Northwind", "client_id": world.client_id}
            session.add(OrganizationMapping(tenant_id=world.tenant, integration_id=row.id, **mapping))
            made = cls(world, signer, row.id)
        made.call(webhook_access.switch_on)
        with world.unit() as session:
            made.token = world.rmm.vault.read(session, world.tenant, made.integration_id)[TOKEN]
        return made

    def call(self, act: Any, *arguments: Any) -> Any:
        """A use case of the webhook's access."""
        with self.world.app.app_context(), unit(self.world.rmm) as session:
            return act(self.world.rmm, session, self.world.admin, self.integration_id, *arguments)

    def paste(self, secret: str) -> Any:
        """Paste what the vendor made."""
        return self.call(webhook_access.keep_secret, secret)

    def send(
        self,
        about: str = "triggered",
        *,
        secret: str = FIRST,
        message_id: str | None = None,
        sent_at: datetime | None = None,
        body: bytes | None = None,
        url: str | None = None,
        **more: Any,
    ) -> TestResponse:
        """Send a message as the vendor does; ``more`` goes into its body."""
        message_id = message_id or str(new_id())
        data = json.dumps({"about": about, "id": message_id, "at": WHEN, **more}).encode()
        data = data if body is None else body
        headers = self.signer.sign(secret, data, sent_at or datetime.now(UTC), message_id)
        address = url or f"/api/webhooks/{self.signer.manifest.key}/{self.token}"
        return self.world.http.post(address, data=data, headers=headers, content_type="application/json")
