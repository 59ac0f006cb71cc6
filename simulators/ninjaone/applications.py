"""Users of the console, API applications, and what was granted to them."""

from __future__ import annotations

from dataclasses import dataclass, field

from simulators.ninjaone import keys
from simulators.ninjaone.enums import SCOPES

ADMINISTRATOR = "System Administrator"
TECHNICIAN = "Technician"


@dataclass
class User:
    """A person who signs in."""

    id: int
    email: str
    name: str
    role: str
    enabled: bool = True
    password: str = field(default=keys.PASSWORD, repr=False)


@dataclass
class Application:
    """A client application of the console's API page."""

    client_id: str
    client_secret: str = field(repr=False)
    name: str
    grants: set[str]
    scopes: set[str]
    redirect_uris: list[str] = field(default_factory=list)


@dataclass
class Code:
    """An authorization code and what it was given for."""

    client_id: str
    user_id: int
    scopes: tuple[str, ...]
    redirect_uri: str
    expires: float
    challenge: str | None = None
    used: bool = False


@dataclass
class Grant:
    """What a token stands for. `expires` is None for a refresh token without an end."""

    client_id: str
    user_id: int | None
    scopes: tuple[str, ...]
    expires: float | None
    revoked: bool = False


def default_users() -> dict[int, User]:
    """The users, by id."""
    users = [
        User(1, keys.ADMIN_USER, "Ada Admin", ADMINISTRATOR),
        User(2, keys.TECHNICIAN_USER, "Tom Technician", TECHNICIAN),
        User(3, keys.DISABLED_USER, "Gwen Gone", TECHNICIAN, enabled=False),
    ]
    return {user.id: user for user in users}


def default_applications(redirect_uris: tuple[str, ...]) -> dict[str, Application]:
    """The API applications, by client id."""
    api = set(SCOPES) - {"offline_access"}
    applications = [
        Application(
            keys.WEB_CLIENT_ID,
            keys.WEB_CLIENT_SECRET,
            "PSA (sign-in)",
            {"authorization_code", "refresh_token"},
            set(SCOPES),
            list(redirect_uris),
        ),
        Application(
            keys.MACHINE_CLIENT_ID, keys.MACHINE_CLIENT_SECRET, "PSA (services)", {"client_credentials"}, api
        ),
        Application(
            keys.READONLY_CLIENT_ID,
            keys.READONLY_CLIENT_SECRET,
            "Reporting",
            {"client_credentials"},
            {"monitoring"},
        ),
    ]
    return {one.client_id: one for one in applications}
