"""The way to a device: the agent's page on the dashboard, where its remote tools are.

The API tells no link. The dashboard's own routes name the page ``/agents/<agent_id>`` and the remote desktop
``/takecontrol/<agent_id>`` (source of tacticalrmm-web, not tried on a running dashboard), so the form is a
setting.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from rmm_extension.domain.errors import ConfigError
from rmm_extension.domain.types import RemoteLink
from rmm_extension.providers.contract import Runtime
from rmm_extension.providers.guard import check_address
from rmm_extension.providers.tacticalrmm.address import normalize

DASHBOARD, TEMPLATE = "dashboard_url", "remote_link_template"
"""The settings behind a link."""
DEFAULT_TEMPLATE = "{dashboard}/agents/{agent_id}"

_PLACEHOLDERS = ("{dashboard}", "{agent_id}")
_NO_DASHBOARD = "The connection does not say where the dashboard of Tactical RMM is."
_BAD_DASHBOARD = "Dashboard address: enter the address technicians open, such as https://rmm.example.com."
_NOT_SAFE = (
    "Dashboard address: it must use https://; plain http:// is only for hosts whose addresses all lie in"
    " RMM_ALLOWED_NETWORKS."
)
_BAD_TEMPLATE = (
    f"Form of the remote link: begin with {{dashboard}}/ and use {{agent_id}}, as in {DEFAULT_TEMPLATE}."
    " There are no other placeholders, and no spaces."
)


def link(settings: Mapping[str, Any], external_id: str) -> RemoteLink:
    """The agent's page; raises ``ConfigError`` where the connection names no dashboard."""
    dashboard = str(settings.get(DASHBOARD) or "")
    if not dashboard:
        raise ConfigError(_NO_DASHBOARD)
    template = str(settings.get(TEMPLATE) or DEFAULT_TEMPLATE)
    url = template.replace("{agent_id}", quote(external_id, safe="")).replace("{dashboard}", dashboard)
    return RemoteLink(url=url)


def checked(settings: Mapping[str, str], runtime: Runtime) -> dict[str, str]:
    """The settings with those of a link in their one form; raises ``ConfigError`` naming the field that
    cannot be kept."""
    kept = dict(settings)
    if DASHBOARD in kept:
        kept[DASHBOARD] = _dashboard(kept[DASHBOARD], runtime)
    if TEMPLATE in kept:
        kept[TEMPLATE] = _template(kept[TEMPLATE])
    return kept


def _dashboard(typed: str, runtime: Runtime) -> str:
    if not typed.strip():
        return ""
    try:
        url = normalize(typed)
    except ConfigError:
        raise ConfigError(_BAD_DASHBOARD) from None
    if url.startswith("http://"):
        _check_open(url, runtime)
    return url


def _check_open(url: str, runtime: Runtime) -> None:
    """Plain http stays in networks the installation opened. Where https leads is no matter of ours: only
    browsers follow it, and a dashboard behind a VPN is a good one."""
    try:
        check_address(url, runtime)
    except ConfigError:
        raise ConfigError(_NOT_SAFE) from None


def _template(typed: str) -> str:
    template = typed.strip() or DEFAULT_TEMPLATE
    rest = template
    for name in _PLACEHOLDERS:
        rest = rest.replace(name, "")
    begins = template.startswith("{dashboard}/") and template.count("{dashboard}") == 1
    if not begins or "{agent_id}" not in template or re.search(r"[{}\s\x00-\x1f\\]", rest):
        raise ConfigError(_BAD_TEMPLATE)
    return template
