"""The connection test: one line for each thing that has to work, in words, changing nothing at Huntress."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rmm_extension.domain.errors import AuthFailed, ConfigError, PermissionMissing, ProviderError, RateLimited
from rmm_extension.domain.types import Check
from rmm_extension.domain.values import identifier, text
from rmm_extension.providers.huntress import features
from rmm_extension.providers.huntress.client import HuntressClient, member
from rmm_extension.providers.huntress.errors import MAKE_A_USER_KEY
from rmm_extension.providers.huntress.features import Feature
from rmm_extension.providers.no_answer import ConnectionFailed, NameNotFound, TimedOut
from rmm_extension.providers.reply import HtmlInsteadOfJson

OK, WARNING, FAILED, NOT_CHECKED = "ok", "warning", "failed", "not_checked"
FIRST, KEY_LINE = "Account and API key", "What the key may do"
_NETWORK = "Try again. If it lasts, check that a firewall lets this installation out to api.huntress.io."
_READS = (features.ORGANIZATIONS, features.AGENTS, features.INCIDENTS, features.ESCALATIONS)
_REMEDIES: tuple[tuple[type[Exception], str], ...] = (
    (NameNotFound, _NETWORK),
    (ConnectionFailed, _NETWORK),
    (TimedOut, _NETWORK),
    (HtmlInsteadOfJson, _NETWORK),
    (RateLimited, "Wait a minute, then test again."),
    (AuthFailed, "Copy key and secret again from <your subdomain>.huntress.io/account/api_credentials."),
    (PermissionMissing, "Use the account's own API key, or one of a user who may read this."),
)


def run(client: HuntressClient) -> Iterator[Check]:
    """The account first; what depends on it is not checked when that fails."""
    try:
        account = member(client.read("/v1/account"), "account")
    except ProviderError as error:
        yield failed(FIRST, error)
        for name in (KEY_LINE, *(feature.name for feature in _READS)):
            yield _skipped(name)
        return
    yield _account(account)
    yield _actor(client)
    yield from (_list(client, feature) for feature in _READS)


def failed(name: str, error: Exception) -> Check:
    """The line for an error: its own sentence, and what to do."""
    remedy = next((words for kind, words in _REMEDIES if isinstance(error, kind)), None)
    field = "api_secret" if isinstance(error, AuthFailed) else None
    return Check(name=name, state=FAILED, message=str(error), remedy=remedy, field=field)


def may_write(client: HuntressClient) -> bool:
    """Whether the key is a user's. The account's own changes nothing, a user's what the user may."""
    user = client.read("/v1/actor").decode(dict[str, Any]).get("user")
    return isinstance(user, dict) and identifier(user.get("id")) is not None


def _account(account: dict[str, Any]) -> Check:
    name = text(account.get("name")) or "without a name"
    learned = {f"account_{key}": found for key in ("name", "subdomain") if (found := text(account.get(key)))}
    if number := identifier(account.get("id")):
        learned["account_id"] = number
    message = f"Huntress answers, and the key is of the account {name}."
    if text(account.get("status")) == "disabled":
        return Check(
            name=FIRST,
            state=WARNING,
            message=f"{message} The account is disabled there.",
            remedy="Ask Huntress's support, or connect another account.",
            learned=learned,
        )
    return Check(name=FIRST, state=OK, message=message, learned=learned)


def _actor(client: HuntressClient) -> Check:
    try:
        is_writer = may_write(client)
    except (ProviderError, ConfigError) as error:
        return Check(name=KEY_LINE, state=NOT_CHECKED, message=f"That could not be found out: {error}")
    if is_writer:
        return Check(
            name=KEY_LINE,
            state=OK,
            message="The key is a user's: it may resolve incidents where the user may. Whether it may shows"
            " only when one is resolved.",
        )
    return Check(
        name=KEY_LINE,
        state=WARNING,
        message="The key only reads: incidents cannot be resolved from here, and hosts not isolated.",
        remedy=MAKE_A_USER_KEY,
    )


def _list(client: HuntressClient, feature: Feature) -> Check:
    try:
        read_one(client, feature)
    except PermissionMissing as error:
        return failed(feature.name, error) if feature is not features.ESCALATIONS else _without(error)
    except (ProviderError, ConfigError) as error:
        return failed(feature.name, error)
    return Check(name=feature.name, state=OK, message=f"{feature.name} can be read.")


def read_one(client: HuntressClient, feature: Feature) -> None:
    """Read one row of the feature's list."""
    name = feature.path.rpartition("/")[2]
    reply = client.read(feature.path, params={"limit": 1})
    if not isinstance(reply.decode(dict[str, Any]).get(name), list):
        raise reply.misshapen(f"no list - at `$.{name}`")


def _without(error: PermissionMissing) -> Check:
    return Check(
        name=features.ESCALATIONS.name,
        state=WARNING,
        message=f"{error} Incidents come without them.",
        remedy="Use the account's own API key, or one of a user who may read escalations.",
    )


def _skipped(name: str) -> Check:
    return Check(name=name, state=NOT_CHECKED, message="Not checked, because the account could not be read.")
