"""What Microsoft Teams is, and what the connection form asks for."""

from __future__ import annotations

from rmm_extension.domain.labels import provider_label
from rmm_extension.providers.contract import AuthMode, Field, Manifest
from rmm_extension.providers.teams.errors import KEY

SINGLE_TENANT, MULTI_TENANT = "single_tenant", "multi_tenant"

APP_ID = Field(
    "app_id",
    "Microsoft App ID",
    help="The Application (client) ID of the app registration, which is the bot's id, too.",
)
CLIENT_SECRET = Field(
    "client_secret",
    "Client secret",
    secret=True,
    help="The value of the secret, not its id. Microsoft Entra shows it once, when it is made.",
)
DIRECTORY_ID = Field(
    "directory_id",
    "Directory (tenant) ID",
    help="The Microsoft Entra directory that the people belong to who use Teams. Messages of any other one"
    " are refused.",
)
ACTIVITY_FEED = Field(
    "activity_feed",
    "Notifications in the activity feed",
    kind="choice",
    required=False,
    help="They need the permission TeamsActivity.Send of Microsoft Graph. Without them, people and channels"
    " are reached by messages of the bot alone.",
    default="on",
    choices=(("on", "On"), ("off", "Off")),
)
_FIELDS = (APP_ID, CLIENT_SECRET, DIRECTORY_ID, ACTIVITY_FEED)
_KEY_STEP = "Under Certificates & secrets add a client secret, and copy its value: it is shown only once."
_PERMISSION_STEP = (
    "For notifications in the activity feed: under API permissions add Microsoft Graph › Application"
    " permissions › TeamsActivity.Send, and have an administrator of the directory grant admin consent."
)
_BOT_STEP = (
    "In the Azure portal add an Azure Bot for this app registration, and switch the channel Microsoft Teams"
    " on. Its messaging endpoint is shown here once the connection is made."
)
_PACKAGE_STEP = (
    "When the connection is made, download the app package from its page, and upload it in the Teams admin"
    " centre under Teams apps › Manage apps. Then install it for people and in teams."
)

MANIFEST = Manifest(
    key=KEY,
    label=provider_label(KEY),
    description="Chat: notifications and messages to people and channels, sent by workflows.",
    auth_modes=(
        AuthMode(
            key=SINGLE_TENANT,
            label="Single-tenant bot",
            description="The app registration belongs to the directory of the people who use Teams. The way"
            " to prefer: Microsoft makes new bots so.",
            fields=_FIELDS,
            vendor_steps=(
                "In Microsoft Entra, App registrations, add an app for this organizational directory only."
                " Copy its Application (client) ID and its Directory (tenant) ID.",
                _KEY_STEP,
                _PERMISSION_STEP,
                f"{_BOT_STEP} Its type is Single Tenant.",
                _PACKAGE_STEP,
            ),
        ),
        AuthMode(
            key=MULTI_TENANT,
            label="Multi-tenant bot",
            description="A bot whose app registration is for any directory; it may belong to another one than"
            " the people who use Teams.",
            fields=_FIELDS,
            vendor_steps=(
                "In Microsoft Entra, App registrations, open the app of the bot, whose accounts are those in"
                " any organizational directory, and copy its Application (client) ID.",
                _KEY_STEP,
                _PERMISSION_STEP,
                f"{_BOT_STEP} Its type is Multi Tenant.",
                _PACKAGE_STEP,
            ),
        ),
    ),
    organization_noun="team",
    docs_url="https://learn.microsoft.com/microsoftteams/platform/bots/what-are-bots",
    makes_assets=False,
    category="communication",
    addon="teams",
)
