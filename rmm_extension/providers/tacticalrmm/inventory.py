"""Walking the fleet of Tactical RMM 1.5.1 in bounded pages.

The standard lists (``/agents/?client=``, unpaged, with status and serial numbers) decide which devices there
are; the paged beta list only adds hardware facts. Its pages can lose a row when the fleet shrinks under
them, so it never decides that a device is gone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, NamedTuple

from rmm_extension.domain.errors import BadResponse, NotFound, PermissionMissing, ProviderError, Unavailable
from rmm_extension.domain.types import Device, DevicePage, Organization
from rmm_extension.providers.tacticalrmm.client import BetaOff, TacticalClient
from rmm_extension.providers.tacticalrmm.hardware import Extra, extra_of
from rmm_extension.providers.tacticalrmm.mapping import device_from_agent, device_from_beta
from rmm_extension.providers.tacticalrmm.rows import agent_rows
from rmm_extension.providers.tacticalrmm.schemas import Agent, Client, HardwareRow

PAGE = 1000
"""Most devices in one page."""
PATIENCE = 3.0
"""Seconds after which a page goes out though it is not full: a slow server's sync shows how far it is."""
_BETA_AGENTS = "/beta/v1/agent/"
_NO_CLIENT = "The client with id {} does not exist at the server, or the user's role may not see it."
LARGE_CLIENT = 2000
"""A client with more agents is read site by site, to keep a single answer small."""


@dataclass(frozen=True, slots=True)
class Options:
    """Settings of a connection that steer the walk."""

    source: str = "auto"
    beta_page_size: int = 250

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Options:
        """From a connection's settings; values out of range fall back."""
        source = str(settings.get("source") or "auto")
        try:
            size = int(settings.get("beta_page_size") or 250)
        except (TypeError, ValueError):
            size = 250
        return cls(source if source in ("auto", "beta", "standard") else "auto", min(max(size, 25), 1000))


class Pages:
    """Gathers devices of several organizations into pages, so that small ones cost no page each.

    What waited for :data:`PATIENCE` goes out all the same: it is then written, counted and not lost to a
    worker's end.
    """

    def __init__(self, total: int | None, elsewhere: Iterable[str] = ()) -> None:
        self.total = total
        self.elsewhere = tuple(elsewhere)
        self.devices: list[Device] = []
        self.errors: list[str] = []
        self.completed: list[str] = []
        self._sent_at = monotonic()

    def due(self) -> Iterator[DevicePage]:
        """The pages that are full now, and the rest too where the last page is long ago."""
        if monotonic() - self._sent_at >= PATIENCE:
            return self.rest()
        return self.full()

    def full(self) -> Iterator[DevicePage]:
        """The pages that are full now."""
        while len(self.devices) >= PAGE:
            rest = self.devices[PAGE:]
            del self.devices[PAGE:]
            completed = () if rest else self.completed
            yield self._page(tuple(completed))
            self.devices = rest

    def rest(self) -> Iterator[DevicePage]:
        """What is left, if anything."""
        yield from self.full()
        if self.devices or self.errors or self.completed:
            yield self._page(tuple(self.completed))

    def _page(self, completed: tuple[str, ...]) -> DevicePage:
        page = DevicePage(
            devices=tuple(self.devices),
            errors=tuple(self.errors),
            completed_organizations=completed,
            elsewhere=self.elsewhere,
            total=self.total,
        )
        self.devices, self.errors, self.elsewhere = [], [], ()
        self._sent_at = monotonic()
        if completed:
            self.completed = []
        return page


class Batch(NamedTuple):
    """Some devices of one client; ``errors`` make its listing incomplete, ``notes`` do not."""

    devices: list[Device]
    errors: list[str]
    notes: list[str]


class HardwareReader:
    """Reads the heavy beta list; gives up for the rest of the run when the server cannot give it."""

    def __init__(self, client: TacticalClient, page_size: int, *, wanted: bool) -> None:
        self.client = client
        self.page_size = page_size
        self.wanted = wanted
        self.notes: list[str] = []

    def pages(self, scope: Mapping[str, int]) -> Iterator[dict[str, Extra]]:
        """Hardware by agent id, page by page; ``notes`` say why none comes any more.

        Without the beta API there is simply none.
        """
        if not self.wanted:
            return
        filters = {"client_id" if key == "client" else key: value for key, value in scope.items()}
        try:
            for page, _ in self.client.beta_pages(_BETA_AGENTS, filters, self.page_size, HardwareRow):
                yield {row.agent_id: extra_of(row) for row in page.rows}
        except BetaOff:
            self.wanted = False
        except (Unavailable, BadResponse, PermissionMissing) as error:
            self.wanted = False
            self.notes.append(f"Hardware facts are left out from here on. {error}")

    def told(self) -> list[str]:
        """The notes since the last call."""
        notes, self.notes = self.notes, []
        return notes


class Walk:
    """One run over the devices of some clients."""

    def __init__(self, client: TacticalClient, options: Options, *, full: bool) -> None:
        self.client = client
        self.options = options
        self.only_beta = options.source == "beta"
        self.hardware = HardwareReader(
            client, options.beta_page_size, wanted=full and options.source == "auto"
        )

    def pages(self, organization_ids: Sequence[str]) -> Iterator[DevicePage]:
        """All pages; an error comes after what was read before it."""
        wanted = list(dict.fromkeys(organization_ids))
        clients = {str(found.id): found for found in self._clients()}
        expected = self._expected()
        asked = {clients[key].name for key in wanted if key in clients}
        elsewhere = (agent for name, agents in expected.items() if name not in asked for agent in agents)
        pages = Pages(sum(len(expected.get(name, ())) for name in asked), elsewhere)
        read = self._reader()
        try:
            for key in wanted:
                if client := clients.get(key):
                    yield from self._one(key, read(client), expected.pop(client.name, set()), pages)
                else:
                    pages.errors.append(_NO_CLIENT.format(key[:50]))
        except ProviderError:
            yield from pages.rest()
            raise
        yield from pages.rest()

    def _one(
        self, key: str, listing: Iterator[Batch], expected: set[str], pages: Pages
    ) -> Iterator[DevicePage]:
        """The pages of one client: complete when every row was readable and the id map has no other."""
        seen: set[str] = set()
        sound = True
        for devices, errors, notes in listing:
            yield from pages.due()
            fresh = [device for device in devices if device.external_id not in seen]
            seen.update(device.external_id for device in fresh)
            pages.devices += fresh
            pages.errors += errors + notes
            sound = sound and not errors
        if sound and self._is_whole(expected, seen):
            pages.completed.append(key)
        yield from pages.due()

    def _is_whole(self, expected: set[str], seen: set[str]) -> bool:
        """Whether the id map, read before, speaks for the listing.

        Of the beta list's pages it must name every single one: a key that sees only a part of a client gets
        that part in the id map and all in the beta list, where a row lost between two pages would not show.
        A standard list is one answer and may have newer agents; a map that knows none of them was of another
        client, one renamed in between.
        """
        if self.only_beta:
            return expected == seen
        return expected <= seen and (bool(expected) or not seen)

    def _reader(self) -> Callable[[Client], Iterator[Batch]]:
        if self.only_beta:
            sites = {found.id: found.name for found in self.client.beta_sites()}
            return lambda client: self._beta(client, sites)
        names = custom_field_names(self.client)
        return lambda client: self._standard(client, names)

    def _standard(self, client: Client, names: Mapping[int, str]) -> Iterator[Batch]:
        """The rows of the standard list, as their hardware comes; those without any at the end."""
        key = str(client.id)
        for scope in _scopes(client):
            rows, errors = agent_rows(self.client.agents(**scope), Agent)
            waiting = {row.agent_id: row for row in rows}
            for extras in self.hardware.pages(scope):
                yield Batch(list(_taken(waiting, extras, key, names)), [], [])
            rest = [device_from_agent(row, key, names) for row in waiting.values()]
            yield Batch(rest, errors, self.hardware.told())

    def _beta(self, client: Client, sites: Mapping[int, str]) -> Iterator[Batch]:
        key = str(client.id)
        scope, size = {"client_id": client.id}, self.options.beta_page_size
        for page, reply in self.client.beta_pages(_BETA_AGENTS, scope, size, HardwareRow):
            now = reply.moment
            devices = [device_from_beta(row, key, sites.get(row.site or 0), now) for row in page.rows]
            yield Batch(devices, page.errors, [])

    def _clients(self) -> list[Client]:
        return self.client.beta_clients() if self.only_beta else self.client.clients()

    def _expected(self) -> dict[str, set[str]]:
        """The agent ids of each client by the id map, a second source beside the lists themselves."""
        expected: defaultdict[str, set[str]] = defaultdict(set)
        for row in self.client.id_map():
            expected[row.client].add(row.agent_id)
        return dict(expected)


def _taken(
    waiting: dict[str, Agent], extras: Mapping[str, Extra], client_id: str, names: Mapping[int, str]
) -> Iterator[Device]:
    """The devices whose hardware this is; they wait no longer."""
    for agent_id, extra in extras.items():
        if row := waiting.pop(agent_id, None):
            yield device_from_agent(row, client_id, names, extra)


def custom_field_names(client: TacticalClient) -> dict[int, str]:
    """Names of the agents' custom fields; none where the key may not read them."""
    try:
        return {found.id: found.name for found in client.custom_fields() if found.model == "agent"}
    except (PermissionMissing, NotFound):
        return {}


def organization_of(client: Client) -> Organization:
    """A client as an organization, with its sites."""
    sites = [{"id": site.id, "name": site.name, "agent_count": site.agent_count} for site in client.sites]
    return Organization(
        external_id=str(client.id),
        name=client.name.strip() or f"Client {client.id}",
        metadata={"agent_count": client.agent_count, "sites": sites},
    )


def _scopes(client: Client) -> list[dict[str, int]]:
    if (client.agent_count or 0) > LARGE_CLIENT and client.sites:
        return [{"site": site.id} for site in client.sites]
    return [{"client": client.id}]
