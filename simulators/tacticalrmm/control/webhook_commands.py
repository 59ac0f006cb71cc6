"""Where webhooks go, and sending odd ones on purpose."""

from __future__ import annotations

import json
from typing import Any

from simulators.tacticalrmm.control.blueprint import BadCommand, command, fields, lab, query
from simulators.tacticalrmm.models import Alert, UrlAction
from simulators.tacticalrmm.placeholders import Scope, agent_scope, alert_scope
from simulators.tacticalrmm.webhooks import Outcome, Outgoing, prepare, send
from simulators.tacticalrmm.wiring import SECRET_HEADER, set_webhook

SHAPES = ("minimal", "full", "broken", "not_json", "huge", "empty", "array")
HUGE = 2 * 1024 * 1024

FULL_BODY = """{
  "event": "failure",
  "alert": {"id": {{alert.id}}, "type": "{{alert.alert_type}}", "severity": "{{alert.severity}}",
    "message": "{{alert.message}}", "time": "{{alert.alert_time}}", "resolved": "{{alert.resolved}}",
    "resolved_on": "{{alert.resolved_on}}", "uid": "{{alert.uid}}"},
  "check": {"id": "{{alert.assigned_check.id}}", "desc": "{{alert.assigned_check.readable_desc}}",
    "stdout": "{{alert.get_result.stdout}}", "retcode": "{{alert.get_result.retcode}}"},
  "agent": {"pk": "{{agent.id}}", "agent_id": "{{agent.agent_id}}", "hostname": "{{agent.hostname}}",
    "serial": "{{agent.serial_number}}", "asset_tag": "{{agent.PSA Asset Tag}}"},
  "client": {"id": "{{client.id}}", "name": "{{client.name}}", "psa": "{{client.PSA Company ID}}"},
  "site": {"id": "{{site.id}}", "name": "{{site.name}}", "tier": "{{site.Support Tier}}"}
}"""


class RawText(Outgoing):
    """A request whose body is sent as it is, not as JSON."""

    @property
    def data(self) -> str:
        return str(self.body)


@query("/api/webhook")
def show_webhook() -> Any:
    """The two URL actions of the alert template."""
    failure, resolved = _action("action_rest"), _action("resolved_action_rest")
    return {
        "url": failure.pattern if failure else "",
        "resolved_url": resolved.pattern if resolved else "",
        "headers": failure.rest_headers if failure else "",
        "method": failure.rest_method if failure else "",
        "failure_body": failure.rest_body if failure else "",
        "resolved_body": resolved.rest_body if resolved else "",
    }


def _action(name: str) -> UrlAction | None:
    return lab().url_actions.get(getattr(lab().template, name) or 0)


@command("/api/webhook")
def configure_webhook() -> Any:
    """{"url", "resolved_url"?, "secret"?, "secret_header"?, "headers"?, "failure_body"?, ...}.

    Also "resolved_body"?, "method"? and "body"? ("full" for a body with every text variable).

    An empty url unhooks. `headers` and the bodies are JSON text and replace the defaults.
    """
    data = fields()
    full = data.get("body") == "full"
    with lab().lock:
        set_webhook(
            lab(),
            data.get("url", ""),
            resolved_url=data.get("resolved_url"),
            secret=data.get("secret", ""),
            secret_header=data.get("secret_header", SECRET_HEADER),
            headers=data.get("headers"),
            failure_body=data.get("failure_body", FULL_BODY if full else None),
            resolved_body=data.get(
                "resolved_body", FULL_BODY.replace("failure", "resolved", 1) if full else None
            ),
            method=data.get("method", "post"),
        )
    return {"url": data.get("url", "")}


@query("/api/webhook/log")
def webhook_log() -> Any:
    """The last 200 sendings, oldest first."""
    return list(lab().deliveries)


def _configured() -> UrlAction:
    action = _action("action_rest")
    if action is None:
        raise BadCommand("no webhook URL is set")
    return action


def _shown(outgoing: Outgoing, outcome: Outcome) -> dict[str, Any]:
    return {
        "status": outcome.retcode,
        "ms": outcome.milliseconds,
        "answer": outcome.text[:300],
        "url": outgoing.url,
    }


@command("/api/webhook/raw")
def send_raw() -> Any:
    """{"shape", "agent_id"?, "alert_id"?}: one odd request, outside of any alert's bookkeeping."""
    data = fields()
    shape = data.get("shape", "minimal")
    if shape not in SHAPES:
        raise BadCommand(f"shape is one of {', '.join(SHAPES)}")
    with lab().lock:
        outgoing = _raw(shape, data, _configured())
    outcome = send(lab(), outgoing, f"raw {shape}")
    return _shown(outgoing, outcome)


def _raw(shape: str, data: dict[str, Any], action: UrlAction) -> Outgoing:
    scope, agent_id = _scope(data)
    outgoing = prepare(action.rest_method, action.pattern, action.rest_headers, FULL_BODY, scope)
    if shape == "minimal":
        outgoing.body = {"agent_id": agent_id}
    elif shape == "broken":
        outgoing.body = (
            '{"event": "failure", "client": "Acme "West" Logistics", "agent_id": "' + agent_id + '"}'
        )
    elif shape == "array":
        outgoing.body = [{"agent_id": agent_id}]
    elif shape in ("not_json", "huge", "empty"):
        text = {"not_json": "event=failure&agent <b>", "huge": _huge(agent_id), "empty": ""}[shape]
        return RawText(outgoing.method, outgoing.url, outgoing.headers, text)
    return outgoing


def _huge(agent_id: str) -> str:
    frame = json.dumps({"event": "failure", "agent_id": agent_id, "padding": ""})
    return frame[:-2] + "x" * (HUGE - len(frame)) + frame[-2:]


def _scope(data: dict[str, Any]) -> tuple[Scope, str]:
    """Objects for the placeholders: those of an alert, else of an agent (default: the first)."""
    alert: Alert | None = lab().alerts.get(int(data.get("alert_id") or 0))
    if alert is not None and alert.agent_pk in lab().fleet.agents:
        agent = lab().fleet.agents[alert.agent_pk]
        return alert_scope(lab(), alert, agent), agent.agent_id
    agent = lab().agent(data["agent_id"]) if data.get("agent_id") else next(iter(lab().agents()))
    return agent_scope(lab(), agent), agent.agent_id


@command("/api/webhook/repeat")
def repeat_last() -> Any:
    """Send the bytes of the latest sending once more."""
    with lab().lock:
        if not lab().deliveries:
            raise BadCommand("nothing was sent yet")
        last = lab().deliveries[-1]
    outgoing = RawText(last["method"].lower(), last["url"], last["headers"], last["body"] or "")
    return _shown(outgoing, send(lab(), outgoing, "repeat", last["alert_id"]))


@command("/api/webhook/test")
def test_button() -> Any:
    """{"agent_id"}: the test button of the failure action; alert.id is the agent's own integer id."""
    with lab().lock:
        action = _configured()
        agent = lab().agent(fields()["agent_id"])
        parts = (action.rest_method, action.pattern, action.rest_headers, action.rest_body)
        outgoing = prepare(*parts, agent_scope(lab(), agent))
    outcome = send(lab(), outgoing, "test")
    return {**_shown(outgoing, outcome), "body": outgoing.data}
