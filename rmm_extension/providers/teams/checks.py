"""The connection test: one line for each thing that has to work, in words, writing to nobody."""

from __future__ import annotations

from collections.abc import Iterator

from rmm_extension.domain.errors import ConfigError, ProviderError, RateLimited
from rmm_extension.domain.types import Check
from rmm_extension.providers.contract import Runtime
from rmm_extension.providers.no_answer import ConnectionFailed, NameNotFound, TimedOut
from rmm_extension.providers.reply import HtmlInsteadOfJson
from rmm_extension.providers.teams.client import open_openid
from rmm_extension.providers.teams.errors import ApplicationRefused, DirectoryUnknown
from rmm_extension.providers.teams.tokens import App, Service, Ticket, granted

OK, WARNING, FAILED, NOT_CHECKED = "ok", "warning", "failed", "not_checked"
FIRST, KEYS, FEED, BOT = (
    "Sign-in of the app",
    "Signing keys",
    "Notifications in the activity feed",
    "Azure Bot",
)
SEND = "TeamsActivity.Send"
_NETWORK = (
    "Try again. If it lasts, check that a firewall lets this installation out to login.microsoftonline.com,"
    " login.botframework.com, graph.microsoft.com and smba.trafficmanager.net."
)
_REMEDIES: tuple[tuple[type[Exception], str], ...] = (
    (NameNotFound, _NETWORK),
    (ConnectionFailed, _NETWORK),
    (TimedOut, _NETWORK),
    (HtmlInsteadOfJson, _NETWORK),
    (RateLimited, "Wait a minute, then test again."),
    (DirectoryUnknown, "Copy both ids again from the app's overview in Microsoft Entra."),
    (ApplicationRefused, "Make a new client secret in Microsoft Entra, and copy its value."),
)
_FIELDS: tuple[tuple[type[Exception], str], ...] = (
    (DirectoryUnknown, "directory_id"),
    (ApplicationRefused, "client_secret"),
)
"""The inputs that errors are about."""


def run(runtime: Runtime, app: App, *, feed: bool) -> Iterator[Check]:
    """The bot's sign-in first; what depends on it is not checked when that fails."""
    try:
        app.ask(Service.BOT)
    except (ProviderError, ConfigError) as error:
        yield failed(FIRST, error)
        yield from (_skipped(name) for name in (FEED, KEYS, BOT))
        return
    yield Check(name=FIRST, state=OK, message="Microsoft Entra gives the app a token for its bot.")
    yield _feed(app) if feed else _off()
    yield _keys(runtime)
    yield Check(
        name=BOT,
        state=NOT_CHECKED,
        message="Whether the Azure Bot sends its messages here shows when the app is installed in Teams.",
    )


def failed(name: str, error: Exception) -> Check:
    """The line for an error: its own sentence, and what to do."""
    remedy = next((words for kind, words in _REMEDIES if isinstance(error, kind)), None)
    field = next((field for kind, field in _FIELDS if isinstance(error, kind)), None)
    return Check(name=name, state=FAILED, message=str(error), remedy=remedy, field=field)


def may_notify(ticket: Ticket) -> bool | None:
    """Whether Graph's token holds the permission to notify; ``None`` where it does not tell."""
    roles = granted(ticket)
    return None if roles is None else SEND in roles


def _feed(app: App) -> Check:
    """A bot that writes messages is a connection, whatever Graph says."""
    try:
        allowed = may_notify(app.ask(Service.GRAPH))
    except (ProviderError, ConfigError) as error:
        return Check(
            name=FEED,
            state=WARNING,
            message=str(error),
            remedy="Switch them off here if you do not need them.",
        )
    if allowed is None:
        return Check(
            name=FEED, state=NOT_CHECKED, message="Microsoft's token does not tell what the app may do."
        )
    if allowed:
        return Check(name=FEED, state=OK, message=f"The app has the permission {SEND}.")
    return Check(
        name=FEED,
        state=WARNING,
        message=f"The app lacks the permission {SEND}, so nobody can be notified in the activity feed.",
        remedy=f"In Microsoft Entra, under the app's API permissions, add {SEND} as an application permission"
        " and grant admin consent; or switch the notifications off here.",
    )


def _off() -> Check:
    return Check(name=FEED, state=NOT_CHECKED, message="Not checked, because they are switched off.")


def _keys(runtime: Runtime) -> Check:
    try:
        with open_openid(runtime) as client:
            found = client.keys()
    except (ProviderError, ConfigError) as error:
        return failed(KEYS, error)
    return Check(name=KEYS, state=OK, message=f"The keys that messages are signed with: {len(found)}.")


def _skipped(name: str) -> Check:
    return Check(name=name, state=NOT_CHECKED, message="Not checked, because the sign-in failed.")
