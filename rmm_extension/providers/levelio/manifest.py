"""What Level is, and what the connection form asks for."""

from __future__ import annotations

from rmm_extension.domain.labels import provider_label
from rmm_extension.providers.contract import AuthMode, Field, Manifest
from rmm_extension.providers.levelio.errors import KEY

API_KEY = Field(
    "api_key",
    "API key",
    secret=True,
    help="Made in Level under Settings › API Keys. Enter the key alone, without the word Bearer.",
)

MANIFEST = Manifest(
    key=KEY,
    label=provider_label(KEY),
    description="Cloud platform for monitoring, patching and automation of endpoints, in groups.",
    auth_modes=(
        AuthMode(
            key="api_key",
            label="API key",
            description="A key of the account. All accounts of Level have the same address.",
            fields=(API_KEY,),
            vendor_steps=(
                "Sign in to Level as an administrator and open Settings › API Keys.",
                "Add a key for this connection alone: regenerating a key ends the old one at once, for"
                " everybody who uses it.",
                "Let it read and write, so that alerts can be resolved and automations started from here. A"
                " key that only reads is enough for everything else.",
                "Copy the key.",
            ),
        ),
    ),
    organization_noun="group",
    docs_url="https://levelapi.readme.io/",
    short_name="LEVEL",
    tags_by_serial=True,
    lacks=("agent_version", "current_user", "needs_reboot", "wan_ip"),
)
