"""The app package for Teams: a manifest that Microsoft's schema takes, and icons of the sizes it wants."""

from __future__ import annotations

import json
import struct
import zipfile
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import pytest

from rmm_extension.domain.messaging import AppPlace
from rmm_extension.providers.teams import app_package
from rmm_extension.providers.teams.action_specs import CATEGORIES
from rmm_extension.providers.teams.actions import deep_link
from tests.providers.teams.accounts import connection

APP = "0a1b2c3d-0000-4000-8000-1234567890ab"
PLACE = AppPlace(
    organization="Northbeam IT Services and Consulting Partnership", website="https://psa.example.com"
)
# The longest texts that the schema allows.
LIMITS = {
    ("name", "short"): 30,
    ("name", "full"): 100,
    ("description", "short"): 80,
    ("developer", "name"): 32,
}


def opened(place: AppPlace = PLACE) -> dict[str, bytes]:
    return opened_bytes(app_package.build(APP, place).content)


def opened_bytes(content: bytes) -> dict[str, bytes]:
    """The files of a package."""
    packed = zipfile.ZipFile(BytesIO(content))
    assert packed.testzip() is None
    return {name: packed.read(name) for name in packed.namelist()}


def manifest(place: AppPlace = PLACE) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(opened(place)["manifest.json"])
    return found


def test_its_files_lie_at_the_top_as_teams_wants_them() -> None:
    assert set(opened()) == {"manifest.json", "color.png", "outline.png"}
    assert set(manifest()["icons"].values()) < set(opened())


@pytest.mark.parametrize("name, side, alpha", [("color.png", 192, False), ("outline.png", 32, True)])
def test_icons_have_their_size(name: str, side: int, alpha: bool) -> None:
    content = opened()[name]
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    width, height, depth, colour = struct.unpack(">IIBB", content[16:26])
    assert (width, height, depth) == (side, side, 8)
    assert (colour in (4, 6)) is alpha


def test_the_app_has_the_bots_id() -> None:
    found = manifest()
    assert {found["id"], found["bots"][0]["botId"], found["webApplicationInfo"]["id"]} == {APP}
    assert set(found["bots"][0]["scopes"]) == {"personal", "team"}


def test_a_notification_leads_to_a_tab_that_the_app_has() -> None:
    (tab,) = manifest()["staticTabs"]
    assert tab["scopes"] == ["personal"]
    link = urlsplit(deep_link(connection(app_id=APP), "", "Disk full"))
    assert link.path == f"/l/entity/{APP}/{tab['entityId']}"


def test_every_kind_of_notification_is_declared_and_says_its_title() -> None:
    kinds = {one["type"]: one for one in manifest()["activities"]["activityTypes"]}
    assert set(kinds) == {kind for kind, _ in CATEGORIES.values()}
    assert set(kinds) == {
        "assignmentCreated",
        "customerReplyReceived",
        "approvalRequested",
        "workEscalated",
        "slaRiskDetected",
    }
    for one in kinds.values():
        assert "{title}" in one["templateText"]
        assert max(map(len, (one["description"], one["templateText"]))) <= 128
        assert len(one["type"]) <= 32


def test_texts_keep_to_the_limits_of_the_schema() -> None:
    found = manifest()
    for (part, name), longest in LIMITS.items():
        assert 0 < len(found[part][name]) <= longest, (part, name)


@pytest.mark.parametrize(
    "website, domain",
    [("https://psa.example.com", "psa.example.com"), ("http://127.0.0.1:8000", "127.0.0.1:8000")],
)
def test_addresses_are_of_the_installation_and_of_https(website: str, domain: str) -> None:
    found = manifest(AppPlace(organization="Northbeam", website=website))
    assert found["validDomains"] == [domain]
    for name in ("websiteUrl", "privacyUrl", "termsOfUseUrl"):
        parts = urlsplit(found["developer"][name])
        assert (parts.scheme, parts.netloc) == ("https", domain)


def test_the_same_package_has_the_same_bytes() -> None:
    assert app_package.build(APP, PLACE) == app_package.build(APP, PLACE)
