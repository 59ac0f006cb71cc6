"""Alerts, activities and webhooks of the simulated NinjaOne."""

from __future__ import annotations

import pytest

from tests.harness.wait import until

EVERYTHING = {"CONDITION": ["*"], "SYSTEM": ["*"]}


@pytest.fixture
def hook(ninja, receiver):
    """Sets the webhook of the web application; what it got afterwards, without its devices."""

    def put(activities=None, **more):
        body = {"url": f"{receiver.url}/hook", "activities": activities or EVERYTHING} | more
        reply = ninja.call("PUT", "/v2/webhook", json=body)
        assert reply.status_code == 204
        assert reply.content == b""

    return put


def _trigger(ninja, device=1, **more):
    return ninja.control("conditions/trigger", device_id=device, **more)["uid"]


def _codes(receiver):
    return [one["statusCode"] for one in receiver.bodies]


def test_alerts_are_what_is_on(ninja):
    uid = _trigger(ninja, 1)
    other = _trigger(ninja, 40, condition="Event log")
    rows = {row["uid"]: row for row in ninja.get("/v2/alerts").json()}
    assert set(rows) == {uid, other}
    assert (rows[uid]["severity"], rows[uid]["priority"]) == ("MODERATE", "LOW")
    assert not {"severity", "priority", "organizationId"} & set(rows[other])
    assert [row["uid"] for row in ninja.get("/v2/device/40/alerts").json()] == [other]
    assert [row["uid"] for row in ninja.get("/v2/alerts?sourceType=AGENT_OFFLINE").json()] == []
    organization = ninja.lab.device(id=40).organization_id
    mine = ninja.get("/v2/alerts", params={"df": f"org = {organization}"}).json()
    assert other in [row["uid"] for row in mine]


def test_a_condition_that_goes_on_stays_one_alert(ninja):
    uid = _trigger(ninja)
    assert _trigger(ninja) == uid
    ninja.control(f"alerts/{uid}/reset")
    assert _trigger(ninja) != uid
    assert _trigger(ninja, 2, uid=uid) == uid


@pytest.mark.parametrize(
    "method, path, body, kept",
    [
        ("DELETE", "", None, {}),
        ("POST", "/reset", {"ticket": "T-1", "psa": {"id": 7}}, {"ticket": "T-1", "psa": {"id": 7}}),
        ("POST", "/reset", {}, {}),
    ],
)
def test_a_reset_leaves_an_activity_with_its_data(ninja, method, path, body, kept):
    uid = _trigger(ninja)
    reply = ninja.call(method, f"/v2/alert/{uid}{path}", json=body)
    assert (reply.status_code, reply.content) == (204, b"")
    assert ninja.get("/v2/alerts").json() == []
    (row,) = ninja.get("/v2/activities", params={"seriesUid": uid, "status": "RESET"}).json()["activities"]
    assert (row["activityType"], row["statusCode"], row["status"], row["userId"]) == (
        "CONDITION",
        "RESET",
        "Reset",
        1,
    )
    assert {key: row["data"][key] for key in kept} == kept
    assert ninja.call(method, f"/v2/alert/{uid}{path}", json=body).status_code == 404


def test_an_acknowledged_alert_stays_on(ninja):
    uid = _trigger(ninja)
    ninja.control(f"alerts/{uid}/acknowledge")
    assert len(ninja.get("/v2/alerts").json()) == 1
    newest = ninja.get("/v2/activities?pageSize=10").json()["activities"][0]
    assert (newest["statusCode"], newest["seriesUid"]) == ("ACKNOWLEDGED", uid)


def test_activities_are_newest_first_and_paged_by_ids(ninja):
    whole = ninja.get("/v2/activities", params={"pageSize": 1000}).json()
    ids = [row["id"] for row in whole["activities"]]
    assert ids == sorted(ids, reverse=True)
    assert whole["lastActivityId"] == ids[0]
    page = ninja.get("/v2/activities", params={"pageSize": 10, "olderThan": ids[9]}).json()
    assert [row["id"] for row in page["activities"]] == ids[10:20]
    assert page["lastActivityId"] == ids[0], "the newest of the tenant, whatever is asked for"
    newer = ninja.get("/v2/activities", params={"newerThan": ids[3]}).json()["activities"]
    assert [row["id"] for row in newer] == ids[:3]
    both = ninja.get("/v2/activities", params={"newerThan": ids[20], "olderThan": ids[15]}).json()[
        "activities"
    ]
    assert [row["id"] for row in both] == ids[16:20]


def test_activities_are_narrowed(ninja):
    uid = _trigger(ninja, 3)
    ninja.control("devices/3/event", code="SYSTEM_REBOOTED")

    def ids(**query):
        return [row["statusCode"] for row in ninja.get("/v2/activities", params=query).json()["activities"]]

    assert ids(type="CONDITION") == ["TRIGGERED"]
    assert ids(seriesUid=uid) == ["TRIGGERED"]
    assert ids(status="SYSTEM_REBOOTED,TRIGGERED") == ["SYSTEM_REBOOTED", "TRIGGERED"]
    assert ids(**{"class": "SYSTEM"}) == ids(**{"class": "USER"}) == []
    assert ids(after=ninja.lab.now() - 3600, before=ninja.lab.now() + 60) == ["SYSTEM_REBOOTED", "TRIGGERED"]
    assert len(ids(sourceConfigUid="ignored")) == len(ids())
    own = ninja.get("/v2/device/3/activities").json()
    assert [row["statusCode"] for row in own["activities"]] == [
        "SYSTEM_REBOOTED",
        "TRIGGERED",
        "NODE_CREATED",
    ]
    assert own["lastNodeActivityId"] == own["activities"][0]["id"] == own["lastActivityId"]


def test_a_webhook_gets_what_it_asked_for(ninja, receiver, hook):
    hook(
        {"CONDITION": ["TRIGGERED", "RESET"], "PATCH_MANAGEMENT": ["*"]},
        headers=[{"name": "X-Key", "value": "s"}],
    )
    uid = _trigger(ninja)
    ninja.control(f"alerts/{uid}/acknowledge")
    ninja.control("devices/1/event", code="PATCH_MANAGEMENT_INSTALLED", type="PATCH_MANAGEMENT")
    ninja.control("devices/1/event", code="SYSTEM_REBOOTED")
    ninja.control(f"alerts/{uid}/reset")
    ninja.deliver()
    assert _codes(receiver) == ["TRIGGERED", "PATCH_MANAGEMENT_INSTALLED", "RESET"]
    assert not any("device" in one for one in receiver.bodies)
    assert {dict(one["headers"])["X-Key"] for one in receiver.got} == {"s"}
    assert receiver.bodies[0]["seriesUid"] == receiver.bodies[2]["seriesUid"] == uid
    assert receiver.bodies[0]["id"] < receiver.bodies[2]["id"]


@pytest.mark.parametrize(
    "expand, references",
    [
        (["device"], None),
        (["device", "organization"], {"organization"}),
        (["device", "organization", "location"], {"organization", "location"}),
        (["organization"], "no device"),
    ],
)
def test_only_what_was_asked_for_is_expanded(ninja, receiver, hook, expand, references):
    hook(expand=expand)
    _trigger(ninja, 1)
    ninja.deliver()
    (sent,) = receiver.bodies
    if references == "no device":
        assert "device" not in sent
    else:
        assert set(sent["device"].get("references", {})) == (references or set())
        assert "organizationId" not in sent
        assert sent["device"]["organizationId"] == ninja.lab.device(id=1).organization_id


def test_a_webhook_can_be_kept_to_organizations(ninja, receiver, hook):
    mine = ninja.lab.device(id=1).organization_id
    other = next(one for one in ninja.lab.devices() if one.organization_id != mine)
    hook(organizationIds=[mine])
    _trigger(ninja, other.id)
    _trigger(ninja, 1)
    ninja.deliver()
    assert [one["deviceId"] for one in receiver.bodies] == [1]


def test_an_application_has_one_webhook(ninja, receiver, hook):
    hook({"SYSTEM": ["*"]})
    hook({"CONDITION": ["*"]})
    _trigger(ninja)
    ninja.control("devices/1/event", code="SYSTEM_REBOOTED")
    ninja.deliver()
    assert _codes(receiver) == ["TRIGGERED"]
    assert ninja.call("DELETE", "/v2/webhook").status_code == 204
    assert ninja.call("DELETE", "/v2/webhook").status_code == 204
    ninja.control("devices/1/event", code="SYSTEM_REBOOTED")
    assert ninja.deliver() == []


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_only_a_system_administrator_sets_webhooks(ninja, method):
    body = {"url": "http://127.0.0.1:9/", "activities": EVERYTHING}
    tokens = [ninja.token(ninja.technician), ninja.token()]
    replies = [ninja.call(method, "/v2/webhook", token, json=body) for token in tokens]
    assert [one.status_code for one in replies] == [403, 403]
    assert "Only system administrators can configure webhooks" in replies[0].text
    ninja.control("settings", machine_registers_webhooks=True)
    assert ninja.call(method, "/v2/webhook", ninja.token(), json=body).status_code == 204
    ninja.control("settings", other_psa=True)
    assert "Different PSA is already configured" in ninja.call(method, "/v2/webhook", json=body).text


@pytest.mark.parametrize(
    "body",
    [
        {"activities": EVERYTHING},
        {"url": "ftp://x", "activities": EVERYTHING},
        {"url": "http://x"},
        {"url": "http://x", "activities": {"statusCode": [], "activityType": []}},
        {"url": "http://x", "activities": {"CONDITION": "*"}},
        {"url": "http://x", "activities": EVERYTHING, "headers": {"X": "y"}},
    ],
)
def test_a_webhook_of_the_wrong_shape_is_refused(ninja, body):
    assert ninja.call("PUT", "/v2/webhook", json=body).status_code == 400


def test_webhooks_come_lost_twice_late_and_out_of_order(ninja, receiver, hook):
    hook()
    ninja.control("deliveries/lose", count=1)
    lost = _trigger(ninja, 1)
    ninja.control("deliveries/double", count=1)
    twice = _trigger(ninja, 2)
    ninja.control(f"alerts/{twice}/reset")
    assert len(ninja.ask("deliveries/waiting")) == 3
    ninja.deliver(reverse=True)
    assert [(one["seriesUid"], one["statusCode"]) for one in receiver.bodies] == [
        (twice, "RESET"),
        (twice, "TRIGGERED"),
        (twice, "TRIGGERED"),
    ]
    assert receiver.bodies[1]["id"] == receiver.bodies[2]["id"]
    assert lost in [row["uid"] for row in ninja.get("/v2/alerts").json()]
    ninja.control("deliveries/repeat")
    assert receiver.got[-1]["raw"] == receiver.got[-2]["raw"]


def test_a_webhook_that_fails_is_switched_off(ninja, receiver, hook):
    hook()
    receiver.status = 500
    ninja.control("settings", webhook_failures_allowed=2)
    for device in (1, 2, 3):
        _trigger(ninja, device)
        ninja.deliver()
    assert len(receiver.got) == 2
    assert [one["enabled"] for one in ninja.ask("webhooks")] == [False]
    said = [row["status"] for row in ninja.get("/v2/activities?type=PSA").json()["activities"]]
    assert said == ["Webhook disabled", "Webhook failed", "Webhook failed"]


def test_a_webhook_is_tried_again_when_retries_are_on(ninja, receiver, hook):
    hook()
    ninja.control("settings", webhook_retries=1)
    receiver.status = 503
    _trigger(ninja)
    ninja.deliver()
    receiver.status = 200
    ninja.deliver()
    assert [one["status"] for one in ninja.ask("deliveries")] == [503, 200]
    assert len({one["raw"] for one in receiver.got}) == 1


def test_webhooks_go_out_by_themselves(ninja, receiver, hook):
    ninja.control("settings", deliveries="thread")
    hook()
    _trigger(ninja)
    until(lambda: _codes(receiver) == ["TRIGGERED"], "the webhook")


def test_a_notification_channel_tells_conditions_without_references(ninja, receiver):
    ninja.control("channels", url=f"{receiver.url}/channel", headers={"X-Key": "s"})
    _trigger(ninja)
    ninja.control("devices/1/event", code="SYSTEM_REBOOTED")
    ninja.deliver()
    (sent,) = receiver.bodies
    assert sent["statusCode"] == "TRIGGERED"
    assert "references" not in sent["device"]


@pytest.mark.parametrize(
    "command, body, code",
    [
        ("devices", {"organization_id": 3}, "NODE_CREATED"),
        ("devices/3/delete", {}, "NODE_DELETED"),
        ("devices/3/move", {"organization_id": 3}, "NODE_UPDATED"),
        ("devices/3/approval", {"approval": "APPROVED"}, "NODE_MANUALLY_APPROVED"),
        ("devices/3/approval", {"approval": "APPROVED", "by": "automatic"}, "NODE_AUTOMATICALLY_APPROVED"),
        ("devices/3/event", {"code": "USER_LOGGED_IN"}, "USER_LOGGED_IN"),
        ("devices/1/software/install", {"name": "Tool", "version": "1"}, "SOFTWARE_ADDED"),
    ],
)
def test_what_happens_to_devices_is_told(ninja, receiver, hook, command, body, code):
    hook(expand=["device"])
    ninja.control(command, **body)
    ninja.deliver()
    (sent,) = receiver.bodies
    assert (sent["activityType"], sent["statusCode"]) == ("SYSTEM", code)
    assert sent["device"]["id"] == sent["deviceId"]


def test_the_webhook_of_a_deleted_device_can_come_without_it(ninja, receiver, hook):
    ninja.control("settings", deleted_with_device=False)
    hook(expand=["device", "organization"])
    ninja.control("devices/3/delete")
    ninja.deliver()
    (sent,) = receiver.bodies
    assert sent["deviceId"] == 3
    assert "device" not in sent


def test_alerts_vanish_and_activities_are_forgotten(ninja):
    uid = _trigger(ninja)
    newest = ninja.lab.journal.last_id
    ninja.control(f"alerts/{uid}/vanish")
    ninja.control("activities/forget")
    assert ninja.get("/v2/alerts").json() == []
    assert ninja.get("/v2/activities").json() == {"lastActivityId": newest, "activities": []}
