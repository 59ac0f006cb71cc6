"""What to say of refused credentials, by the way of signing in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """Sentences for the four bodies of a 401, and whose role lacks a switch.

    ``lost``: the server saw no credentials at all. ``unknown``: it does not know those it saw.
    """

    owner: str
    unknown: str
    expired: str
    inactive: str
    lost: str


OF_API_KEY = Words(
    owner="The API key's user",
    unknown="Tactical RMM does not know this API key: it is mistyped or was deleted.",
    expired="The API key has expired. Make a new one in Tactical RMM and enter it here.",
    inactive="The user of this API key is inactive or deleted in Tactical RMM.",
    lost="The API key did not reach Tactical RMM: a proxy in front seems to remove X-API-KEY.",
)
OF_SESSION = Words(
    owner="The user",
    unknown="Tactical RMM refuses the session that it has only just given to this user.",
    expired="Tactical RMM takes the session that it has only just given for expired: check its clock.",
    inactive="The user of this connection is inactive or deleted in Tactical RMM.",
    lost="The session did not reach Tactical RMM: a proxy in front seems to remove the header Authorization.",
)
