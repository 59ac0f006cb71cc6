"""An incident's end: by a closed ticket, by its vendor, and what the vendor refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from reference_psa.models import User
from reference_psa.services import tickets as people
from rmm_extension.domain.errors import InvalidRequest, PermissionMissing
from rmm_extension.domain.types import AlertEvent, AlertKind, Channel, Connection, Receipt
from rmm_extension.providers.huntress import Huntress
from rmm_extension.services import manual
from tests.harness.world import World
from tests.services.ingest.incidents import incident, take, told
from tests.services.test_outbound import close
from tests.services.working import queued, relay_all, work

NOT_APPROVED = InvalidRequest("Approve all remediations of the incident in Huntress first.", status=409)
READ_ONLY = PermissionMissing(
    "The API key may not change this at Huntress. Make a user-based API key.", status=403
)
DONE = Receipt(accepted=True, message="Huntress closed the incident.", status=201)


@pytest.fixture
def huntress(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], list[str]]:
    """`asked = huntress(answer)`: what Huntress says to a resolution, a receipt or an error."""
    world.do("UPDATE rmm_integrations SET provider = 'huntress'")
    with world.unit() as session:
        for name in ("api_key", "api_secret"):
            world.rmm.vault.store(session, world.tenant, world.integration_id, name, "K" * 32)

    def script(answer: Any) -> list[str]:
        asked: list[str] = []

        def reset_alert(self: Huntress, connection: Connection, external_id: str) -> Receipt:
            asked.append(external_id)
            if isinstance(answer, Exception):
                raise answer
            assert isinstance(answer, Receipt)
            return answer

        monkeypatch.setattr(Huntress, "reset_alert", reset_alert)
        return asked

    return script


def ended(minutes: int = 30) -> AlertEvent:
    return incident(minutes, kind=AlertKind.RESET, vendor_status="closed")


def ticket_of(world: World) -> dict[str, Any]:
    (ticket,) = world.rows("SELECT * FROM tickets WHERE source = 'huntress'")
    return ticket


@pytest.mark.parametrize("refusal", [NOT_APPROVED, READ_ONLY], ids=["not approved", "read-only key"])
@pytest.mark.parametrize("way", ["ticket", "page"])
def test_a_refusal_is_final_and_in_words(
    world: World, huntress: Callable[[Any], list[str]], refusal: Exception, way: str
) -> None:
    asked = huntress(refusal)
    take(world, incident())
    relay_all(world)
    if way == "ticket":
        close(world, ticket_of(world)["id"])
    else:
        with world.app.app_context():
            manual.resolve(world.rmm, world.admin, [world.alert(7001)["id"]], at_vendor=True)
    for _ in range(3):
        relay_all(world)
        work(world, "alert_reset")
    assert asked == ["7001"]
    assert queued(world, "alert_reset") == []
    assert world.alert(7001)["attention"] == "reset_failed"
    said = [
        note for note in world.notes(ticket_of(world)["id"]) if "could not be reset at the vendor" in note
    ]
    assert [str(refusal) in note for note in said] == [True]
    assert str(refusal) in told(world)[-1]["message"]


@pytest.mark.parametrize("channel", [Channel.WEBHOOK, Channel.POLL])
def test_the_echo_of_our_resolution_changes_nothing(
    world: World, huntress: Callable[[Any], list[str]], channel: Channel
) -> None:
    asked = huntress(DONE)
    take(world, incident())
    close(world, ticket_of(world)["id"])
    relay_all(world)
    work(world, "alert_reset")
    alert, ticket = world.alert(7001), ticket_of(world)
    notes = world.notes(ticket["id"])
    assert alert["status"] == "resolved"
    assert take(world, ended(), channel).reason == "already_resolved"
    relay_all(world)
    assert work(world, "alert_reset") == []
    assert (asked, world.notes(ticket["id"]), ticket_of(world)) == (["7001"], notes, ticket)
    assert world.alert(7001)["status"] == "resolved"


def test_an_incident_that_ends_closes_a_ticket_nobody_touched(
    world: World, huntress: Callable[[Any], list[str]]
) -> None:
    take(world, incident())
    take(world, incident(5, vendor_status="auto_remediating"))
    take(world, incident(6, note="Done.", note_id="msg_1"))
    take(world, ended())
    assert ticket_of(world)["closed_at"] is not None
    assert world.alert(7001)["status"] == "auto_resolved"


def test_an_incident_that_ends_leaves_a_touched_ticket_open(
    world: World, huntress: Callable[[Any], list[str]]
) -> None:
    take(world, incident())
    with world.unit() as session:
        person = session.query(User).filter_by(tenant_id=world.tenant, role="admin").first()
        assert person is not None
        people.add_comment(session, person, ticket_of(world)["id"], "Mine.", is_internal=True)
    take(world, ended())
    assert ticket_of(world)["closed_at"] is None
    last = world.notes(ticket_of(world)["id"])[-1]
    assert "Huntress: sent → closed." in last
    assert "The ticket stays open:" in last
