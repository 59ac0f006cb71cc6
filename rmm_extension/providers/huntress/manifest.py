"""What Huntress is, and what the connection form asks for."""

from __future__ import annotations

from rmm_extension.domain.labels import provider_label
from rmm_extension.providers.contract import AuthMode, Field, Manifest
from rmm_extension.providers.huntress.errors import KEY
from rmm_extension.providers.huntress.words import SEVERITIES

BASE = "https://api.huntress.io"
"""The one address of Huntress's API: it has no regions."""
API_KEY = "api_key"

MANIFEST = Manifest(
    key=KEY,
    label=provider_label(KEY),
    description="Managed detection and response: incidents that Huntress's analysts report become tickets.",
    auth_modes=(
        AuthMode(
            key=API_KEY,
            label="API key",
            description="Key and secret of an API credential. The account's own key reads; one of a user also"
            " resolves incidents and isolates hosts.",
            fields=(
                Field("api_key", "API key", secret=True, help="Huntress calls it the public key."),
                Field(
                    "api_secret",
                    "API secret key",
                    secret=True,
                    help="Huntress shows it once, when the key is generated.",
                ),
            ),
            vendor_steps=(
                "Sign in to Huntress as an administrator and open <your subdomain>.huntress.io/account/"
                "api_credentials.",
                "To resolve incidents and to isolate hosts from here, make a user-based API key of somebody"
                " who may do so. The account's own key is enough to read.",
                "Copy the key and its secret: the secret is shown only once.",
            ),
        ),
    ),
    organization_noun="organization",
    docs_url="https://api.huntress.io/docs",
    short_name="HUNTRESS",
    tags_by_serial=True,
    makes_assets=False,
    matches_by_name=True,
    lacks=("current_user", "boot_at", "needs_reboot"),
    routed_severities=tuple(SEVERITIES.values()),
)
