"""The link to an agent: its form, and what may be set for it."""

from __future__ import annotations

import dataclasses
from contextlib import suppress
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmm_extension.domain.errors import ConfigError
from rmm_extension.providers.capabilities import OpensRemotely
from rmm_extension.providers.contract import Runtime
from rmm_extension.providers.tacticalrmm import TacticalRmm, remote
from tests.providers.conftest import RUNTIME, connection_to

CLOSED = dataclasses.replace(RUNTIME, allowed_networks=())
AGENT = "ZUbbMyTjcjiYstkQgVtvXWcxhjKwnIwtykiPiJOZ"


def checked(runtime: Runtime = RUNTIME, **typed: str) -> dict[str, str]:
    return remote.checked(typed, runtime)


class TestLink:
    def test_the_agents_page_on_the_dashboard(self) -> None:
        connection = connection_to("https://api.example.com", dashboard_url="https://rmm.example.com")
        provider = TacticalRmm(RUNTIME)
        assert isinstance(provider, OpensRemotely)
        link = provider.remote_link(connection, AGENT)
        assert link.url == f"https://rmm.example.com/agents/{AGENT}"

    def test_a_form_of_ones_own(self) -> None:
        own = {
            "dashboard_url": "https://rmm.example.com",
            "remote_link_template": "{dashboard}/takecontrol/{agent_id}",
        }
        assert remote.link(own, AGENT).url == f"https://rmm.example.com/takecontrol/{AGENT}"

    def test_an_id_cannot_change_where_the_link_leads(self) -> None:
        link = remote.link({"dashboard_url": "https://rmm.example.com"}, "../x?{dashboard}#")
        assert link.url == "https://rmm.example.com/agents/..%2Fx%3F%7Bdashboard%7D%23"

    @pytest.mark.parametrize("without", [{}, {"dashboard_url": ""}, {"dashboard_url": None}])
    def test_without_a_dashboard_there_is_none(self, without: dict[str, str | None]) -> None:
        with pytest.raises(ConfigError, match="where the dashboard"):
            remote.link(without, AGENT)


class TestSettings:
    @pytest.mark.parametrize(
        "typed, kept",
        [
            ("", ""),
            ("rmm.example.com/", "https://rmm.example.com"),
            (" https://rmm.example.com:8443/ ", "https://rmm.example.com:8443"),
            ("https://10.1.2.3", "https://10.1.2.3"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ],
    )
    def test_a_dashboard_in_its_one_form(self, typed: str, kept: str) -> None:
        assert checked(dashboard_url=typed) == {"dashboard_url": kept}

    @pytest.mark.parametrize(
        "typed", ["http://127.0.0.1", "http://93.184.216.34", "ftp://x", "https://a:b@x", "javascript:x"]
    )
    def test_a_dashboard_that_is_refused(self, typed: str) -> None:
        with pytest.raises(ConfigError, match=r"^Dashboard address: .*\.$"):
            checked(CLOSED, dashboard_url=typed)

    @pytest.mark.parametrize(
        "typed, kept",
        [
            ("", remote.DEFAULT_TEMPLATE),
            ("{dashboard}/takecontrol/{agent_id}", "{dashboard}/takecontrol/{agent_id}"),
            ("{dashboard}/#/agents?id={agent_id}&x=1", "{dashboard}/#/agents?id={agent_id}&x=1"),
        ],
    )
    def test_a_form_that_is_kept(self, typed: str, kept: str) -> None:
        assert checked(remote_link_template=typed) == {"remote_link_template": kept}

    @pytest.mark.parametrize(
        "typed",
        [
            "{dashboard}",
            "{dashboard}/agents",
            "{dashboard}.example.net/{agent_id}",
            "{dashboard}@x/{agent_id}",
            "https://elsewhere.example/{agent_id}",
            "javascript:{dashboard}/{agent_id}",
            "{dashboard}/{dashboard}/{agent_id}",
            "{dashboard}/{agent_id}/{hostname}",
            "{dashboard}/{agent_id}/{0.__class__}",
            "{dashboard}/a b/{agent_id}",
            "{dashboard}/{{agent_id}}",
        ],
    )
    def test_a_form_that_is_refused(self, typed: str) -> None:
        with pytest.raises(ConfigError, match="no other placeholders"):
            checked(remote_link_template=typed)

    def test_what_a_sign_in_does_not_ask_for_is_not_set(self) -> None:
        assert checked(source="auto") == {"source": "auto"}

    @settings(deadline=None)
    @given(st.text(), st.text())
    def test_every_kept_form_leads_to_the_dashboard(self, template: str, agent: str) -> None:
        with suppress(ConfigError):
            kept = checked(remote_link_template="{dashboard}/" + template + "{agent_id}")
            found = urlsplit(remote.link({"dashboard_url": "https://rmm.example.com", **kept}, agent).url)
            assert (found.scheme, found.netloc) == ("https", "rmm.example.com")
