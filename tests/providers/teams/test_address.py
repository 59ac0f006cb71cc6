"""Where the bot's token may go: exactly Microsoft's hosts, and the stand-in of demos and tests."""

from __future__ import annotations

import pytest

from rmm_extension.domain.errors import ConfigError
from rmm_extension.providers.contract import Runtime
from rmm_extension.providers.teams.address import is_trusted, service_base

USUAL = Runtime()
STAND_IN = Runtime(base_urls={"teams": "http://127.0.0.1:8915"})


@pytest.mark.parametrize(
    "url",
    [
        "https://smba.trafficmanager.net/teams/",
        "https://smba.trafficmanager.net/amer/",
        "https://smba.trafficmanager.net:443/amer",
        "https://SMBA.trafficmanager.net/amer",
        "https://smba.infra.gcc.teams.microsoft.com/teams",
        "https://smba.infra.gov.teams.microsoft.us/teams",
        "https://smba.infra.dod.teams.microsoft.us/teams",
        "https://webchat.botframework.com/",
    ],
)
def test_microsofts_hosts_are_trusted(url: str) -> None:
    assert is_trusted(url, USUAL)
    assert service_base(url, USUAL) == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        "http://smba.trafficmanager.net/amer/",
        "https://evil.trafficmanager.net/",
        "https://smba.trafficmanager.net.evil.example/",
        "https://smba.trafficmanager.net./amer/",
        "https://xsmba.trafficmanager.net/",
        "https://botframework.com/",
        "https://evilbotframework.com/",
        "https://x.botframework.com.evil.example/",
        "https://smba.trafficmanager.net@evil.example/",
        "https://evil.example/https://smba.trafficmanager.net/",
        "https://evil.example#smba.trafficmanager.net",
        "https://evil.example\\.botframework.com/",
        "https://smba.trafficmanager.net:8443/amer/",
        "https://smba.trafficmanager.net:x/amer/",
        "https://smba.trafficmanager.net/amer/?next=x",
        "https://smba.trafficmanager.net/ amer",
        "https://\u0455mba.trafficmanager.net/",
        "//smba.trafficmanager.net/amer/",
        "smba.trafficmanager.net",
        "https://[::1",
        "ftp://smba.trafficmanager.net/",
        "http://127.0.0.1:8915/amer/",
        "",
    ],
)
def test_nothing_wider_is(url: str) -> None:
    assert not is_trusted(url, USUAL)
    with pytest.raises(ConfigError, match=r"\.$"):
        service_base(url, USUAL)


@pytest.mark.parametrize(
    "url, trusted",
    [
        ("http://127.0.0.1:8915/amer/", True),
        ("http://127.0.0.1:8915", True),
        ("https://smba.trafficmanager.net/amer/", True),
        ("http://127.0.0.1:89150/amer/", False),
        ("http://127.0.0.1/amer/", False),
        ("https://127.0.0.1:8915/amer/", False),
        ("http://127.0.0.1:8915@evil.example/", False),
    ],
)
def test_a_stand_in_is_trusted_at_its_own_address_alone(url: str, trusted: bool) -> None:
    assert is_trusted(url, STAND_IN) is trusted
