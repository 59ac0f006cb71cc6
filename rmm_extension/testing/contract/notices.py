"""The port that tells people."""

from __future__ import annotations

from collections.abc import Sequence

from .base import UNKNOWN, Bench, ContractBase, unique
from .calls import notice, send
from .facts import NoticeFacts
from .rules import attempt, changed_tables, fingerprint, rule

CALL = "notifications.send"


class Notices(ContractBase):
    """Once a key, in-app always, by e-mail only to those who want it."""

    def _notices_of(self, bench: Bench, user_id: str) -> Sequence[NoticeFacts]:
        return self.read_notices(bench.session, bench.tenant_id, user_id)

    def _user(self, bench: Bench) -> str:
        bench.notifications  # noqa: B018 - skips the test where there is no such port
        return bench.users.active(bench.session, bench.tenant_id)[0].id

    def test_a_user_is_told_once_a_key(self, bench: Bench) -> None:
        """A job that comes again tells nobody again."""
        user, key = self._user(bench), unique("contract")
        before = fingerprint(bench.session)
        send(bench, bench.tenant_id, [user], key)
        told = fingerprint(bench.session)
        rule(changed_tables(before, told), CALL, "write the notification in the session.")
        send(bench, bench.tenant_id, [user], key)
        again = changed_tables(told, fingerprint(bench.session))
        rule(not again, CALL, f"the same key and user again changed {again}.")

    def test_nobody_named_means_the_administrators(self, bench: Bench) -> None:
        """So that trouble with a connection reaches somebody."""
        before = fingerprint(bench.session)
        send(bench, bench.tenant_id, [])
        told = changed_tables(before, fingerprint(bench.session))
        rule(told, CALL, "no user_ids means the tenant's administrators; nobody was told.")

    def test_the_users_own_words_arrive(self, bench: Bench) -> None:
        """Title and link as given; the e-mail has the address with its host and is one per notice."""
        user, before = self._user(bench), len(self._notices_of(bench, self._user(bench)))
        send(bench, bench.tenant_id, [user])
        found = self._notices_of(bench, user)
        rule(len(found) == before + 1, CALL, f"one notice made {len(found) - before} entries.")
        newest, sent = found[-1], notice()
        kept = newest.title == sent.title
        rule(kept, CALL, "keep the title as text and escape it where it becomes HTML.")
        rule(newest.link == sent.link, CALL, "link to the path it is given.")
        rule(len(newest.mails) <= 1, CALL, "send at most one e-mail a user and notice.")
        linked = all((sent.url or "") in text for text in newest.mails)
        rule(linked, CALL, "an e-mail needs `url`, the address with its host; `link` is a path.")

    def test_who_declines_e_mail_gets_none(self, bench: Bench) -> None:
        """They are still told in-app."""
        user = self._user(bench)
        self.decline_mail(bench.session, bench.tenant_id, user)
        before = len(self._notices_of(bench, user))
        send(bench, bench.tenant_id, [user])
        found = self._notices_of(bench, user)
        rule(len(found) == before + 1, CALL, "who declines e-mail is still told in-app.")
        rule(not found[-1].mails, CALL, "no e-mail to a user who declined it.")

    def test_a_user_who_is_gone_stops_nobody(self, bench: Bench) -> None:
        """Unknown and inactive users are left out; the others are told."""
        active = bench.users.active(bench.session, bench.tenant_id) if self._user(bench) else ()
        rule(len(active) > 1, "users.active", "the contract's tenant needs two active users.")
        user, gone = active[0].id, active[1].id
        self.disable_user(bench.session, bench.tenant_id, gone)
        before, silent = len(self._notices_of(bench, user)), len(self._notices_of(bench, gone))
        outcome = attempt(lambda: send(bench, bench.tenant_id, [UNKNOWN, gone, user]))
        rule(outcome.refusal is None, CALL, "leave out users that are gone instead of refusing.")
        rule(len(self._notices_of(bench, user)) == before + 1, CALL, "tell the users that are there.")
        rule(len(self._notices_of(bench, gone)) == silent, CALL, "leave inactive users out.")
