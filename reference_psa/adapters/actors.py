"""Who is at work, and what they may do."""

from __future__ import annotations

from flask import has_request_context
from flask_login import current_user

from reference_psa.db import db
from reference_psa.models import User
from reference_psa.roles import role_allows
from rmm_extension.host.types import Actor


class LoginActors:
    """The actor is the signed-in user."""

    def current(self) -> Actor | None:
        """The signed-in user of this request, or ``None``."""
        user = _signed_in()
        return Actor(id=user.id, name=user.name, tenant_id=user.tenant_id) if user else None


class RolePermissions:
    """Rights come with the role."""

    def allows(self, actor: Actor, permission: str) -> bool:
        """Whether the actor has the permission; the extension itself, acting alone, has all."""
        return actor.is_system or role_allows(_role(actor), permission)


def _signed_in() -> User | None:
    signed_in = has_request_context() and current_user.is_authenticated
    return current_user._get_current_object() if signed_in else None


def _role(actor: Actor) -> str:
    user = _signed_in()
    if user is None or (user.tenant_id, user.id) != (actor.tenant_id, actor.id):
        user = db.session.get(User, (actor.tenant_id, actor.id))
    return user.role if user and user.is_enabled else ""
