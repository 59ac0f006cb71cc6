"""The bots: where their activities are sent, their secrets, and what they may do."""

from __future__ import annotations

import secrets
from dataclasses import asdict
from typing import Any

from simulators.teams.control.blueprint import BadCommand, bot_of, command, fields, flag, lab, query
from simulators.teams.graph import SEND
from simulators.teams.models import Bot


@query("/api/bots")
def list_bots() -> Any:
    """The bots with their secrets."""
    return [asdict(one) for one in lab().bots.values()]


@command("/api/bots/<app_id>/endpoint")
def set_endpoint(app_id: str) -> Any:
    """{"url"}: where activities are sent; without one they are sent nowhere."""
    url = fields().get("url")
    if url and not str(url).startswith(("http://", "https://")):
        raise BadCommand("url is an address")
    with lab().lock:
        bot = bot_of({"app_id": app_id})
        bot.endpoint = str(url) if url else None
        return {"endpoint": bot.endpoint}


@command("/api/bots/<app_id>/secret")
def renew_secret(app_id: str) -> Any:
    """A new secret; the old ones are worth nothing at once, and so are the tokens."""
    with lab().lock:
        bot = bot_of({"app_id": app_id})
        bot.secrets = [f"SIM~{secrets.token_hex(16)}"]
        lab().tokens = {key: one for key, one in lab().tokens.items() if one.app_id != bot.app_id}
        return {"client_secret": bot.secrets[0]}


@command("/api/bots/<app_id>/set")
def set_bot(app_id: str) -> Any:
    """{"may_notify"?, "is_registered"?, "is_blocked"?}: consent in Graph, the Azure Bot, the app in Teams."""
    data = fields()
    with lab().lock:
        bot = bot_of({"app_id": app_id})
        if "may_notify" in data:
            bot.roles = [SEND] if flag(data["may_notify"]) else []
        for name in ("is_registered", "is_blocked"):
            if name in data:
                setattr(bot, name, flag(data[name]))
        return shown(bot)


def shown(bot: Bot) -> dict[str, Any]:
    """The bot without its secrets."""
    return {name: value for name, value in asdict(bot).items() if name != "secrets"}
