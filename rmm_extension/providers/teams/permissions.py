"""What the app may do, feature by feature, by the tokens that Microsoft Entra gives it."""

from __future__ import annotations

from collections.abc import Iterator

from rmm_extension.domain.errors import AuthFailed, PermissionMissing, ProviderError
from rmm_extension.domain.types import PermissionLine
from rmm_extension.providers.permission_states import MISSING, NOT_CHECKED, OK, not_found_out
from rmm_extension.providers.teams.checks import FEED, SEND, may_notify
from rmm_extension.providers.teams.tokens import App, Service

MESSAGES, PLACES = "Messages to people and channels", "Writing in a conversation"
_BOT, _INSTALLED = "Azure Bot", "App installed in Teams"


def lines(app: App, *, feed: bool) -> Iterator[PermissionLine]:
    """The whole table. Raises ``AuthFailed`` when the app itself is refused."""
    app.ask(Service.BOT)
    yield _line(MESSAGES, _BOT, OK, "Microsoft Entra gives the app a token for its bot.")
    yield _line(
        PLACES,
        _INSTALLED,
        NOT_CHECKED,
        "The bot may write to people and in teams that the app is installed for. That shows when it writes.",
    )
    state, message = _feed(app) if feed else (NOT_CHECKED, "Switched off for this connection.")
    yield _line(FEED, SEND, state, message)


def _feed(app: App) -> tuple[str, str]:
    try:
        allowed = may_notify(app.ask(Service.GRAPH))
    except (AuthFailed, PermissionMissing) as error:
        return MISSING, str(error)
    except ProviderError as error:
        return not_found_out(error)
    if allowed is None:
        return NOT_CHECKED, "Microsoft's token does not tell what the app may do."
    if allowed:
        return OK, f"The app has {SEND}."
    return MISSING, f"The app lacks {SEND}: add it in Microsoft Entra and grant admin consent."


def _line(feature: str, switch: str, state: str, message: str) -> PermissionLine:
    return PermissionLine(feature=feature, switches=(switch,), state=state, message=message)
