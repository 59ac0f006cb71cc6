"""Incidents that are filed by their connection's routing."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import delete, select

from reference_psa.models import Board, Category, Client, Priority
from rmm_extension.domain.types import Outcome, Severity
from rmm_extension.models import AlertRule, Integration
from rmm_extension.services.alert_routing import RoutingInvalid, save_routing
from rmm_extension.services.attention import retry_due
from rmm_extension.services.catch_all import add_catch_all
from tests.harness.world import World
from tests.services.working import relay_all, work

from .incidents import REPORT, SUBJECT, incident, take, told


@pytest.fixture
def routed(world: World) -> World:
    """A connection to Huntress with its first rule and nothing chosen yet; organization 1 is mapped."""
    world.do("UPDATE rmm_integrations SET provider = 'huntress', settings = '{}'")
    with world.unit() as session:
        session.execute(delete(AlertRule))
        row = session.get_one(Integration, (world.tenant, world.integration_id))
        add_catch_all(session, world.admin, row, routed=True)
    return world


def ids(world: World, model: Any, **wanted: Any) -> list[str]:
    """Ids of the PSA's rows, in their order."""
    with world.unit() as session:
        found = select(model.id).where(model.tenant_id == world.tenant)
        for name, value in wanted.items():
            found = found.where(getattr(model, name) == value)
        order = model.position if hasattr(model, "position") else model.name
        return list(session.scalars(found.order_by(order, model.id)))


def whole(world: World) -> dict[str, Any]:
    """Everything chosen: another board than the default one, the last client for what is not mapped."""
    default, other = ids(world, Board)
    (security,) = ids(world, Category, name="Security")
    (below,) = ids(world, Category, name="Incident", parent_id=security)
    priorities = ids(world, Priority)
    return {
        "boardId": other,
        "categoryId": security,
        "subcategoryId": below,
        "priorityBySeverity": dict(zip(Severity, [*priorities, priorities[-1]], strict=True)),
        "fallbackClientId": ids(world, Client)[-1],
        "fallbackBoardId": default,
    }


def route(world: World, **changes: Any) -> None:
    with world.unit() as session:
        save_routing(world.rmm, session, world.admin, world.integration_id, changes)


def spoil(world: World, path: str) -> None:
    """A choice, at this place of the settings, that was the host's once."""
    world.do(
        """UPDATE rmm_integrations SET settings = jsonb_set(settings, CAST(:path AS text[]), '"gone"'),
        config_version = config_version + 1""",
        path=path,
    )


def tickets(world: World) -> list[dict[str, Any]]:
    return world.rows("SELECT * FROM tickets WHERE source = 'huntress' ORDER BY number")


def test_a_mapped_client_gets_what_was_chosen(routed: World) -> None:
    chosen = whole(routed)
    route(routed, **chosen)
    assert take(routed, incident(severity=Severity.MAJOR)).outcome is Outcome.TICKET_CREATED
    (ticket,) = tickets(routed)
    assert ticket["title"] == f"[Huntress] {SUBJECT}"
    assert ticket["client_id"] == routed.client_id
    found = [ticket[name] for name in ("board_id", "category_id", "subcategory_id", "priority_id")]
    priority = chosen["priorityBySeverity"]["major"]
    assert found == [chosen["boardId"], chosen["categoryId"], chosen["subcategoryId"], priority]


@pytest.mark.parametrize("organization", ["1", "99", None], ids=["unmapped", "unknown", "none"])
def test_what_is_mapped_to_nobody_goes_to_the_fallback(routed: World, organization: str | None) -> None:
    chosen = whole(routed)
    route(routed, **chosen)
    routed.do("UPDATE rmm_organization_mappings SET client_id = NULL")
    take(routed, incident(external_organization_id=organization))
    (ticket,) = tickets(routed)
    assert ticket["title"] == f"[Huntress] [Unmapped Org] {SUBJECT}"
    first, _, rest = ticket["description"].partition("\n\n")
    names = {"1": "The organization Northwind Dental Group", "99": "The organization 99"}
    whose = names.get(organization or "", "The organization of this alert")
    assert first == f"{whose} is not mapped to a client, so this ticket was made for the fallback client."
    assert rest == REPORT
    assert (ticket["client_id"], ticket["board_id"]) == (
        chosen["fallbackClientId"],
        chosen["fallbackBoardId"],
    )
    assert (ticket["category_id"], ticket["subcategory_id"], ticket["contact_id"]) == (None, None, None)
    assert ticket["priority_id"] == chosen["priorityBySeverity"]["critical"]
    assert routed.alert(7001)["client_id"] is None


def test_a_rule_of_its_own_goes_before_the_routing(routed: World) -> None:
    chosen = whole(routed)
    route(routed, **chosen)
    own = {"boardId": chosen["fallbackBoardId"], "priorityOverride": ids(routed, Priority)[-1]}
    routed.do("DELETE FROM rmm_alert_rules")
    routed.add_rule(0, useRouting=True, **own)
    take(routed, incident())
    (ticket,) = tickets(routed)
    assert (ticket["board_id"], ticket["priority_id"]) == tuple(own.values())
    assert ticket["category_id"] == chosen["categoryId"]


@pytest.mark.parametrize(
    "missing, words",
    [
        ({"boardId": None}, "no board"),
        ({"fallbackClientId": None}, "no fallback client"),
        ({"fallbackBoardId": None}, "no fallback board"),
        ({"priorityBySeverity": {"minor": None}}, "no priority for minor"),
    ],
)
def test_an_incomplete_routing_keeps_the_alert_until_it_is_whole(
    routed: World, missing: dict[str, Any], words: str
) -> None:
    chosen = whole(routed)
    route(routed, **chosen)
    route(routed, **missing)
    relay_all(routed)
    work(routed, "alert_decisions")
    assert take(routed, incident()).outcome is Outcome.RECORDED_ONLY
    assert routed.alert(7001)["attention"] == "routing_incomplete"
    assert told(routed)[-1] == {"code": "routing_incomplete", "lacks": [words]}
    with routed.app.app_context():
        assert retry_due(routed.rmm) == 0
    route(routed, **chosen)
    relay_all(routed)
    assert work(routed, "alert_decisions") == [{"decided": 1, "still_waiting": 0}]
    assert len(tickets(routed)) == 1
    assert routed.alert(7001)["attention"] is None


def test_a_severity_the_vendor_does_not_have_needs_no_priority(routed: World) -> None:
    chosen = whole(routed)
    priorities = dict(chosen["priorityBySeverity"])
    del priorities["moderate"], priorities["none"]
    route(routed, **{**chosen, "priorityBySeverity": priorities})
    assert take(routed, incident(severity=Severity.NONE)).outcome is Outcome.TICKET_CREATED
    (ticket,) = tickets(routed)
    assert ticket["priority_id"] == ids(routed, Priority, name="Low")[0]


def test_a_saved_choice_wipes_no_other(routed: World) -> None:
    chosen = whole(routed)
    for name, value in chosen.items():
        route(routed, **{name: value})
    route(routed, priorityBySeverity={"major": chosen["priorityBySeverity"]["critical"]})
    routed.do("""UPDATE rmm_integrations SET settings = settings || '{"other": 1}'""")
    route(routed, categoryId=None, subcategoryId=None)
    stored = routed.one("SELECT settings FROM rmm_integrations")
    assert stored["other"] == 1
    by_severity = {**chosen["priorityBySeverity"], "major": chosen["priorityBySeverity"]["critical"]}
    kept = {name: value for name, value in chosen.items() if "ategory" not in name}
    assert stored["routing"] == {**kept, "priorityBySeverity": by_severity}


def test_only_a_whole_routing_starts_decisions(routed: World) -> None:
    chosen = whole(routed)
    route(routed, boardId=chosen["boardId"])
    assert routed.one("SELECT count(*) FROM rmm_outbox WHERE topic = 'routing_saved'") == 0
    route(routed, **chosen)
    assert routed.one("SELECT count(*) FROM rmm_outbox WHERE topic = 'routing_saved'") == 1


@pytest.mark.parametrize(
    "change, path",
    [
        ({"boardId": "gone"}, "boardId"),
        ({"fallbackBoardId": "gone"}, "fallbackBoardId"),
        ({"fallbackClientId": "gone"}, "fallbackClientId"),
        ({"categoryId": "gone", "subcategoryId": None}, "categoryId"),
        ({"subcategoryId": "gone"}, "subcategoryId"),
        ({"categoryId": None}, "subcategoryId"),
        ({"priorityBySeverity": {"none": "gone"}}, "priorityBySeverity.none"),
        ({"boardId": 7}, "boardId"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_the_host_does_not_have_is_refused(routed: World, change: dict[str, Any], path: str) -> None:
    chosen = whole(routed)
    route(routed, **chosen)
    with pytest.raises(RoutingInvalid) as refused:
        route(routed, **change)
    assert list(refused.value.errors) == [path]
    assert routed.one("SELECT settings->'routing' FROM rmm_integrations") == chosen


def test_what_has_gone_since_is_left_out_and_told(routed: World) -> None:
    chosen = whole(routed)
    route(routed, **chosen)
    routed.do("UPDATE boards SET is_active = false WHERE id = :id", id=chosen["boardId"])
    routed.do("DELETE FROM categories WHERE id = :id", id=chosen["subcategoryId"])
    spoil(routed, "{routing,priorityBySeverity,critical}")
    take(routed, incident())
    (ticket,) = tickets(routed)
    assert ticket["board_id"] == chosen["fallbackBoardId"]  # the default one
    assert (ticket["category_id"], ticket["subcategory_id"]) == (chosen["categoryId"], None)
    assert ticket["priority_id"] == ids(routed, Priority, name="Urgent")[0]
    warned = [step["message"].split()[2] for step in told(routed) if step["code"] == "warning"]
    assert sorted(warned) == ["board", "priority", "subcategory"]


def test_a_fallback_client_that_is_gone_keeps_the_alert(routed: World) -> None:
    route(routed, **whole(routed))
    spoil(routed, "{routing,fallbackClientId}")
    assert take(routed, incident(external_organization_id="99")).outcome is Outcome.RECORDED_ONLY
    assert routed.alert(7001)["attention"] == "ticket_failed"
    assert "fallback client of the connection's routing does not exist" in told(routed)[-1]["reason"]


def test_a_rise_in_severity_takes_the_routings_priority(routed: World) -> None:
    chosen = whole(routed)
    low = ids(routed, Priority)[-1]
    route(routed, **{**chosen, "priorityBySeverity": {**chosen["priorityBySeverity"], "critical": low}})
    take(routed, incident(severity=Severity.MAJOR))
    take(routed, incident(10))
    assert tickets(routed)[0]["priority_id"] == low


def test_the_words_of_a_fallback_ticket_stay_so_when_completed(routed: World) -> None:
    route(routed, **whole(routed))
    take(routed, incident(external_organization_id="99"))
    take(routed, incident(10, external_organization_id="99", title="CRITICAL - renamed", report="More."))
    (ticket,) = tickets(routed)
    assert ticket["title"] == "[Huntress] [Unmapped Org] CRITICAL - renamed"
    assert ticket["description"].endswith("for the fallback client.\n\nMore.")


@pytest.mark.parametrize("is_mapped", [True, False])
def test_an_organization_that_wants_no_tickets_has_its_alerts_recorded(
    routed: World, is_mapped: bool
) -> None:
    route(routed, **whole(routed))
    routed.do("UPDATE rmm_organization_mappings SET auto_tickets = false")
    if not is_mapped:
        routed.do("UPDATE rmm_organization_mappings SET client_id = NULL")
    assert take(routed, incident()).outcome is Outcome.RECORDED_ONLY
    assert told(routed)[-1] == {"code": "opted_out", "organization": "Northwind Dental Group"}
    assert (tickets(routed), routed.alert(7001)["attention"]) == ([], None)


def test_without_the_port_a_ticket_has_no_category(routed: World) -> None:
    route(routed, **whole(routed))
    object.__setattr__(routed.rmm.host, "categories", None)
    take(routed, incident())
    (ticket,) = tickets(routed)
    assert (ticket["category_id"], ticket["subcategory_id"]) == (None, None)
    assert "warning" not in [step["code"] for step in told(routed)]
