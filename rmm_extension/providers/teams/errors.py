"""What the refusals of Microsoft's services mean, in words.

Bot Connector and Graph say ``{"error": {"code", "message"}}``, the token endpoint ``{"error",
"error_description"}`` as OAuth does. The codes of Bot Connector, and what to do about each, are those of
Microsoft's table of responses for bots.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from rmm_extension.domain.errors import (
    AuthFailed,
    InvalidRequest,
    NotFound,
    PermissionMissing,
    ProviderError,
    Unavailable,
)
from rmm_extension.providers.reply import Reply

KEY = "teams"


class ApplicationRefused(AuthFailed):
    """Microsoft Entra does not take the app's id and secret."""


class DirectoryUnknown(AuthFailed):
    """There is no such directory, or the app is not in it."""


class Unreachable(NotFound):
    """The bot may not write there (any more): the place is gone, or the bot was taken out of it.

    ``code`` is Microsoft's word for it; ``said`` a sentence with it.
    """

    def __init__(self, code: str, said: str) -> None:
        super().__init__(f"Microsoft Teams refuses the message: {said}")
        self.code, self.said = code, said


class TooBig(InvalidRequest):
    """The message is larger than Teams takes."""


class NotTaken(Unavailable):
    """Teams did not take the message on, and asks for it again later."""

    may_have_arrived = False


def said(reply: Reply) -> tuple[str, str]:
    """Code and sentence of an error body as they came; empty where it has none."""
    try:
        error = msgspec.json.decode(reply.body, type=dict[str, Any]).get("error")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return "", ""
    if isinstance(error, str):
        return error, reply.texts.get("error_description", "")
    if not isinstance(error, dict):
        return "", ""
    return str(error.get("code") or ""), str(error.get("message") or "")


def of_sign_in(reply: Reply, shown: str) -> ProviderError | None:
    """What a refusal of the token endpoint means; ``None`` leaves it to its status."""
    code, _ = said(reply)
    if not code or not 400 <= reply.status < 500 or reply.status == 429:
        return None
    number = next(iter(re.findall(r"AADSTS(\d+)", shown)), "")
    kind, sentence = _SIGN_IN.get(number, (ApplicationRefused, _REFUSED.format(shown=_behind(code, shown))))
    return _marked(kind(sentence), reply)


def of_connector(reply: Reply, shown: str) -> ProviderError | None:
    """What a refusal of Bot Connector means; ``None`` leaves it to its status."""
    code, _ = said(reply)
    if reply.status in (412, 503):
        return _marked(
            NotTaken(f"Microsoft Teams does not take messages now (status {reply.status})."), reply
        )
    if reply.status == 413 or code == "MessageSizeTooBig":
        return _marked(TooBig("The message is larger than Microsoft Teams takes."), reply)
    if not code:
        return None
    if reply.status == 401:
        return _marked(AuthFailed(_NOT_REGISTERED), reply)
    if code == "InvalidBotApiHost":
        return _marked(InvalidRequest(_WRONG_CLOUD), reply)
    if reply.status in (403, 404):
        return _marked(Unreachable(code, _PLACES.get(code) or _behind(code, shown)), reply)
    if reply.status in (400, 405, 415, 422):
        return _marked(InvalidRequest(f"Microsoft Teams refuses the message: {_behind(code, shown)}"), reply)
    return None


def of_graph(reply: Reply, shown: str) -> ProviderError | None:
    """What a refusal of Microsoft Graph means; ``None`` leaves it to its status."""
    code, _ = said(reply)
    if not code:
        return None
    told = _behind(code, shown)
    if reply.status == 403:
        return _marked(PermissionMissing(_MAY_NOT_NOTIFY.format(told=told)), reply)
    if reply.status == 404:
        return _marked(NotFound(_NOBODY.format(told=told)), reply)
    if reply.status == 400:
        return _marked(InvalidRequest(f"Microsoft Graph refuses the notification: {told}"), reply)
    return None


def _marked(error: ProviderError, reply: Reply) -> ProviderError:
    error.provider, error.status, error.request_id = KEY, reply.status, reply.request_id
    return error


def _behind(code: str, shown: str) -> str:
    """Code and sentence in one, with a full stop."""
    return f"{shown.rstrip('.')} ({code})." if shown else f"{code}."


_REFUSED = "Microsoft Entra does not accept the sign-in of the app: {shown}"
_WRONG_KEY = "Microsoft Entra does not accept the client secret: it is wrong. Enter its value, not its id."
_NO_APP = (
    "Microsoft Entra does not know the app in this directory: the Microsoft App ID or the Directory ID is"
    " wrong, or the bot is of the other kind (single-tenant or multi-tenant)."
)
_NO_DIRECTORY = "Microsoft Entra knows no directory with this id."
_SIGN_IN: dict[str, tuple[type[AuthFailed], str]] = {
    "7000215": (ApplicationRefused, _WRONG_KEY),
    "7000222": (ApplicationRefused, "The client secret has expired. Make a new one in Microsoft Entra."),
    "700016": (DirectoryUnknown, _NO_APP),
    "90002": (DirectoryUnknown, _NO_DIRECTORY),
    "900023": (DirectoryUnknown, _NO_DIRECTORY),
}
"""By the number of Entra's error, as its reference of AADSTS codes lists them."""
_NOT_REGISTERED = (
    "Microsoft Teams does not accept the bot's token: the Azure Bot of this Microsoft App ID was deleted, or"
    " its channel Microsoft Teams is off."
)
_WRONG_CLOUD = (
    "Microsoft Teams answers this bot at another address: the people are in a government cloud. Take the app"
    " out of Teams and install it anew, so that it tells the right one."
)
_PLACES = {
    "BotDisabledByAdmin": "an administrator of Teams has blocked the app.",
    "BotNotInConversationRoster": "the bot is not in this conversation (any more).",
    "ConversationBlockedByUser": "the person has blocked or muted the bot.",
    "ForbiddenOperationException": "the bot is not installed for this person or team.",
    "NotEnoughPermissions": "the bot may not write in this conversation.",
    "MessageWritesBlocked": "the person has blocked or removed the bot.",
    "ConversationNotFound": "the conversation does not exist (any more).",
    "ActivityNotFoundInConversation": "the message that is answered does not exist (any more).",
}
"""By the code of Bot Connector."""
_MAY_NOT_NOTIFY = (
    "Microsoft Graph does not let the app notify this person: the app lacks the permission TeamsActivity.Send"
    " with admin consent, or it is not installed for the person. It says: {told}"
)
_NOBODY = (
    "Microsoft Graph does not find this person, or the app is not installed for the person. It says: {told}"
)
