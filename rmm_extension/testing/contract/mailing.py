"""E-mails to whomever a workflow names."""

from __future__ import annotations

from .base import Bench, ContractBase, unique
from .calls import mail
from .rules import attempt, is_sentence, rule

CALL = "mails.send"


class Mailing(ContractBase):
    """Once a key, as plain text, to addresses."""

    def _send(self, bench: Bench, address: str, key: str) -> None:
        bench.mails.send(bench.session, bench.tenant_id, mail(address, key=key))

    def test_a_mail_waits_to_be_sent_once_a_key(self, bench: Bench) -> None:
        """A step that comes again sends nothing again."""
        bench.mails  # noqa: B018 - skips the test where there is no such port
        address, key = f"{unique('contract')}@client.example", unique("contract")
        for _ in range(2):
            self._send(bench, address, key)
        found = self.read_mails(bench.session, bench.tenant_id, address)
        rule(len(found) == 1, CALL, f"the same key twice made {len(found)} e-mails.")
        rule(mail(address).body in found[0], CALL, "send the text as it is.")
        self._send(bench, address, unique("contract"))
        more = self.read_mails(bench.session, bench.tenant_id, address)
        rule(len(more) == 2, CALL, "another key is another e-mail.")

    def test_what_is_no_address_is_refused_in_words(self, bench: Bench) -> None:
        """So that the step says so, and not a mail server days later."""
        bench.mails  # noqa: B018 - as above
        for address in ("nobody", "a@b@c.example", "a@b.example\nBcc: c@d.example", ""):
            outcome = attempt(lambda address=address: self._send(bench, address, unique("contract")))  # type: ignore[misc]
            said = outcome.refusal is not None and is_sentence(outcome.refusal)
            rule(said, CALL, f"refuse {address!r} with HostRejected and a sentence.")
