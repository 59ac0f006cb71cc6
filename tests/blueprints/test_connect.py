"""The connect wizard, step by step, without script."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from reference_psa.db import db
from rmm_extension.models import AlertRule, Integration, JobRun

from .conftest import World, said
from .vendor import SECRET, AcmeProvider

DETAILS = "/rmm/connect/acme/api_key"


def typed(**changes: str) -> dict[str, str]:
    """A form filled in well, with these changes."""
    values = {"name": "Acme RMM", "field_instance_url": "https://1.1.1.1", "field_api_key": SECRET}
    return {**values, "field_region": "eu", "catch_all": "y", **changes}


def send(browser: FlaskClient, **changes: str) -> TestResponse:
    """Send the form of step two."""
    return browser.post(DETAILS, data=typed(**changes))


def stored(world: World, model: type[Any]) -> list[Any]:
    """All rows of a table."""
    with world.app.app_context():
        return list(db.session.scalars(select(model)))


def test_the_sign_in_is_chosen_where_there_is_a_choice(world: World) -> None:
    browser = world.client()
    page = said(browser.get("/rmm/connect/acme"))
    assert "API key" in page
    assert "User and password" in page
    assert browser.get("/rmm/connect/single").location == "/rmm/connect/single/api_key"
    assert browser.get("/rmm/connect/acme/carrier_pigeon").status_code == 400


def test_details_show_the_vendors_side_escaped(world: World) -> None:
    page = world.client().get(DETAILS).text
    assert "Make a key in &lt;Settings&gt;." in page
    assert 'value="Acme RMM"' in page
    assert '<input checked class="form-check-input"' in page or "checked" in page


def test_connecting_leads_through_all_steps(world: World) -> None:
    browser = world.client()
    answer = browser.post(DETAILS, data=typed(field_instance_url="warning.1.1.1.1.nip.invalid"))
    assert answer.status_code == 303
    step = browser.get(answer.location)
    assert step.location.endswith("/setup/organizations")
    page = said(browser.get(step.location))
    assert "The connection was tested: 2 checks, 1 with a warning" in page
    assert "Waiting for a worker" in page
    (row,) = stored(world, Integration)
    assert (row.name, row.state, row.setup_step) == ("Acme RMM", "connected", "organizations")
    assert [rule.name for rule in stored(world, AlertRule)] == ["Every alert opens a ticket"]
    assert {(run.kind, run.status) for run in stored(world, JobRun)} == {
        ("organization_sync", "queued"),
        ("permission_check", "queued"),
    }
    assert "were tested" not in said(browser.get(step.location)), "the results are shown once"

    base = f"/rmm/connections/{row.id}/setup"
    assert browser.post(f"{base}/organizations").location.endswith("/setup")
    assert browser.get(base).location.endswith("/setup/webhook")
    assert "Switch on" in said(browser.get(f"{base}/webhook"))
    browser.post(f"{base}/webhook")
    page = said(browser.get(f"{base}/first_sync"))
    assert "No organization is mapped yet" in page
    kinds = {run.kind for run in stored(world, JobRun)}
    assert "device_sync" not in kinds, "a sync without a mapping would bring nothing"
    browser.post(f"{base}/first_sync")
    assert browser.get(base).location == f"/rmm/connections/{row.id}"


def test_the_first_sync_starts_once_something_is_mapped(world: World) -> None:
    browser = world.client()
    send(browser)
    (row,) = stored(world, Integration)
    world.organizations(row.id, ["Alpha"], client_id="one-c0")
    for _ in range(2):  # a double click
        assert browser.post(f"/rmm/connections/{row.id}/setup/webhook").status_code == 303
    runs = [run for run in stored(world, JobRun) if run.kind == "device_sync"]
    assert [run.subject for run in runs] == [{"full": True}]


def test_a_set_up_that_was_left_is_resumed(world: World) -> None:
    browser = world.client()
    send(browser)
    (row,) = stored(world, Integration)
    for path in ("settings", f"connections/{row.id}", "attention"):
        assert "Continue set-up" in said(browser.get(f"/rmm/{path}")), path


@pytest.mark.parametrize(
    "changes,expected",
    [
        ({"name": ""}, "Give the connection a name."),
        ({"field_api_key": ""}, "Fill in: API key."),
        ({"field_instance_url": ""}, "Fill in: Address."),
        ({"field_instance_url": "nonsense"}, "The address is not an address."),
        ({"field_instance_url": "https://169.254.169.254"}, "169.254.169.254, which is not a public address"),
        ({"field_instance_url": "https://127.0.0.1/x"}, "not a public address"),
        ({"field_instance_url": "http://1.1.1.1"}, "must use https://"),
        (
            {"field_instance_url": "https://refused.invalid"},
            "The key is unknown. What to do: Make a new key.",
        ),
        ({"field_instance_url": "https://unreachable.invalid"}, "Acme RMM does not answer."),
        ({"field_region": "moon"}, "Not a valid choice"),
    ],
)
def test_what_fails_stays_with_what_was_typed(world: World, changes: dict[str, str], expected: str) -> None:
    answer = send(world.client(), **changes)
    assert answer.status_code == 422
    assert expected in said(answer)
    assert SECRET not in answer.text
    values = typed(**changes)
    for name in ("name", "field_instance_url"):
        assert values[name] in answer.text
    assert stored(world, Integration) == []


def test_a_name_is_taken_once(world: World) -> None:
    browser = world.client()
    send(browser)
    asked = []
    AcmeProvider.before_check = staticmethod(lambda: asked.append(1))
    answer = send(browser, name="  Acme   RMM ")
    assert answer.status_code == 422
    assert "There is a connection named “Acme RMM” already" in said(answer)
    assert asked == [], "the vendor is not asked in vain"
    assert 'value="Acme RMM 2"' in browser.get(DETAILS).text
    assert send(browser, name="Acme RMM 2").status_code == 303


def test_no_transaction_is_open_while_the_vendor_is_asked(world: World) -> None:
    seen = []

    def look() -> None:
        seen.append(db.session().in_transaction())

    AcmeProvider.before_check = staticmethod(look)
    browser = world.client()
    send(browser)
    (row,) = stored(world, Integration)
    browser.post(f"/rmm/connections/{row.id}/test")
    browser.post(f"/rmm/connections/{row.id}/credentials", data={"field_instance_url": "https://1.1.1.1"})
    assert seen == [False, False, False]


def test_without_the_catch_all_rule(world: World) -> None:
    browser = world.client()
    values = typed()
    del values["catch_all"]
    browser.post(DETAILS, data=values)
    (row,) = stored(world, Integration)
    assert stored(world, AlertRule) == []
    assert "No rules, no tickets" in said(browser.get(f"/rmm/connections/{row.id}"))
