"""The catalog, who is at work and what they may do, editions, addresses of pages."""

from __future__ import annotations

from rmm_extension.host import PERMISSIONS, Actor

from .base import UNKNOWN, Bench, ContractBase
from .rules import rule


class Shapes(ContractBase):
    """The ports that only answer."""

    def test_the_catalog_fits_together(self, bench: Bench) -> None:
        """The default status of a board is an open one of that board."""
        boards = bench.catalog.boards(bench.session, bench.tenant_id)
        statuses = {s.id: s for s in bench.catalog.statuses(bench.session, bench.tenant_id)}
        rule(boards, "catalog.boards", "the contract's tenant needs an active board.")
        rule(sum(b.is_default for b in boards) <= 1, "catalog.boards", "at most one board is the default.")
        for board in boards:
            status = statuses.get(board.default_status_id or "")
            fits = status is None or (not status.is_closed and status.board_id in (board.id, None))
            known = board.default_status_id is None or status is not None
            rule(fits and known, "catalog.boards", "default_status_id is an open status of the board.")
        rule(any(s.is_closed for s in statuses.values()), "catalog.statuses", "no status closes a ticket.")

    def test_the_catalog_comes_in_order(self, bench: Bench) -> None:
        """As the host's own pages show it."""
        by_board: dict[str | None, list[int]] = {}
        for status in bench.catalog.statuses(bench.session, bench.tenant_id):
            by_board.setdefault(status.board_id, []).append(status.order)
        sorted_ = all(orders == sorted(orders) for orders in by_board.values())
        rule(sorted_, "catalog.statuses", "give a board's statuses by their order.")
        orders = [p.order for p in bench.catalog.priorities(bench.session, bench.tenant_id)]
        rule(orders == sorted(orders), "catalog.priorities", "give the priorities by their order.")

    def test_boards_belong_to_one_tenant(self, bench: Bench) -> None:
        """A board chosen for one tenant must mean nothing to another."""
        own = {b.id for b in bench.catalog.boards(bench.session, bench.tenant_id)}
        other = {b.id for b in bench.catalog.boards(bench.session, bench.other_tenant_id)}
        rule(not own & other, "catalog.boards", "two tenants were given the same board. Filter by tenant_id.")

    def test_nobody_is_at_work_outside_a_request(self, bench: Bench) -> None:
        """Jobs and commands run without a person."""
        rule(bench.host.actors.current() is None, "actors.current", "None where there is no request.")

    def test_a_request_without_a_session_has_no_actor(self, bench: Bench) -> None:
        """A vendor's delivery, a person who is not signed in."""
        with bench.app.test_request_context("/"):
            found = bench.host.actors.current()
        rule(found is None, "actors.current", "None for a request without a signed-in user.")

    def test_strangers_may_nothing(self, bench: Bench) -> None:
        """An actor whom the tenant does not know."""
        allows = bench.host.permissions.allows
        stranger = Actor(id=UNKNOWN, name="Nobody", tenant_id=bench.tenant_id)
        for permission in PERMISSIONS:
            rule(allows(stranger, permission) is False, "permissions.allows", f"a stranger has {permission}.")

    def test_rights_end_at_the_tenant(self, bench: Bench) -> None:
        """A user of one tenant acting in another, where they are nobody."""
        there = {user.id for user in bench.users.active(bench.session, bench.other_tenant_id)}
        for user in bench.users.active(bench.session, bench.tenant_id):
            if user.id not in there:
                actor = Actor(id=user.id, name=user.name, tenant_id=bench.other_tenant_id)
                held = [one for one in PERMISSIONS if bench.host.permissions.allows(actor, one)]
                rule(
                    not held, "permissions.allows", f"a user of another tenant has {held}. Look at tenant_id."
                )

    def test_somebody_may_configure(self, bench: Bench) -> None:
        """Every permission is mapped to some role; answers are booleans."""
        users = bench.users.active(bench.session, bench.tenant_id)
        actors = [Actor(id=user.id, name=user.name, tenant_id=bench.tenant_id) for user in users]
        for permission in PERMISSIONS:
            answers = [bench.host.permissions.allows(actor, permission) for actor in actors]
            rule(all(a in (True, False) for a in answers), "permissions.allows", "answer True or False.")
            rule(
                any(answers),
                "permissions.allows",
                f"nobody in the tenant has {permission}: map it to a role.",
            )

    def test_editions(self, bench: Bench) -> None:
        """What no edition includes and what nobody booked is off."""
        port, session = bench.entitlements, bench.session
        none = port.provider_enabled(session, bench.tenant_id, "tacticalrmm", ())
        rule(none is False, "entitlements.provider_enabled", "no editions means that nobody has it.")
        stranger = port.provider_enabled(session, UNKNOWN, "tacticalrmm", ("community", "enterprise"))
        rule(stranger is False, "entitlements.provider_enabled", "an unknown tenant has nothing.")
        addon = port.addon_active(session, bench.tenant_id, UNKNOWN)
        rule(addon is False, "entitlements.addon_active", "an add-on nobody booked is not active.")

    def test_paths(self, bench: Bench) -> None:
        """Paths of this host: whoever needs an absolute address puts the public URL before them."""
        for name in ("ticket", "asset", "client"):
            path = getattr(bench.urls, name)("some-id")
            fits = isinstance(path, str) and path.startswith("/") and not path.startswith("//")
            rule(fits and "some-id" in path, f"urls.{name}", f"{path!r} is no path with the id in it.")
            odd = getattr(bench.urls, name)('a"b c')
            rule('"' not in odd and " " not in odd, f"urls.{name}", "quote the id for an address.")
        login = bench.urls.login("/rmm/alerts?page=2&x=1")
        rule(login.startswith(("/", "https://", "http://")), "urls.login", "a path or an address.")
        rule(
            "x=1" not in login.split("&")[1:], "urls.login", "quote next_url, or its parameters become yours."
        )
