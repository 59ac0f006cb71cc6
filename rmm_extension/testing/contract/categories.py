"""What a ticket is about, for a host that files tickets so."""

from __future__ import annotations

from collections.abc import Sequence

from rmm_extension.host import Category

from .base import UNKNOWN, Bench, ContractBase
from .rules import rule

CALL = "categories.active"


class Categories(ContractBase):
    """The ``categories`` port, and what ``tickets.create`` makes of it."""

    def test_a_subcategory_follows_its_category(self, bench: Bench) -> None:
        """Two levels, in the order of the host's own pages."""
        seen: set[str] = set()
        for one in self._all(bench):
            if one.parent_id is None:
                seen.add(one.id)
            rule(
                one.parent_id is None or one.parent_id in seen, CALL, "give a category before those below it."
            )

    def test_categories_belong_to_one_tenant(self, bench: Bench) -> None:
        """A category chosen for one tenant must mean nothing to another."""
        own = {one.id for one in self._all(bench)}
        other = {one.id for one in bench.categories.active(bench.session, bench.other_tenant_id)}
        rule(not own & other, CALL, "two tenants were given the same category. Filter by tenant_id.")

    def test_a_ticket_has_the_categories_of_its_draft(self, bench: Bench) -> None:
        """Both, or the category alone."""
        below = next((one for one in self._all(bench) if one.parent_id), None)
        rule(below is not None, CALL, "the contract's tenant needs a category with a subcategory.")
        assert below is not None
        for subcategory in (below.id, None):
            found = self._filed(bench, below.parent_id, subcategory)
            rule(found == (below.parent_id, subcategory), "tickets.create", "take the draft's categories.")

    def test_a_ticket_without_a_category_has_none(self, bench: Bench) -> None:
        """Also where the one that was chosen is gone."""
        bench.categories  # noqa: B018 - skips the test where there is no such port
        for gone in (None, UNKNOWN):
            found = self._filed(bench, gone, gone)
            rule(found == (None, None), "tickets.create", "leave out a category that is not there.")

    def _all(self, bench: Bench) -> Sequence[Category]:
        return bench.categories.active(bench.session, bench.tenant_id)

    def _filed(
        self, bench: Bench, category: str | None, subcategory: str | None
    ) -> tuple[str | None, str | None]:
        made = bench.ticket(category_id=category, subcategory_id=subcategory)
        facts = self.read_ticket(bench.session, bench.tenant_id, made.id)
        return facts.category_id, facts.subcategory_id
