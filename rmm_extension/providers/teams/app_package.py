"""The app package that an administrator uploads to Teams: without it no bot is installed, nobody notified.

A zip of a manifest and two icons, by Microsoft's schema of app manifests, version 1.16.
"""

from __future__ import annotations

import zipfile
from importlib.resources import files
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import msgspec

from rmm_extension.domain.messaging import AppPackage, AppPlace
from rmm_extension.providers.teams.action_specs import CATEGORIES, CONVERSATION

VERSION = "1.0.0"
"""Of the package. Teams takes an update only with a higher one: raise it with each change of the manifest."""
SCHEMA = "https://developer.microsoft.com/json-schemas/teams/v1.16/MicrosoftTeams.schema.json"
ICONS = ("color.png", "outline.png")
"""192 pixels wide, and 32 in white on nothing, as Teams wants them."""
_WRITTEN = (2026, 1, 1, 0, 0, 0)
"""The same for every file, so that the same package has the same bytes."""
_LONGEST_NAME = 32


def build(app_id: str, place: AppPlace) -> AppPackage:
    """The package of the app ``app_id``, whose bot answers for the installation at ``place``."""
    written = BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as packed:
        _add(packed, "manifest.json", msgspec.json.format(msgspec.json.encode(manifest(app_id, place))))
        for icon in ICONS:
            _add(packed, icon, files(__package__).joinpath("icons", icon).read_bytes())
    return AppPackage("teams-app.zip", written.getvalue())


def manifest(app_id: str, place: AppPlace) -> dict[str, Any]:
    """The manifest. The app has the bot's own id, by which notifications find it."""
    domain = urlsplit(place.website).netloc
    # Teams takes addresses of https alone, whatever a trial installation is reached by.
    website = f"https://{domain}"
    return {
        "$schema": SCHEMA,
        "manifestVersion": "1.16",
        "version": VERSION,
        "id": app_id,
        "developer": {
            "name": place.organization[:_LONGEST_NAME],
            "websiteUrl": website,
            "privacyUrl": website,
            "termsOfUseUrl": website,
        },
        "name": {"short": "Service desk", "full": "Service desk notifications"},
        "description": {
            "short": "Notifications and messages of the service desk.",
            "full": "Tells you in Teams what the service desk's workflows have for you: assignments, replies"
            " of customers, requests for approval, escalations and risks for service levels.",
        },
        "icons": {"color": ICONS[0], "outline": ICONS[1]},
        "accentColor": "#0B4F8A",
        "bots": [
            {
                "botId": app_id,
                "scopes": ["personal", "team"],
                "isNotificationOnly": False,
                "supportsFiles": False,
            }
        ],
        # The conversation with the bot, by the name that notifications lead to.
        "staticTabs": [{"entityId": CONVERSATION, "scopes": ["personal"]}],
        "permissions": ["identity", "messageTeamMembers"],
        "validDomains": [domain],
        # Graph finds the app of a notification by this id; the resource is asked for and not used.
        "webApplicationInfo": {"id": app_id, "resource": f"api://{domain}/{app_id}"},
        "activities": {
            "activityTypes": [
                {"type": kind, "description": label, "templateText": f"{label}: {{title}}"}
                for kind, label in CATEGORIES.values()
            ]
        },
    }


def _add(packed: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name, _WRITTEN)
    entry.compress_type = zipfile.ZIP_DEFLATED
    packed.writestr(entry, content)
