"""Roles, users and API keys. Permission names are the Role booleans of the real server."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from simulators.tacticalrmm import keys

INTEGRATION = frozenset(
    {
        "can_list_clients",
        "can_list_sites",
        "can_list_agents",
        "can_list_alerts",
        "can_manage_alerts",
        "can_list_software",
        "can_list_scripts",
        "can_run_scripts",
        "can_send_cmd",
        "can_reboot_agents",
        "can_list_agent_history",
        "can_view_customfields",
    }
)
"""The smallest useful role of an integration key."""

WRITES = frozenset({"can_manage_alerts", "can_run_scripts", "can_send_cmd", "can_reboot_agents"})
READONLY = INTEGRATION - WRITES


@dataclass(frozen=True)
class Role:
    """A set of permissions, optionally limited to some clients (`can_view_clients`)."""

    name: str
    permissions: frozenset[str] = frozenset()
    is_superuser: bool = False
    client_ids: frozenset[int] = frozenset()

    def allows(self, permission: str) -> bool:
        """Whether the role carries the permission; a superuser role carries all."""
        return self.is_superuser or permission in self.permissions

    def sees_client(self, client_id: int) -> bool:
        """Whether the scope of the role includes the client; no scope means all of them."""
        return self.is_superuser or not self.client_ids or client_id in self.client_ids


@dataclass(frozen=True)
class User:
    """A login of the server."""

    name: str
    role: Role | None
    active: bool = True
    totp_secret: str | None = None
    block_dashboard_login: bool = False
    is_sso: bool = False
    password: str = field(default=keys.PASSWORD, repr=False)


@dataclass(frozen=True)
class ApiKey:
    """A key and the user whose role it acts with."""

    key: str
    user: User
    expires: datetime | None = None


ADMIN_ROLE = Role("admin", is_superuser=True)
INTEGRATION_ROLE = Role("integration", INTEGRATION)


def default_users() -> dict[str, User]:
    """The users that can log in with a password."""
    users = [
        User(keys.PASSWORD_USER, ADMIN_ROLE),
        User(keys.TOTP_USER, INTEGRATION_ROLE, totp_secret=keys.TOTP_SECRET),
        User(keys.BLOCKED_USER, INTEGRATION_ROLE, block_dashboard_login=True),
        User(keys.INACTIVE_USER, INTEGRATION_ROLE, active=False),
        User(keys.SSO_USER, INTEGRATION_ROLE, is_sso=True),
    ]
    return {user.name: user for user in users}


def default_api_keys(users: dict[str, User]) -> dict[str, ApiKey]:
    """The API keys, by exact key text."""
    past = datetime(2024, 1, 1, tzinfo=UTC)
    scoped = Role("scoped", INTEGRATION, client_ids=frozenset({1}))
    entries = [
        ApiKey(keys.ADMIN_KEY, users[keys.PASSWORD_USER]),
        ApiKey(keys.INTEGRATION_KEY, users[keys.BLOCKED_USER]),
        ApiKey(keys.READONLY_KEY, User("labreadonly", Role("readonly", READONLY))),
        ApiKey(keys.SCOPED_KEY, User("labscoped", scoped)),
        ApiKey(keys.NOPERM_KEY, User("labnoperm", Role("noperm"))),
        ApiKey(keys.NOROLE_KEY, User("labnorole", None)),
        ApiKey(keys.EXPIRED_KEY, users[keys.PASSWORD_USER], expires=past),
        ApiKey(keys.INACTIVE_KEY, users[keys.INACTIVE_USER]),
    ]
    return {entry.key: entry for entry in entries}
