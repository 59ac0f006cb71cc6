"""What Tactical RMM is, and what the connection form asks for."""

from __future__ import annotations

from rmm_extension.domain.labels import provider_label
from rmm_extension.providers.contract import AuthMode, Field, Manifest
from rmm_extension.providers.tacticalrmm import remote, roles
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
    secret=True,
    help="Made in Tactical RMM under Settings › Global Settings › API Keys, for a user of its own.",
)
USERNAME = Field("username", "User name", help="A user of its own, with a role that has only what is needed.")
PASSWORD = Field("password", "Password", kind="password", secret=True)
CODE = Field(
    "code",
    "Code of the two-step log-in",
    once=True,
    required=False,
    help="Only if the user has two-step log-in: the six digits that its authenticator shows now. The code is"
    " used once and not stored.",
)
TOTP_SEED = Field(
    "totp_seed",
    "TOTP seed",
    secret=True,
    required=False,
    help="Only if the user has two-step log-in: the text or otpauth:// address that comes with the QR code."
    " A session ends five hours after its last use; with the seed it is renewed by itself, without it a"
    " person must sign in with a code again.",
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

_OPTIONAL = "; ".join(f"for {feature} {', '.join(switches)}" for feature, switches in roles.OPTIONAL)
_PLAIN = (DASHBOARD_URL, REMOTE_LINK, SOURCE, RESET_MODE, SNOOZE_DAYS)
_ROLE_STEP = (
    f"In Settings › Permissions Manager add a role with: {', '.join(roles.SMALLEST)}. Add the switches of"
    f" what else you want: {_OPTIONAL}."
)
_BETA_STEP = "For memory, disks and MAC addresses set BETA_API_ENABLED = True in local_settings.py."

MANIFEST = Manifest(
    key=KEY,
    label=provider_label(KEY),
    description="Open-source remote monitoring and management that an MSP hosts itself.",
    auth_modes=(
        AuthMode(
            key="api_key",
            label="API key",
            description="A key that belongs to a user of Tactical RMM and has that user's role.",
            fields=(INSTANCE_URL, API_KEY, *_PLAIN),
            vendor_steps=(
                _ROLE_STEP,
                "In Settings › User Administration add a user with this role and block its dashboard login.",
                "In Settings › Global Settings › API Keys add a key for this user and copy it.",
                _BETA_STEP,
            ),
        ),
        AuthMode(
            key="password",
            label="User and password",
            description="A log-in as in the dashboard, renewed when its session ends. Prefer an API key: it"
            " needs no code, and is not limited to ten log-ins a minute.",
            fields=(INSTANCE_URL, USERNAME, PASSWORD, CODE, TOTP_SEED, *_PLAIN),
            vendor_steps=(
                "Prefer an API key where you can: its user can be kept out of the dashboard, it needs no code"
                " and has no limit. Log-ins are limited to ten a minute for everybody behind one address, and"
                " a stored password opens the dashboard, too.",
                _ROLE_STEP,
                "In Settings › User Administration add a user with this role. Its dashboard login must not be"
                " blocked, and it cannot sign in by SSO.",
                "If the user has two-step log-in, keep the text that is shown with the QR code: it is the"
                " TOTP seed.",
                _BETA_STEP,
            ),
        ),
    ),
    editions=("community", "enterprise"),
    organization_noun="client",
    docs_url="https://docs.tacticalrmm.com/functions/api/",
    software_platforms=("windows",),
    short_name="tactical",
)
