"""Signing in to NinjaOne again, and leaving it: the old session is ended there, the new one goes on."""

from __future__ import annotations

import msgspec

from rmm_extension.domain.sessions import MemorySessions
from rmm_extension.services import connections, credentials
from simulators.ninjaone import keys
from tests.concurrency.test_one_refresh import BACK, Account, account
from tests.services.working import work

__all__ = ["account"]

KIND = "session_end"


def sign_in_again(account: Account) -> None:
    """As the pages do, with a blank secret."""
    provider = account.world.rmm.providers.get("ninjaone")
    stored, _ = account.opened()
    given = {"instance_url": account.url, "client_id": keys.WEB_CLIENT_ID}
    typed = credentials.typed(provider, credentials.auth_mode(provider, "oauth"), given, stored)
    once = {"code": account.code(), "redirect_uri": BACK}
    typed = msgspec.structs.replace(typed, once=once, sessions=MemorySessions())
    assert credentials.usable(credentials.run_checks(provider, typed))
    assert account.integration_id is not None
    with account.world.unit() as session:
        connections.reconnect(account.world.rmm, session, account.world.admin, account.integration_id, typed)


def is_good(account: Account, refresh: str | None) -> bool:
    """Whether the account would still renew by this refresh token."""
    assert refresh is not None
    with account.lab.lock:
        return not account.lab.refresh_tokens[refresh].revoked


def test_the_old_session_is_ended_and_the_new_one_goes_on(account: Account) -> None:
    account.connect("oauth")
    old = account.stored()
    sign_in_again(account)
    new = account.stored()
    assert old.refresh != new.refresh
    assert is_good(account, old.refresh), "nobody is asked within the request"
    assert work(account.world, KIND) == [{"ended": 1}]
    assert not is_good(account, old.refresh)
    assert is_good(account, new.refresh)
    # The account takes all tokens of this user and application along with the refresh token that was revoked.
    assert account.together(1) == ["ok"]
    assert account.stored().value != new.value
    assert account.column("state") == "connected"


def test_leaving_ends_it_with_the_secret_that_this_takes(account: Account) -> None:
    account.connect("oauth")
    old = account.stored()
    assert account.integration_id is not None
    with account.world.unit() as session:
        connections.disconnect(account.world.rmm, session, account.world.admin, account.integration_id)
    assert work(account.world, KIND) == [{"ended": 1}]
    assert not is_good(account, old.refresh)
    with account.lab.lock:
        assert account.lab.tokens[old.value].revoked
    rows = account.world.rows(
        "SELECT name FROM rmm_secrets WHERE integration_id = :i", i=account.integration_id
    )
    assert rows == []


def test_an_application_that_is_gone_has_ended_nothing_and_keeps_nobody(account: Account) -> None:
    account.connect("oauth")
    with account.lab.lock:
        account.lab.applications.clear()
    assert account.integration_id is not None
    with account.world.unit() as session:
        connections.disconnect(account.world.rmm, session, account.world.admin, account.integration_id)
    (told,) = work(account.world, KIND)
    assert "could not be ended" in str(told)
    assert account.column("state") == "not_connected"
