"""Setting up the two URL actions and the alert template, as an administrator would by hand."""

from __future__ import annotations

import json

from simulators.tacticalrmm.lab import Lab
from simulators.tacticalrmm.models import UrlAction
from simulators.tacticalrmm.webhooks import SAFE_BODY

SECRET_HEADER = "X-RMM-Webhook-Secret"


def set_webhook(
    lab: Lab,
    url: str,
    *,
    resolved_url: str | None = None,
    secret: str = "",
    secret_header: str = SECRET_HEADER,
    headers: str | None = None,
    failure_body: str | None = None,
    resolved_body: str | None = None,
    method: str = "post",
) -> None:
    """Send failures and recoveries to `url`. An empty url unhooks both.

    `headers` and the bodies are JSON text, sent as they are; without them the safe default bodies
    and a Content-Type plus the secret's header are used.
    """
    lab.url_actions.clear()
    template = lab.template
    if not url:
        template.action_type = template.resolved_action_type = "script"
        template.action_rest = template.resolved_action_rest = None
        return
    pairs = {"Content-Type": "application/json", **({secret_header: secret} if secret else {})}
    texts = (headers if headers is not None else json.dumps(pairs), method)
    template.action_rest = _add(lab, "PSA failure", url, failure_body, "failure", *texts)
    template.resolved_action_rest = _add(
        lab, "PSA resolved", resolved_url or url, resolved_body, "resolved", *texts
    )
    template.action_type = template.resolved_action_type = "rest"


def _add(lab: Lab, name: str, url: str, body: str | None, event: str, headers: str, method: str) -> int:
    action = UrlAction(lab.take_id("url_action"), name, url, lab.clock.now())
    action.rest_headers, action.rest_method = headers, method
    action.rest_body = body if body is not None else SAFE_BODY.replace("EVENT", event)
    lab.url_actions[action.id] = action
    return action.id
