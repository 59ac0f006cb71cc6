"""The HTTP calls of Tactical RMM 1.5.1 that we make, and its errors in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar
from urllib.parse import quote

import msgspec

from rmm_extension.domain.errors import (
    AuthFailed,
    BadResponse,
    InvalidRequest,
    NotFound,
    PermissionMissing,
    ProviderError,
    Unavailable,
)
from rmm_extension.providers.http import HttpClient
from rmm_extension.providers.reply import Reply
from rmm_extension.providers.tacticalrmm.roles import switch_of
from rmm_extension.providers.tacticalrmm.rows import BetaRows, R, beta_rows
from rmm_extension.providers.tacticalrmm.schemas import (
    AgentDetail,
    BetaSite,
    Client,
    CustomField,
    HistoryRow,
    ScriptDetail,
    ShortAgent,
)
from rmm_extension.providers.tacticalrmm.words import OF_API_KEY, Words

KEY = "tacticalrmm"
SHORTEST_AGENT_ID = 21
"""Tactical RMM 1.5.1 does not route shorter agent ids: they get its "Not Found" page."""
BETA_PAGE_BYTES = 256 * 2**20
"""A page of 250 Windows agents is about 33 MB; the administrator may ask for up to 1,000."""
_LISTING_BYTES = 192 * 2**20


class BetaOff(NotFound):
    """The beta API is not switched on at the server."""


class NoSuchPage(NotFound):
    """The page number is past the end: the fleet shrank while it was read."""


class Refused(InvalidRequest):
    """The server refuses in words of its own: ``said``."""

    def __init__(self, said: str) -> None:
        super().__init__(f"Tactical RMM refused: {said.rstrip('.')}.")
        self.said = said


class WrongHost(NotFound):
    """The address answers, but not as Tactical RMM's API."""


class TacticalClient(HttpClient):
    """One Tactical RMM server, seen as one user: by an API key, or by a session."""

    provider = KEY
    words: ClassVar[Words] = OF_API_KEY

    def clients(self) -> list[Client]:
        """All clients the user's role may see, with their sites."""
        return self.read("/clients/").decode(list[Client])

    def beta_clients(self) -> list[Client]:
        """All clients of the server: the beta API does not look at the role's scope."""
        return self.read("/beta/v1/client/").decode(list[Client])

    def beta_sites(self) -> list[BetaSite]:
        """All sites of the server."""
        pages = self.beta_pages("/beta/v1/site/", {}, 1000, BetaSite)
        return [row for page, _ in pages for row in page.rows]

    def id_map(self) -> list[ShortAgent]:
        """Both ids, name, client and site of every agent the role may see: 140 bytes each."""
        return self.read("/agents/", params={"detail": "false"}).decode(list[ShortAgent])

    def agents(self, **scope: int) -> Reply:
        """The undecoded list of agents of ``client=<pk>`` or ``site=<pk>``, never of the whole server.

        Unfiltered it took the server 5.7 GB of memory at 20,000 agents.
        """
        return self.read("/agents/", params=scope, max_body=_LISTING_BYTES)

    def beta_pages(
        self, path: str, scope: dict[str, int], size: int, kind: type[R]
    ) -> Iterator[tuple[BetaRows[R], Reply]]:
        """The pages of a beta list, by numbers of our own.

        The server builds ``next`` from the request's host, which behind a proxy may be another one. A fleet
        that shrinks meanwhile makes the last number invalid: that is the end, not an error.
        """
        number, last = 1, None
        while last is None or number <= last:
            params = {**scope, "page_size": size, "page": number}
            try:
                reply = self.read(path, params=params, max_body=BETA_PAGE_BYTES)
            except NoSuchPage:
                return
            page = beta_rows(reply, kind)
            yield page, reply
            if page.is_last:
                return
            # A list that never ends would keep us for ever: its own count bounds it, with room for growth.
            last = last or page.total // size + 5
            number += 1

    def agent(self, agent_id: str) -> tuple[AgentDetail, Reply] | None:
        """One agent now; ``None`` when the server says that there is none."""
        reply = self.read_of_agent("/agents", agent_id)
        return (reply.decode(AgentDetail), reply) if reply else None

    def read_of_agent(self, path: str, agent_id: str) -> Reply | None:
        """What stands behind ``path`` for an agent; ``None`` when the server says that there is none."""
        try:
            return self.read(f"{path}/{quote(agent_id, safe='')}/")
        except WrongHost:
            if len(agent_id) < SHORTEST_AGENT_ID:
                return None
            raise
        except NotFound:
            return None

    def alert(self, alert_id: str) -> tuple[dict[str, Any], Reply] | None:
        """One alert now; ``None`` when the server says that there is none."""
        try:
            reply = self.read(f"/alerts/{int(alert_id)}/")
        except WrongHost:
            raise
        except NotFound:
            return None
        return reply.decode(dict[str, Any]), reply

    def open_alerts(self) -> tuple[list[dict[str, Any]], Reply]:
        """All unresolved alerts. PATCH is a read here, and ``resolvedFilter: false`` means unresolved."""
        reply = self.read("/alerts/", method="PATCH", json={"resolvedFilter": False}, max_body=_LISTING_BYTES)
        return reply.decode(list[dict[str, Any]]), reply

    def scripts(self) -> list[ScriptDetail]:
        """The library, community scripts included, hidden ones not."""
        return self.read("/scripts/").decode(list[ScriptDetail])

    def script(self, script_id: int) -> ScriptDetail | None:
        """One script of the library; ``None`` when the server says that there is none."""
        try:
            return self.read(f"/scripts/{script_id}/").decode(ScriptDetail)
        except WrongHost:
            raise
        except NotFound:
            return None

    def history(self, agent_id: str) -> list[HistoryRow]:
        """What was run on the agent, as far as the server keeps it."""
        path = f"/agents/{quote(agent_id, safe='')}/history/"
        return self.read(path, max_body=_LISTING_BYTES).decode(list[HistoryRow])

    def log_out(self) -> None:
        """End the session whose token signs this request."""
        reply = self.write("POST", "/logout/")
        if reply.status != 204:
            raise BadResponse(
                f"Tactical RMM answered the log-out with status {reply.status} instead of 204.",
                provider=KEY,
                status=reply.status,
                request_id=reply.request_id,
            )

    def custom_fields(self) -> list[CustomField]:
        """The definitions of all custom fields."""
        return self.read("/core/customfields/").decode(list[CustomField])

    def explain(self, reply: Reply) -> ProviderError | None:
        """Tactical RMM's errors in words."""
        maker = _EXPLAINED.get(reply.status)
        found = maker(reply, self.words) if maker else None
        if found is None and reply.status == 400 and (said := self.refusal_text(reply)):
            found = Refused(said)
        if found is not None:
            found.provider, found.status, found.request_id = KEY, reply.status, reply.request_id
        return found

    def is_session_over(self, reply: Reply) -> bool:
        """Whether a new session would help: not where the user is locked, nor where a proxy is in the way."""
        said = detail(reply).lower() if reply.status == 401 else ""
        return "invalid token" in said or "expired" in said

    def refusal_text(self, reply: Reply) -> str:
        """The bare JSON string with which this server refuses a write, redacted."""
        try:
            return self.redact(msgspec.json.decode(reply.body, type=str))
        except msgspec.MsgspecError:
            return ""


def detail(reply: Reply) -> str:
    """The sentence of an error body, empty where it has none."""
    try:
        found = msgspec.json.decode(reply.body, type=dict[str, Any]).get("detail")
    except (msgspec.MsgspecError, RecursionError):
        return ""
    return found if isinstance(found, str) else ""


def _bad_request(reply: Reply, _: Words) -> ProviderError | None:
    if reply.is_html:
        return InvalidRequest(
            "The server refuses its own name (400 Bad Request): it is not in ALLOWED_HOSTS of Tactical"
            " RMM, or a proxy in front sends another name on."
        )
    return None


def _unauthorized(reply: Reply, words: Words) -> ProviderError:
    said = detail(reply).lower()
    if "expired" in said:
        return AuthFailed(words.expired)
    if "inactive" in said:
        return AuthFailed(words.inactive)
    if "not provided" in said:
        return AuthFailed(words.lost)
    return AuthFailed(words.unknown)


def _forbidden(reply: Reply, words: Words) -> ProviderError:
    switch = switch_of(reply.path)
    if switch is None:
        return PermissionMissing(f"{words.owner} has no permission for this in Tactical RMM.")
    return PermissionMissing(
        f"{words.owner} has no role, or its role lacks the switch {switch} in Tactical RMM."
    )


def _not_found(reply: Reply, _: Words) -> ProviderError:
    if not reply.is_html:
        if "invalid page" in detail(reply).lower():
            return NoSuchPage("The list has no such page.")
        return NotFound("Tactical RMM does not know this object: it was deleted, or the role may not see it.")
    if reply.path.startswith("/beta/"):
        return BetaOff(
            "The beta API is off: BETA_API_ENABLED = True in Tactical RMM's local_settings.py switches it on."
        )
    return WrongHost(
        "There is no Tactical RMM API at this address. Its host usually starts with “api.”, not with “rmm.”."
    )


def _server_error(reply: Reply, _: Words) -> ProviderError:
    return Unavailable(f"Tactical RMM failed inside (status {reply.status}). Its own log says why.")


_EXPLAINED = {
    400: _bad_request,
    401: _unauthorized,
    403: _forbidden,
    404: _not_found,
    500: _server_error,
}
