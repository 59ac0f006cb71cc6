"""Level and Huntress at the door: what they signed is taken once, and nothing else is taken."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rmm_extension.providers.huntress import Huntress
from rmm_extension.providers.levelio import Level
from tests.harness.signing import BodySigner, Sealed
from tests.harness.world import World
from tests.providers.huntress.accounts import in_webhook
from tests.providers.levelio.accounts import alert
from tests.services.working import queued
from tests.webhooks.test_signed import REFUSED, state, told

LEVEL_SECRET = "Level-shows-this-once"
HUNTRESS_SECRET = "whsec_plJ3nmyCDGBKInavdOK15jsl"
NEW = {
    "levelio": "Level-shows-another",
    "huntress": f"whsec_{base64.b64encode(b'another-key-0123456789').decode()}",
}


class LevelSigner(BodySigner):
    """As Level signs."""

    manifest = Level.manifest

    @staticmethod
    def sign(secret: str, body: bytes, sent_at: datetime, message_id: str) -> dict[str, str]:
        """The body alone."""
        digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        return {"X-Level-Signature": f"sha256={digest}"}


class SvixSigner(BodySigner):
    """As Svix signs for Huntress."""

    manifest = Huntress.manifest

    @staticmethod
    def sign(secret: str, body: bytes, sent_at: datetime, message_id: str) -> dict[str, str]:
        """Id, time and body, with the key in the secret."""
        seconds = str(int(sent_at.timestamp()))
        key = base64.b64decode(secret.removeprefix("whsec_"))
        digest = hmac.new(key, f"{message_id}.{seconds}.".encode() + body, hashlib.sha256).digest()
        signature = f"v1,{base64.b64encode(digest).decode()}"
        return {"svix-id": message_id, "svix-timestamp": seconds, "svix-signature": signature}


@dataclass(frozen=True)
class Vendor:
    """One of them: how it signs, its secret, and the organization of what it sends."""

    signer: type[BodySigner]
    secret: str
    organization: str

    def connect(self, world: World) -> Sealed:
        """A connection with its secret pasted."""
        made = Sealed.connect(world, self.signer, organization=self.organization)
        made.paste(self.secret)
        return made


LEVEL = Vendor(LevelSigner, LEVEL_SECRET, "group")
HUNTRESS = Vendor(SvixSigner, HUNTRESS_SECRET, "4")
both = pytest.mark.parametrize("vendor", [LEVEL, HUNTRESS], ids=["level", "huntress"])


def of_level(event: str, **data: Any) -> Any:
    body = {"event_type": event, "event_id": "e-1", "occurred_at": "2026-11-21T12:00:00Z", "data": data}
    return json.dumps(body).encode()


def of_huntress(event: str, **changes: Any) -> Any:
    return json.dumps(in_webhook(event, **changes)).encode()


def a_body(vendor: Vendor) -> bytes:
    made: bytes = of_level("alert_active", **alert()) if vendor is LEVEL else of_huntress("created")
    return made


@both
def test_what_it_signed_is_taken(world: World, vendor: Vendor) -> None:
    sealed = vendor.connect(world)
    answer = sealed.send(body=a_body(vendor), secret=vendor.secret)
    assert (answer.status_code, answer.json["recorded"]) == (200, True), answer.json
    assert world.one("SELECT count(*) FROM rmm_alerts") == 1


@both
def test_another_secret_another_body_and_no_signature_are_refused(world: World, vendor: Vendor) -> None:
    sealed, body = vendor.connect(world), a_body(vendor)
    before = state(world)
    other = NEW[vendor.signer.manifest.key]
    assert told(sealed.send(body=body, secret=other)) == REFUSED
    url = f"/api/webhooks/{vendor.signer.manifest.key}/{sealed.token}"
    headers = vendor.signer.sign(vendor.secret, body, datetime.now(UTC), "m-1")
    for data, given in (
        (body + b" ", headers),
        (body, {}),
        (body, {**headers, **dict.fromkeys(headers, "")}),
    ):
        assert told(world.http.post(url, data=data, headers=given)) == REFUSED
    assert state(world) == before
    sealed.paste(other)
    assert sealed.send(body=body, secret=other).status_code == 200


@pytest.mark.parametrize("away", [timedelta(seconds=-310), timedelta(seconds=310), timedelta(days=-400)])
def test_huntress_signs_the_time_and_what_is_stale_is_refused(world: World, away: timedelta) -> None:
    sealed = HUNTRESS.connect(world)
    before = state(world)
    stale = sealed.send(body=of_huntress("created"), secret=HUNTRESS_SECRET, sent_at=datetime.now(UTC) + away)
    assert told(stale) == REFUSED
    assert state(world) == before


def test_svixs_own_example_is_signed_rightly_and_long_over(world: World) -> None:
    sealed = HUNTRESS.connect(world)
    body, sent_at = b'{"event_type":"ping","data":{"success":true}}', datetime.fromtimestamp(1731705121, UTC)
    message_id, signature = "msg_loFOjxBNrRLzqYUf", "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0="
    assert SvixSigner.sign(HUNTRESS_SECRET, body, sent_at, message_id)["svix-signature"] == signature
    assert (
        told(sealed.send(body=body, secret=HUNTRESS_SECRET, sent_at=sent_at, message_id=message_id))
        == REFUSED
    )


def test_a_signature_of_openssl_opens_levels_door(world: World) -> None:
    sealed = LEVEL.connect(world)
    body = (
        '{"event_type":"alert_active","event_id":"8f14e45f-ceea-467f-a1d5-2f2a0b7f8a11",'
        '"occurred_at":"2026-03-15T14:30:00.000Z","data":{"id":"al_123","name":"Größe"}}'
    ).encode()
    digest = "ea294bf6a2f9fdf1756c7c84b9b1b0644b017e8ab4f91a1c4655aef94a54b5cb"
    url = f"/api/webhooks/levelio/{sealed.token}"
    answer = world.http.post(url, data=body, headers={"X-Level-Signature": f"sha256={digest}"})
    assert (answer.status_code, answer.json["recorded"]) == (200, True)


@pytest.mark.parametrize(
    "vendor, make",
    [
        (LEVEL, lambda: of_level("alert_active", **alert())),
        (
            LEVEL,
            lambda: of_level("alert_resolved", **alert(resolved_at="2026-11-21T12:00:00Z", is_resolved=True)),
        ),
        (LEVEL, lambda: of_level("device_updated", id="dev_456", hostname="WS-014", group_id="group")),
        (LEVEL, lambda: of_level("device_deleted", id="dev_456", hostname="WS-014", group_id="group")),
        (HUNTRESS, lambda: of_huntress("created")),
        (HUNTRESS, lambda: of_huntress("comment_added", comment="Please call us.")),
        (HUNTRESS, lambda: of_huntress("closed", status="closed", updated_at="2026-10-09T09:00:00Z")),
    ],
    ids=["active", "resolved", "changed", "deleted", "created", "comment", "closed"],
)
def test_a_message_that_is_sent_again_does_nothing(
    world: World, vendor: Vendor, make: Callable[[], bytes]
) -> None:
    sealed = vendor.connect(world)
    world.do("UPDATE rmm_organization_mappings SET auto_sync = TRUE")
    sealed.send(body=a_body(vendor), secret=vendor.secret, message_id="m-0")
    body = make()
    assert sealed.send(body=body, secret=vendor.secret, message_id="m-1").status_code == 200
    before = state(world)
    for minutes in (0, 2, 4):
        later = datetime.now(UTC) + timedelta(minutes=minutes)
        answer = sealed.send(body=body, secret=vendor.secret, message_id="m-1", sent_at=later)
        assert (answer.status_code, answer.json["outcome"]) == (200, "skipped"), answer.json
    assert state(world) == before


def test_groups_are_listed_once_for_all_that_level_tells_of_them(world: World) -> None:
    sealed = LEVEL.connect(world)
    for event in ("group_created", "group_updated", "group_updated"):
        body = of_level(event, id="g1", name="Servers")
        assert sealed.send(body=body, secret=LEVEL_SECRET).status_code == 200
    assert len(queued(world, "organization_sync")) == 1
