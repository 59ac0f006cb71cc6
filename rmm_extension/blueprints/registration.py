"""A webhook that the vendor is told of by a call: how that stands, in words, and asking for it once more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from rmm_extension.domain.connection_states import sleeps, works
from rmm_extension.domain.connection_states import standing as state_words
from rmm_extension.domain.labels import provider_label
from rmm_extension.domain.registrations import RegistrationState
from rmm_extension.models import Integration, utc_now
from rmm_extension.providers.capabilities import RegistersWebhooks
from rmm_extension.providers.contract import Provider
from rmm_extension.services import connections, registration
from rmm_extension.services.registration import due
from rmm_extension.services.registration.choice import tell_of
from rmm_extension.services.registration.state import MAPPED, ORGANIZATIONS

from .abilities import needs
from .access import requires
from .context import act, actor, current_rmm, session
from .routing import Routes

routes = Routes()


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How the registration stands. ``badge`` is one of a check's states or ``running``; the sentence is
    ``message`` and the time ``at``. ``error`` is the vendor's word, ``next_at`` when it is tried again."""

    badge: str
    word: str
    message: str
    at: datetime | None = None
    error: str = ""
    next_at: datetime | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether it changes by itself any moment now."""
        return self.badge == "running"

    @property
    def is_registered(self) -> bool:
        """Whether the vendor knows everything."""
        return self.badge == "ok"


def standing(row: Integration) -> Standing:
    """How the registration of this connection stands, in words."""
    label = provider_label(row.provider)
    if not row.webhook_enabled:
        return _while_off(row, label)
    return _obstacle(row, label) or _while_on(row, label)


def registration_values(row: Integration, provider: Provider) -> Mapping[str, Any]:
    """What the webhook's page and the wizard's step show of it."""
    if not isinstance(provider, RegistersWebhooks):
        return {"registers": False}
    return {
        "registers": True,
        "standing": standing(row),
        "subscribed": provider.subscription().words,
        "told_of": registration.read(row).organizations,
        "only_mapped": row.settings.get(ORGANIZATIONS) == MAPPED,
    }


def tell_soon(integration_id: UUID) -> None:
    """Do not wait for the tick: somebody is looking."""
    due.start(current_rmm(), actor(), integration_id)


@routes.get("/connections/<uuid:integration_id>/webhook/registration")
@requires("rmm.configure")
@needs("webhook_registration")
def connection_registration(integration_id: UUID) -> ResponseReturnValue:
    """The part of the webhook's page that changes, alone."""
    row = connections.get(session(), actor().tenant_id, integration_id)
    provider = current_rmm().providers.get(row.provider)
    values = registration_values(row, provider)
    return render_template("rmm/connections/_registration.html", row=row, **values)


@routes.post("/connections/<uuid:integration_id>/webhook/register")
@requires("rmm.configure")
@needs("webhook_registration")
def connection_register(integration_id: UUID) -> ResponseReturnValue:
    """Tell the vendor once more, whatever it was told."""

    def work(opened: Session) -> str:
        registration.again(connections.get(opened, actor().tenant_id, integration_id, lock=True))
        return "The vendor is told again."

    return _change(integration_id, work)


@routes.post("/connections/<uuid:integration_id>/webhook/organizations")
@requires("rmm.configure")
@needs("webhook_registration")
def connection_told_of(integration_id: UUID) -> ResponseReturnValue:
    """Choose the organizations that the vendor tells of."""
    mapped = request.form.get("organizations") == MAPPED

    def work(opened: Session) -> str:
        tell_of(opened, actor(), integration_id, mapped=mapped)
        return f"The vendor is to tell of {'mapped organizations only' if mapped else 'all organizations'}."

    return _change(integration_id, work)


def _change(integration_id: UUID, work: Callable[[Session], str]) -> ResponseReturnValue:
    answer = act(work, back(integration_id))
    tell_soon(integration_id)
    return answer


def back(integration_id: UUID) -> str:
    """The page that the form stood on: the wizard's step, or the connection's webhook."""
    if request.form.get("back_to") == "setup":
        return url_for("rmm.setup_step", integration_id=integration_id, step="webhook")
    return url_for("rmm.connection_webhook", integration_id=integration_id)


def _while_off(row: Integration, label: str) -> Standing:
    known = registration.read(row)
    if known.scope is not None and known.state is RegistrationState.FAILED:
        message = f"Deliveries are refused here. The last try to tell {label} failed"
        return _failed(row, "Not removed yet", message)
    if known.scope is not None:
        message = f"{label} is told to send nothing any more"
        return Standing(badge="running", word="Being removed", message=message)
    if known.error:
        message = f"{label} may still have the webhook. Deliveries are refused here"
        return Standing(badge="warning", word="Left behind", message=message, error=known.error, at=known.at)
    message = f"{label} is told as soon as the webhook is switched on"
    return Standing(badge="not_checked", word="Not registered", message=message)


def _obstacle(row: Integration, label: str) -> Standing | None:
    """What keeps the vendor from being told now, and that is nobody's failure."""
    if current_rmm().settings.public_url is None:
        message = f"RMM_PUBLIC_URL is not set, so there is no address that {label} could be told"
        return Standing(badge="warning", word="Not registered", message=message)
    return None if works(row.state) else _idle(row, label)


def _idle(row: Integration, label: str) -> Standing:
    has_it = registration.read(row).scope is not None
    taken = "answered and not used" if sleeps(row.state) else "taken"
    then = f"{label} keeps the webhook: what it sends is {taken}" if has_it else f"{label} is told afterwards"
    return Standing(
        badge="not_checked",
        word="Registered" if has_it else "Not registered",
        message=f"This connection {state_words(row.state)}. {then}",
    )


def _while_on(row: Integration, label: str) -> Standing:
    known, due_at = registration.read(row), row.registration_due_at
    if known.state is RegistrationState.FAILED:
        if due_at is not None and due_at <= utc_now():
            return Standing(badge="running", word="Trying again", message=f"{label} is told once more")
        return _failed(row, "Not registered", f"The last try to tell {label} where to send failed")
    if due_at is None and known.state is RegistrationState.REGISTERED:
        message = f"{label} knows where to send; it was told"
        return Standing(badge="ok", word="Registered", message=message, at=known.told_at)
    if due_at is None and row.settings.get(ORGANIZATIONS) == MAPPED:
        message = (
            f"No organization is mapped yet, so {label} has nothing to tell. It is told with the first one"
        )
        return Standing(badge="warning", word="Not registered", message=message)
    return Standing(badge="running", word="Being registered", message=f"{label} is told where to send")


def _failed(row: Integration, word: str, message: str) -> Standing:
    known = registration.read(row)
    return Standing(
        badge="failed",
        word=word,
        message=message,
        at=known.at,
        error=known.error or "",
        next_at=row.registration_due_at,
    )
