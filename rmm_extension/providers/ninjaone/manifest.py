"""What NinjaOne is, and what the connection form asks for."""

from __future__ import annotations

from rmm_extension.domain.labels import provider_label
from rmm_extension.providers.contract import AuthMode, Field, Manifest
from rmm_extension.providers.ninjaone import address
from rmm_extension.providers.ninjaone.errors import KEY

OAUTH, CLIENT_CREDENTIALS = "oauth", "client_credentials"

INSTANCE_URL = Field(
    "instance_url",
    "Address of NinjaOne",
    kind="url",
    help="The address that you open NinjaOne at. Choose your region, or enter your own host, such as"
    " https://msp.rmmservice.com.",
    choices=address.REGIONS,
)
CLIENT_ID = Field("client_id", "Client ID", help="NinjaOne shows it at the API application.")
CLIENT_SECRET = Field(
    "client_secret",
    "Client secret",
    secret=True,
    help="NinjaOne shows it once, when the API application is saved.",
)
ACCESS = Field(
    "access",
    "What the connection may do",
    kind="choice",
    help="NinjaOne refuses the sign-in where the API application lacks a scope for it.",
    default="all",
    choices=(
        ("all", "Everything (all three scopes)"),
        ("change", "No remote access (no Control)"),
        ("read", "Read only (Monitoring)"),
    ),
)
_FIELDS = (INSTANCE_URL, CLIENT_ID, CLIENT_SECRET, ACCESS)
_SCOPES_STEP = (
    "Tick the scopes Monitoring (reading), Management (resetting alerts, scripts, reboots, maintenance and"
    " webhooks) and Control (remote access), or fewer, as you choose what the connection may do."
)
_COPY_STEP = "Save it, and copy the client ID and the client secret: the secret is shown only once."

MANIFEST = Manifest(
    key=KEY,
    label=provider_label(KEY),
    description="Cloud platform for monitoring, patching and remote access of endpoints.",
    auth_modes=(
        AuthMode(
            key=OAUTH,
            label="Sign-in in the browser",
            description="A System Administrator signs in at NinjaOne and agrees once. Needed for"
            " webhooks, and the way to prefer.",
            fields=_FIELDS,
            vendor_steps=(
                "Sign in to NinjaOne as a System Administrator: only such a user may configure webhooks.",
                "Open Administration › Apps › API and add a client app. Its application platform is Web.",
                "Enter the redirect URI that stands below, to the letter.",
                _SCOPES_STEP,
                "Tick the grant types Authorization code and Refresh token. Without the second the sign-in"
                " lasts for an hour only.",
                _COPY_STEP,
            ),
            ends_with=("client_secret",),
            in_browser=True,
        ),
        AuthMode(
            key=CLIENT_CREDENTIALS,
            label="API application alone",
            description="Works without a person's sign-in. NinjaOne may refuse webhooks to it, and then"
            " alerts come by polling only.",
            fields=_FIELDS,
            vendor_steps=(
                "Open Administration › Apps › API and add a client app. Its application platform is API"
                " Services (machine-to-machine).",
                _SCOPES_STEP,
                "Tick the grant type Client credentials.",
                _COPY_STEP,
            ),
            ends_with=("client_secret",),
        ),
    ),
    organization_noun="organization",
    docs_url="https://app.ninjarmm.com/apidocs/",
    short_name="NINJA",
    tags_by_serial=True,
    tells_patch_numbers=True,
)
