"""/core/: version, dashboard settings, custom fields and URL actions."""

from __future__ import annotations

from typing import Any

from simulators.tacticalrmm import webhooks
from simulators.tacticalrmm.clock import iso
from simulators.tacticalrmm.endpoints import Action, Endpoint, body, current_user, lab
from simulators.tacticalrmm.models import CustomField, UrlAction
from simulators.tacticalrmm.placeholders import Scope, agent_scope, client_node, global_node, site_node
from simulators.tacticalrmm.replies import missing, need
from simulators.tacticalrmm.show_templates import url_action_row

APP_VERSION = "0.0.203"
TRMM_VERSION = "1.5.1"


def version() -> str:
    """Version of the web interface; any authenticated user may ask, so it proves a key."""
    return APP_VERSION


def dash_info() -> dict[str, Any]:
    """Settings of the web interface."""
    return {
        "trmm_version": TRMM_VERSION,
        "latest_trmm_ver": TRMM_VERSION,
        "dark_mode": True,
        "show_community_scripts": True,
        "dbl_click_action": "editagent",
        "default_agent_tbl_tab": "mixed",
        "url_action": None,
        "client_tree_sort": "alphafail",
        "client_tree_splitter": 20,
        "loading_bar_color": "red",
        "clear_search_when_switching": True,
        "hosted": False,
        "date_format": None,
        "default_date_format": "MMM-DD-YYYY - HH:mm",
        "token_is_expired": False,
    }


def _field_row(definition: CustomField) -> dict[str, Any]:
    created = iso(lab().template.created)
    return {
        "id": definition.id,
        "created_by": None,
        "created_time": created,
        "modified_by": None,
        "modified_time": created,
        "order": 0,
        "model": definition.model,
        "type": definition.type,
        "options": definition.options,
        "name": definition.name,
        "required": False,
        "default_value_string": None,
        "default_value_bool": False,
        "default_values_multiple": [],
        "hide_in_ui": False,
        "hide_in_summary": False,
    }


def custom_fields() -> list[dict[str, Any]]:
    """Definitions of custom fields."""
    return [_field_row(definition) for definition in lab().custom_fields]


def url_actions() -> list[dict[str, Any]]:
    """Every URL action."""
    return [url_action_row(action) for action in lab().url_actions.values()]


def create_url_action() -> str:
    """A new URL action; read its id from the list."""
    data = body()
    action = UrlAction(
        id=lab().take_id("url_action"),
        name=need(data, "name"),
        pattern=need(data, "pattern"),
        created=lab().clock.now(),
        created_by=current_user().name,
    )
    for name in ("desc", "action_type", "rest_method", "rest_body", "rest_headers"):
        setattr(action, name, data.get(name, getattr(action, name)))
    lab().url_actions[action.id] = action
    return "ok"


def run_test() -> dict[str, str]:
    """The test button. There is no alert: `{{alert.id}}` renders the agent's own integer id."""
    data = body()
    with lab().lock:
        scope = _test_scope(need(data, "run_instance_type"), data.get("run_instance_id"))
        method, headers, text = (need(data, f"rest_{name}") for name in ("method", "headers", "body"))
        outgoing = webhooks.prepare(method, need(data, "pattern"), headers, text, scope)
    outcome = webhooks.send(lab(), outgoing, "test")
    return {"url": outgoing.url, "result": outcome.text, "body": outgoing.data or ""}


def _test_scope(kind: str, instance: Any) -> Scope:
    if kind == "agent":
        return agent_scope(lab(), lab().agent(str(instance)))
    scope = {"global": global_node(lab())}
    if kind == "client":
        if int(instance) not in lab().fleet.clients:
            raise missing("Client")
        scope["client"] = client_node(lab().fleet.clients[int(instance)])
    if kind == "site":
        if int(instance) not in lab().fleet.sites:
            raise missing("Site")
        scope["site"] = site_node(lab().fleet.sites[int(instance)])
    return scope


ENDPOINTS = [
    Endpoint("/core/version/", "GET, OPTIONS", {"GET": Action(version)}),
    Endpoint("/core/dashinfo/", "GET, OPTIONS", {"GET": Action(dash_info)}),
    Endpoint(
        "/core/customfields/",
        "GET, POST, PATCH, HEAD, OPTIONS",
        {"GET": Action(custom_fields, "can_view_customfields")},
    ),
    Endpoint(
        "/core/urlaction/",
        "GET, POST, HEAD, OPTIONS",
        {
            "GET": Action(url_actions, "can_run_urlactions"),
            "POST": Action(create_url_action, "can_edit_core_settings"),
        },
    ),
    Endpoint(
        "/core/urlaction/run/test/",
        "POST, OPTIONS",
        {"POST": Action(run_test, "can_run_urlactions", locked=False)},
    ),
]
