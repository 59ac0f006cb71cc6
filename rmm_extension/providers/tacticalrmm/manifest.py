"""What Tactical RMM is, and what the connection form asks for."""

from __future__ import annotations

from rmm_extension.domain.labels import provider_label
from rmm_extension.providers.contract import AuthMode, Field, Manifest
from rmm_extension.providers.tacticalrmm import remote
from rmm_extension.providers.tacticalrmm.client import KEY

INSTANCE_URL = Field(
    "instance_url",
    "API address",
    kind="url",
    help="The address of the API host, usually https://api.example.com; not the dashboard.",
)
DASHBOARD_URL = Field(
    "dashboard_url",
    "Dashboard address",
    kind="url",
    required=False,
    help="The address technicians open, usually https://rmm.example.com. Without it remote access is off.",
)
REMOTE_LINK = Field(
    "remote_link_template",
    "Form of the remote link",
    required=False,
    help="Where the button for remote access leads. The form is the one in the dashboard's source and was not"
    " tried on every version: change it if yours differs. {dashboard}/takecontrol/{agent_id} opens the remote"
    " desktop.",
    default=remote.DEFAULT_TEMPLATE,
)
SOURCE = Field(
    "source",
    "Source of devices",
    kind="choice",
    required=False,
    help="Automatic reads the standard API and adds hardware facts from the beta API where that is on.",
    default="auto",
    choices=(("auto", "Automatic"), ("standard", "Standard API only"), ("beta", "Beta API only")),
)
API_KEY = Field(
    "api_key",
    "API key",
    kind="password",
    secret=True,
    help="Made in Tactical RMM under Settings › Global Settings › API Keys, for a user of its own.",
)
RESET_MODE = Field(
    "reset_mode",
    "When a ticket is closed",
    kind="choice",
    required=False,
    help="A resolved alert opens anew while its cause lasts; a snoozed one stays as it is, silently.",
    default="resolve",
    choices=(("resolve", "Resolve the alert"), ("snooze", "Snooze the alert")),
)
SNOOZE_DAYS = Field(
    "snooze_days",
    "Days to snooze",
    kind="number",
    required=False,
    help="From 1 to 365; only for snoozing.",
    default="3",
)

SMALLEST_ROLE = (
    "can_list_clients",
    "can_list_sites",
    "can_list_agents",
    "can_list_alerts",
    "can_manage_alerts",
    "can_view_customfields",
)
"""The role switches that lists, alerts and their resolving need."""
OPTIONAL_ROLE = (
    ("software", ("can_list_software",)),
    ("scripts", ("can_list_scripts", "can_run_scripts", "can_list_agent_history")),
    ("commands", ("can_send_cmd", "can_list_agent_history")),
    ("reboots", ("can_reboot_agents",)),
)
"""Features that a role may leave out, each with its switches; output and exit codes are in the history."""
_OPTIONAL = "; ".join(f"for {feature} {', '.join(switches)}" for feature, switches in OPTIONAL_ROLE)

MANIFEST = Manifest(
    key=KEY,
    label=provider_label(KEY),
    description="Open-source remote monitoring and management that an MSP hosts itself.",
    auth_modes=(
        AuthMode(
            key="api_key",
            label="API key",
            description="A key that belongs to a user of Tactical RMM and has that user's role.",
            fields=(INSTANCE_URL, API_KEY, DASHBOARD_URL, REMOTE_LINK, SOURCE, RESET_MODE, SNOOZE_DAYS),
            vendor_steps=(
                f"In Settings › Permissions Manager add a role with: {', '.join(SMALLEST_ROLE)}. Add the"
                f" switches of what else you want: {_OPTIONAL}.",
                "In Settings › User Administration add a user with this role and block its dashboard login.",
                "In Settings › Global Settings › API Keys add a key for this user and copy it.",
                "For memory, disks and MAC addresses set BETA_API_ENABLED = True in local_settings.py.",
            ),
        ),
    ),
    editions=("community", "enterprise"),
    organization_noun="client",
    docs_url="https://docs.tacticalrmm.com/functions/api/",
)
