"""Users, API applications and tokens."""

from __future__ import annotations

from typing import Any

from simulators.ninjaone.control.blueprint import command, fields, flag, lab, query
from simulators.ninjaone.replies import missing


@query("/api/users")
def list_users() -> Any:
    """Who can sign in, with the password."""
    return [
        {
            "id": one.id,
            "email": one.email,
            "name": one.name,
            "role": one.role,
            "enabled": one.enabled,
            "password": one.password,
        }
        for one in lab().users.values()
    ]


@command("/api/users/<int:user_id>")
def set_user(user_id: int) -> Any:
    """{"enabled"?, "role"?}."""
    data = fields()
    with lab().lock:
        if user_id not in lab().users:
            raise missing("User")
        found = lab().users[user_id]
        found.enabled = flag(data.get("enabled", found.enabled))
        found.role = data.get("role", found.role)
        return {"enabled": found.enabled, "role": found.role}


@query("/api/applications")
def list_applications() -> Any:
    """The API applications with their secrets."""
    return [
        {
            "client_id": one.client_id,
            "client_secret": one.client_secret,
            "name": one.name,
            "grants": sorted(one.grants),
            "scopes": sorted(one.scopes),
            "redirect_uris": one.redirect_uris,
        }
        for one in lab().applications.values()
    ]


@command("/api/applications/<client_id>")
def set_application(client_id: str) -> Any:
    """{"redirect_uris"?, "grants"?, "scopes"?, "client_secret"?}: lists, or texts with spaces between."""
    data = fields()
    with lab().lock:
        if client_id not in lab().applications:
            raise missing("Application")
        found = lab().applications[client_id]
        found.redirect_uris = _list(data.get("redirect_uris", found.redirect_uris))
        found.grants = set(_list(data.get("grants", list(found.grants))))
        found.scopes = set(_list(data.get("scopes", list(found.scopes))))
        found.client_secret = data.get("client_secret", found.client_secret)
        return {"redirect_uris": found.redirect_uris, "scopes": sorted(found.scopes)}


def _list(given: Any) -> list[str]:
    return given.split() if isinstance(given, str) else [str(one) for one in given]


@query("/api/tokens")
def list_tokens() -> Any:
    """How many tokens live, and how often the token endpoint was called for what."""
    now = lab().clock.timestamp()
    living = [one for one in lab().tokens.values() if not one.revoked and (one.expires or 0) > now]
    return {
        "access": len(living),
        "refresh": sum(not one.revoked for one in lab().refresh_tokens.values()),
        "calls": dict(lab().token_calls),
    }


@command("/api/tokens/revoke")
def revoke_tokens() -> Any:
    """{"kind"?, "client_id"?}: end access tokens, refresh tokens or (without a kind) both."""
    data = fields()
    kinds = {"access": lab().tokens, "refresh": lab().refresh_tokens}
    ended = 0
    with lab().lock:
        for name, grants in kinds.items():
            if data.get("kind") not in (None, name):
                continue
            for grant in grants.values():
                if data.get("client_id") in (None, grant.client_id) and not grant.revoked:
                    grant.revoked = True
                    ended += 1
    return {"ended": ended}
