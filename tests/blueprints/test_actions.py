"""Actions on devices from the pages: choosing, asking, following, and what is refused."""

from __future__ import annotations

import csv
import re
from html import escape, unescape
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from rmm_extension.models import new_id
from rmm_extension.testing.statements import StatementCounter
from tests.conftest import world
from tests.harness.world import World
from tests.services.working import queued, work

from .acting import COMMAND, PING, REBOOT, SCRIPT, Vendor, ask, asked_here, form, vendor
from .conftest import said
from .test_alert_actions import browser

__all__ = ["vendor", "world"]


def choose(client: FlaskClient, *ids: UUID, **more: str) -> str:
    answer = client.get("/rmm/run", query_string={"ids": ids, **more})
    assert answer.status_code == 200
    return said(answer)


class TestPermission:
    def test_who_may_not_sees_nothing_and_is_refused(self, world: World, vendor: Vendor) -> None:
        device, viewer = vendor.device(), browser(world, "viewer")
        assert "Run…" not in viewer.get(f"/rmm/devices/{device}").text
        assert "data-rmm-select" not in viewer.get("/rmm/devices").text
        for path in ("/rmm/run", f"/rmm/run/{PING}", "/rmm/actions", "/rmm/actions.csv"):
            assert viewer.get(path, query_string={"ids": device}).status_code == 403
        assert viewer.post(f"/rmm/run/{PING}", data={"ids": device, "key": "k"}).status_code == 403
        assert not vendor.invocations()

    def test_who_may_has_the_button(self, world: World, vendor: Vendor) -> None:
        device = vendor.device()
        page = browser(world).get(f"/rmm/devices/{device}").text
        for path in ("/rmm/run", *(f"/rmm/run/{action}" for action in (PING, COMMAND, REBOOT))):
            assert f'href="{path}?ids={device}&amp;back=device:{device}"' in page
        assert f"/rmm/run/{SCRIPT}" not in page, "its scripts are chosen from the library"

    @pytest.mark.parametrize(
        "change",
        [
            "UPDATE rmm_integrations SET state = 'paused'",
            "UPDATE rmm_devices SET deleted_at = now()",
        ],
    )
    def test_where_nothing_can_be_run_there_is_no_button(
        self, world: World, vendor: Vendor, change: str
    ) -> None:
        device = vendor.device()
        world.do(change)
        assert "Run…" not in browser(world).get(f"/rmm/devices/{device}").text

    def test_a_form_needs_its_token(self, world: World, vendor: Vendor) -> None:
        device, client = vendor.device(), browser(world)
        world.app.config["WTF_CSRF_ENABLED"] = True
        assert client.post(f"/rmm/run/{PING}", data={"ids": device, "key": "k"}).status_code == 400


class TestChoosing:
    def test_the_actions_for_people_and_the_library(self, world: World, vendor: Vendor) -> None:
        device = vendor.device()
        vendor.scripts()
        page = choose(browser(world), device)
        for word in ("Ping…", "Run command…", "Reboot…", "Disk Usage Report", "just now"):
            assert word in page
        assert "Get device" not in page, "what only reads is for workflows"
        assert "Old onboarding" not in page, "hidden at the vendor"

    def test_scripts_for_other_platforms_say_why_not(self, world: World, vendor: Vendor) -> None:
        device = vendor.device("linux")
        vendor.scripts()
        answer = browser(world).get("/rmm/run", query_string={"ids": device})
        assert "Not for this device, which runs Linux" in said(answer)
        assert f"script={vendor.script('Linux - list upgrades')['external_id']}" in answer.text
        assert f"script={vendor.script('Restart Print Service')['external_id']}" not in answer.text

    def test_favourites_come_first(self, world: World, vendor: Vendor) -> None:
        device = vendor.device()
        vendor.scripts()
        page = choose(browser(world), device)
        assert page.index("Disk Usage Report favourite") < page.index("Collect Event Logs")

    def test_the_search_is_by_name_and_category(self, world: World, vendor: Vendor) -> None:
        device = vendor.device()
        vendor.scripts()
        client = browser(world)
        assert "Collect Event Logs" in choose(client, device, q="diagnos")
        assert "Restart Print" not in choose(client, device, q="diagnos")
        assert "No script matches" in choose(client, device, q="nonsense")

    def test_the_library_is_listed_by_a_run_that_is_shown(self, world: World, vendor: Vendor) -> None:
        device, client = vendor.device(), browser(world)
        assert "Not listed yet." in choose(client, device)
        assert "data-rmm-poll" in client.get(f"/rmm/run?ids={device}").text
        assert len(work(world, "script_list")) == 1, "looked at twice, listed once"
        assert "Disk Usage Report" in choose(client, device)
        assert not queued(world, "script_list"), "a fresh list is left as it is"
        answer = client.post(
            f"/rmm/connections/{world.integration_id}/scripts", data={"ids": device}, follow_redirects=True
        )
        assert "The scripts are being listed." in said(answer)
        assert "Run on" in said(answer), "back where one was"

    def test_a_list_that_failed_says_so(self, world: World, vendor: Vendor) -> None:
        device = vendor.device()
        with world.unit() as session:
            world.rmm.vault.store(session, world.tenant, world.integration_id, "api_key", "Z" * 32)
        vendor.scripts()
        assert "Failed" in choose(browser(world), device)
        assert not queued(world, "script_list"), "looking again does not try again"

    def test_nothing_selected_and_a_device_that_is_not_ours(self, world: World, vendor: Vendor) -> None:
        client = browser(world)
        for address in ("/rmm/run", f"/rmm/run?ids={new_id()}", f"/rmm/run/{PING}?ids=x"):
            assert "Select the devices first." in said(client.get(address, follow_redirects=True))
        assert form(client, "tacticalrmm.agents.nonsense", vendor.device()).status_code == 404
        assert form(client, "tacticalrmm.agents.get", vendor.device(at=1)).status_code == 404

    def test_devices_of_two_connections_are_told_apart(self, world: World, vendor: Vendor) -> None:
        first = vendor.device()
        other = World(world.app).connect(name="Second", catch_all=False)
        second = other.device("agent-x", "OTHER-01")
        page = choose(browser(world), first, second)
        assert "These devices are of 2 connections" in page
        assert form(browser(world), PING, first, second).status_code == 409


class TestAsking:
    def test_a_command_from_its_form_to_its_output(self, world: World, vendor: Vendor) -> None:
        device, client = vendor.device(), browser(world)
        page = said(form(client, COMMAND, device))
        assert "anna is signed in on" in page
        assert "written to the audit under your name" in page
        answer = ask(client, COMMAND, device, in_command="whoami", in_shell="cmd", in_timeout="30")
        assert answer.status_code == 303
        waiting = client.get(answer.location)
        assert "Waiting" in said(waiting)
        assert "data-rmm-poll" in waiting.text
        vendor.work()
        done = client.get(answer.location)
        assert "data-rmm-poll" not in done.text
        assert vendor.lab.script_output.stdout.strip() in done.text
        assert 'class="rmm-copy-text"' in done.text
        assert "Command prompt (cmd)" in done.text, "inputs are named as the form names them"
        (row,) = vendor.invocations()
        assert (row["device_id"], row["state"], row["ticket_id"]) == (device, "succeeded", None)

    def test_the_shells_are_those_of_the_platform(self, world: World, vendor: Vendor) -> None:
        windows, linux, client = vendor.device(), vendor.device("linux"), browser(world)
        shells = re.compile(r'<option value="(powershell|cmd|/bin/bash)"')
        assert shells.findall(form(client, COMMAND, windows).text) == ["powershell", "cmd"]
        assert shells.findall(form(client, COMMAND, linux).text) == ["/bin/bash"]
        assert shells.findall(form(client, COMMAND, windows, linux).text) == [], "each its own, then"
        world.do("UPDATE rmm_devices SET facts = '{}'")
        assert len(shells.findall(form(client, COMMAND, windows).text)) == 3

    def test_a_script_with_its_own_time_limit(self, world: World, vendor: Vendor) -> None:
        device, client = vendor.device(), browser(world)
        vendor.scripts()
        script = vendor.script("Collect Event Logs")
        page = form(client, SCRIPT, device, script=script["external_id"])
        assert "Run “Collect Event Logs” on" in said(page)
        assert f'value="{script["default_timeout"]}"' in page.text
        answer = ask(
            client,
            SCRIPT,
            device,
            script=script["external_id"],
            in_args="-Days\r\n5\r\n",
            in_timeout="60",
            in_wait_for_output="1",
        )
        vendor.work()
        assert "Run script: Collect Event Logs" in said(client.get(answer.location))
        (row,) = vendor.invocations()
        assert row["input"]["args"] == ["-Days", "5"]
        assert row["state"] == "succeeded"

    def test_what_is_wrong_stands_at_its_field(self, world: World, vendor: Vendor) -> None:
        device, client = vendor.device(), browser(world)
        answer = ask(client, COMMAND, device, in_command="  ", in_timeout="0", key="mine")
        assert answer.status_code == 400
        assert 'href="#in_command"' in answer.text
        assert 'aria-invalid="true"' in answer.text
        assert "Give a whole number from 1 to 3,600." in said(answer)
        assert 'name="key" value="mine"' in answer.text, "mending a form is not a second wish"
        assert not vendor.invocations()

    def test_a_double_click_asks_once(self, world: World, vendor: Vendor) -> None:
        device, client = vendor.device(), browser(world)
        first = ask(client, REBOOT, device, key="same")
        second = ask(client, REBOOT, device, key="same")
        assert first.location == second.location
        assert len(vendor.invocations()) == 1
        vendor.work()
        assert said(client.get(first.location)).count("accepted the reboot") == 1

    def test_who_goes_back_and_changes_it_asks_anew(self, world: World, vendor: Vendor) -> None:
        device, client = vendor.device(), browser(world)
        first = ask(client, COMMAND, device, key="same", in_command="hostname")
        second = ask(client, COMMAND, device, key="same", in_command="whoami")
        assert first.location != second.location
        assert [row["input"]["command"] for row in vendor.invocations()] == ["hostname", "whoami"]

    def test_every_page_has_a_key_of_its_own(self, world: World, vendor: Vendor) -> None:
        device, client = vendor.device(), browser(world)
        assert ask(client, PING, device).location != ask(client, PING, device).location

    def test_a_reboot_names_device_person_and_consequence(self, world: World, vendor: Vendor) -> None:
        device = vendor.device()
        page = said(form(browser(world), REBOOT, device))
        name = world.one("SELECT name FROM rmm_devices WHERE id = :id", id=device)
        assert f"Reboot {name}" in page
        assert "Whoever works on it may lose what is not saved." in page
        assert "anna is signed in" in page

    def test_a_device_that_is_not_online_is_said_before(self, world: World, vendor: Vendor) -> None:
        device = vendor.device()
        world.do("UPDATE rmm_devices SET status = 'overdue'")
        assert "is not online as far as is known" in said(form(browser(world), REBOOT, device))

    def test_a_connection_that_was_paused_meanwhile(self, world: World, vendor: Vendor) -> None:
        device, client = vendor.device(), browser(world)
        world.do("UPDATE rmm_integrations SET state = 'paused'")
        answer = ask(client, PING, device, key="k")
        assert answer.status_code == 400
        assert "is paused" in said(answer)
        assert not vendor.invocations()

    def test_a_script_that_is_gone(self, world: World, vendor: Vendor) -> None:
        answer = form(browser(world), SCRIPT, vendor.device(), script="999")
        assert answer.status_code == 404
        assert "List the scripts anew" in said(answer)

    def test_what_is_not_there_cannot_be_called_off(self, world: World, vendor: Vendor) -> None:
        assert browser(world).post(f"/rmm/actions/{new_id()}/cancel").status_code == 404

    def test_no_field_takes_what_no_database_takes(self, world: World, vendor: Vendor) -> None:
        device, client = vendor.device(), browser(world)
        assert ask(client, PING, device, key="a\x00b").status_code == 303
        assert ask(client, PING, device, key="k", ticket="\x00").status_code == 303
        assert form(client, SCRIPT, device, script="\x003").status_code == 404

    def test_called_off_before_it_began(self, world: World, vendor: Vendor) -> None:
        client = browser(world)
        answer = ask(client, REBOOT, vendor.device())
        page = client.post(f"{answer.location}/cancel", follow_redirects=True)
        assert "Called off before it began." in said(page)
        assert "Called off" in said(page)
        vendor.work()
        assert [row["state"] for row in vendor.invocations()] == ["cancelled"]


class TestAgain:
    def test_the_form_is_filled_as_it_was(self, world: World, vendor: Vendor) -> None:
        device, client = vendor.device(), browser(world)
        answer = ask(client, COMMAND, device, in_command="ipconfig /all", in_shell="cmd", in_timeout="45")
        vendor.work()
        earlier = vendor.invocations()[0]["id"]
        assert f"again={earlier}" in client.get(answer.location).text
        page = form(client, COMMAND, device, again=earlier).text
        assert "ipconfig /all</textarea>" in page
        assert 'value="45"' in page
        assert '<option value="cmd" selected>' in page

    def test_secrets_are_typed_again(self, world: World, vendor: Vendor) -> None:
        device, client = vendor.device(), browser(world)
        vendor.scripts()
        script = vendor.script("Disk Usage Report")["external_id"]
        answer = ask(client, SCRIPT, device, script=script, in_env_vars="TOKEN=abcdef123456", in_timeout="9")
        vendor.work()
        earlier = vendor.invocations()[0]["id"]
        page = form(client, SCRIPT, device, script=script, again=earlier)
        assert "type it again" in said(page)
        for text in (page.text, client.get(answer.location).text, client.get("/rmm/actions").text):
            assert "abcdef123456" not in text


class TestFromATicket:
    def test_the_ticket_gets_the_note_and_shows_the_run(self, world: World, vendor: Vendor) -> None:
        device, client = vendor.device(), browser(world)
        external = world.one("SELECT external_id FROM rmm_devices WHERE id = :id", id=device)
        world.post(world.body(agent_id=external))
        (ticket,) = world.tickets()
        panel = client.get(f"/tickets/{ticket['id']}").text
        assert f"/rmm/run?ids={device}&amp;ticket={ticket['id']}" in panel
        page = said(form(client, PING, device, ticket=ticket["id"]))
        assert f"noted on ticket T-{ticket['number']}" in page
        answer = ask(client, PING, device, ticket=ticket["id"])
        vendor.work()
        assert f"T-{ticket['number']} , which has a note of it" in said(client.get(answer.location))
        assert "Actions from this ticket" in said(client.get(f"/tickets/{ticket['id']}"))
        assert any("Ping on" in note for note in world.notes(ticket["id"]))

    def test_a_ticket_about_something_else_is_refused(self, world: World, vendor: Vendor) -> None:
        device, client = vendor.device(), browser(world)
        other = vendor.device(at=1)
        external = world.one("SELECT external_id FROM rmm_devices WHERE id = :id", id=other)
        world.post(world.body(agent_id=external))
        (ticket,) = world.tickets()
        answer = ask(client, PING, device, ticket=ticket["id"], key="k")
        assert answer.status_code == 409
        assert "is not about this device" in said(answer)
        assert form(client, PING, device, ticket="nonsense").status_code == 404
        assert not vendor.invocations()


class TestSeveral:
    def test_each_has_an_invocation_and_the_list_shows_them(self, world: World, vendor: Vendor) -> None:
        ids, client = [vendor.device(at=at) for at in range(3)], browser(world)
        page = said(form(client, COMMAND, *ids))
        assert "It is done on 3 devices of" in page
        answer = ask(client, COMMAND, *ids, in_command="whoami", in_shell="cmd", in_timeout="9")
        assert answer.location.count(",") == 2
        vendor.work()
        ask(client, PING, ids[0])
        shown = client.get(answer.location)
        assert said(shown).count("Run command ") >= 3
        assert "3 shown" in said(shown)
        assert [row["state"] for row in vendor.invocations()][:3] == ["succeeded"] * 3

    def test_devices_a_script_is_not_made_for_are_left_out(self, world: World, vendor: Vendor) -> None:
        windows, linux, client = vendor.device(), vendor.device("linux"), browser(world)
        vendor.scripts()
        script = vendor.script("Restart Print Service")["external_id"]
        page = said(form(client, SCRIPT, windows, linux, script=script))
        assert "1 left out, because the script is not made for it" in page
        ask(client, SCRIPT, windows, linux, script=script, in_timeout="9", in_wait_for_output="1")
        assert [row["device_id"] for row in vendor.invocations()] == [windows]

    def test_one_that_is_refused_keeps_no_other_back(self, world: World, vendor: Vendor) -> None:
        ids, client = [vendor.device(at=at) for at in range(2)], browser(world)
        world.do("UPDATE rmm_devices SET deleted_at = now() WHERE id = :id", id=ids[0])
        answer = ask(client, PING, *ids)
        assert "Nothing is done on" in said(client.get(answer.location))
        assert [row["device_id"] for row in vendor.invocations()] == ids[1:]


def places(world: World, vendor: Vendor) -> tuple[UUID, dict[str, str]]:
    """A device with everything it may be acted on from: each place and its address."""
    asset = str(world.one("SELECT min(id) FROM assets WHERE tenant_id = :t", t=world.tenant))
    device = vendor.device(asset_id=asset)
    external = world.one("SELECT external_id FROM rmm_devices WHERE id = :id", id=device)
    world.post(world.body(agent_id=external))
    (ticket,), alert = world.tickets(), world.one("SELECT id FROM rmm_alerts")
    return device, {
        f"device:{device}": f"/rmm/devices/{device}",
        f"alert:{alert}": f"/rmm/alerts/{alert}",
        f"asset:{asset}": f"/assets/{asset}",
        f"ticket:{ticket['id']}": f"/tickets/{ticket['id']}",
    }


def of_ticket(place: str) -> dict[str, str]:
    """What a form from a ticket says more."""
    return {"ticket": place.removeprefix("ticket:")} if place.startswith("ticket:") else {}


class TestInPlace:
    @pytest.mark.parametrize("at", ["device", "alert", "asset", "ticket"])
    def test_the_way_leads_back_and_the_output_is_read_there(
        self, world: World, vendor: Vendor, at: str
    ) -> None:
        device, known = places(world, vendor)
        place, address = next(one for one in known.items() if one[0].startswith(at))
        client = browser(world)
        assert f"back={place}" in client.get(address).text
        answer = ask(client, COMMAND, device, back=place, in_command="whoami", **of_ticket(place))
        (row,) = vendor.invocations()
        assert answer.location == f"{address}?rmm_asked={row['id']}#rmm-asked"
        follow = f"/rmm/actions/{row['id']}/state?back={place}"
        page = client.get(answer.location)
        assert f'data-rmm-poll="{follow}"' in page.text
        assert "Look again" in asked_here(page.text), "for a browser without script"
        assert 'http-equiv="refresh"' not in page.text, "somebody may be writing on this page"
        vendor.work()
        for text in (client.get(answer.location).text, client.get(follow).text):
            assert vendor.lab.script_output.stdout.strip() in text
            assert "data-rmm-poll" not in text
        assert f'href="{escape(answer.location)}"' in client.get(address).text, (
            "and again later, from the list"
        )

    def test_called_off_where_it_was_asked_for(self, world: World, vendor: Vendor) -> None:
        device, known = places(world, vendor)
        client, (place, address) = browser(world), next(iter(known.items()))
        page = client.get(ask(client, REBOOT, device, back=place).location).text
        (row,) = vendor.invocations()
        assert f'name="back" value="{place}"' in page
        answer = client.post(f"/rmm/actions/{row['id']}/cancel", data={"back": place})
        assert answer.location == f"{address}?rmm_asked={row['id']}#rmm-asked"
        assert "Called off" in asked_here(client.get(answer.location).text)

    def test_asked_for_again_in_place(self, world: World, vendor: Vendor) -> None:
        device, known = places(world, vendor)
        client, place = browser(world), next(one for one in known if one.startswith("ticket"))
        page = client.get(ask(client, PING, device, back=place, **of_ticket(place)).location).text
        (row,) = vendor.invocations()
        again = re.search(r'href="([^"]+)" data-rmm-here>Run again', page)
        assert again is not None
        address = unescape(again[1])
        assert f"again={row['id']}" in address
        assert address.endswith(f"back={place}")
        assert client.get(address).status_code == 200

    def test_one_of_another_device_ticket_or_tenant_is_not_shown(self, world: World, vendor: Vendor) -> None:
        _, known = places(world, vendor)
        client = browser(world)
        ask(client, PING, vendor.device(at=1))
        (row,) = vendor.invocations()
        for address in known.values():
            page = client.get(f"{address}?rmm_asked={row['id']}")
            assert page.status_code == 200
            assert asked_here(page.text) == ""
        world.do("UPDATE rmm_action_invocations SET device_id = NULL, ticket_id = NULL")
        for address in known.values():
            assert asked_here(client.get(f"{address}?rmm_asked={row['id']}").text) == ""

    def test_who_may_not_reads_nothing_of_it(self, world: World, vendor: Vendor) -> None:
        device, known = places(world, vendor)
        for place in known:
            ask(browser(world), PING, device, back=place, key=place, **of_ticket(place))
        viewer = browser(world, "viewer")
        for row in vendor.invocations():
            for address in known.values():
                page = viewer.get(f"{address}?rmm_asked={row['id']}")
                assert page.status_code == 200
                assert asked_here(page.text) == ""
            assert viewer.get(f"/rmm/actions/{row['id']}/state").status_code == 403

    def test_the_actions_of_an_asset_are_those_of_all_its_devices(self, world: World, vendor: Vendor) -> None:
        device, known = places(world, vendor)
        asset = next(one for one in known if one.startswith("asset")).removeprefix("asset:")
        both, client = [device, vendor.device(at=1, asset_id=asset)], browser(world)
        for one in (*both, vendor.device(at=2)):
            ask(client, PING, one)
        names = [world.one("SELECT name FROM rmm_devices WHERE id = :id", id=one) for one in both]
        page = said(client.get(f"/rmm/actions/recent?asset={asset}&back=asset:{asset}"))
        assert page.count("Ping") == 2
        assert all(name in page for name in names), "of several devices, each is named"
        assert "2 shown" in said(client.get(f"/rmm/actions?asset={asset}"))


class TestList:
    def test_filters_and_file(self, world: World, vendor: Vendor) -> None:
        ids, client = [vendor.device(at=at) for at in range(2)], browser(world)
        ask(client, PING, ids[0])
        ask(client, REBOOT, ids[1])
        vendor.work()
        assert "2 shown" in said(client.get("/rmm/actions"))
        for query, count in {
            f"device={ids[0]}": 1,
            "state=succeeded": 1,
            "state=requested": 1,
            f"action={REBOOT}": 1,
            f"connection={world.integration_id}": 2,
            "person=nobody": 0,
        }.items():
            assert f"{count} shown" in said(client.get(f"/rmm/actions?{query}")), query
        rows = list(csv.reader(client.get(f"/rmm/actions.csv?device={ids[0]}").text.splitlines()))
        assert [row[2] for row in rows] == ["Action", "Ping"]

    def test_it_begins_empty(self, world: World, vendor: Vendor) -> None:
        assert "No actions yet" in said(browser(world).get("/rmm/actions"))

    def test_an_action_that_is_not_there(self, world: World, vendor: Vendor) -> None:
        assert browser(world).get(f"/rmm/actions/{new_id()}").status_code == 404

    def test_many_rows_cost_no_more_statements(self, world: World, vendor: Vendor) -> None:
        ids, client = [vendor.device(at=at) for at in range(8)], browser(world)
        ask(client, PING, ids[0])
        client.get("/rmm/actions")
        with StatementCounter() as few:
            client.get("/rmm/actions")
        ask(client, PING, *ids)
        with StatementCounter() as many:
            client.get("/rmm/actions")
        assert many.count == few.count


class TestDeviceList:
    def test_the_selected_are_synced(self, world: World, vendor: Vendor) -> None:
        ids, client = [vendor.device(at=at) for at in range(2)], browser(world, "admin")
        answer = client.post("/rmm/devices/refresh", data={"ids": ids, "back": "devices:status=online"})
        page = client.get(answer.location)
        assert "2 devices being synced." in said(page)
        assert "Status: Online" in said(page), "back to the list as it was narrowed"
        again = client.post("/rmm/devices/refresh", data={"ids": ids}, follow_redirects=True)
        assert "2 devices already under way." in said(again)

    def test_the_selected_are_kept(self, world: World, vendor: Vendor) -> None:
        ids, client = [vendor.device(at=at) for at in range(2)], browser(world, "admin")
        answer = client.post("/rmm/devices/keep?kept=1", data={"ids": ids}, follow_redirects=True)
        assert "2 devices kept" in said(answer)
        assert "0 devices changed" in said(
            client.post("/rmm/devices/keep?kept=1", data={"ids": ids}, follow_redirects=True)
        )
        client.post("/rmm/devices/keep?kept=0", data={"ids": ids[:1]})
        assert world.rows("SELECT id FROM rmm_devices WHERE kept") == [{"id": ids[1]}]

    def test_the_selected_are_opened_at_the_vendor(self, world: World, vendor: Vendor) -> None:
        ids, client = [vendor.device(at=at) for at in range(2)], browser(world)
        world.do("""UPDATE rmm_integrations SET settings = '{"dashboard_url": "https://rmm.example.com"}'""")
        page = client.get("/rmm/devices/open", query_string={"ids": ids}).text
        assert page.count('target="_blank" rel="noopener"') == 2

    def test_nothing_selected_is_said(self, world: World, vendor: Vendor) -> None:
        client = browser(world, "admin")
        for path in ("refresh", "keep"):
            answer = client.post(f"/rmm/devices/{path}", follow_redirects=True)
            assert "Select the devices first." in said(answer)
            assert answer.request.path == "/rmm/devices"
        assert "Select the devices first." in said(client.get("/rmm/devices/open", follow_redirects=True))

    def test_the_bar_offers_what_the_role_allows(self, world: World, vendor: Vendor) -> None:
        vendor.device()
        admin, technician = browser(world, "admin").get("/rmm/devices"), browser(world).get("/rmm/devices")
        for words in ("Sync now", "Run…", "Open in the vendor…", ">Keep<", "No longer keep"):
            assert words in admin.text
        assert ">Keep<" not in technician.text
        assert "Run…" in technician.text


def test_the_newest_actions_of_a_page_follow_themselves(world: World, vendor: Vendor) -> None:
    device, client = vendor.device(), browser(world)
    ask(client, PING, device)
    address = f"/rmm/actions/recent?device={device}"
    address += f"&back=device:{device}"
    assert f'data-rmm-poll="{escape(address)}"' in client.get(f"/rmm/devices/{device}").text
    assert "Waiting" in said(client.get(address))
    vendor.work()
    after = client.get(address)
    assert "Done" in said(after)
    assert "data-rmm-poll" not in after.text
    assert "<html" not in after.text
    assert client.get("/rmm/actions/recent").status_code == 404
    assert browser(world, "viewer").get(address).status_code == 403
