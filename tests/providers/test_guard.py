"""Which addresses are called, at save and at connect."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from rmm_extension.domain.errors import AddressRefused, ConfigError, ProviderError
from rmm_extension.providers.contract import Runtime
from rmm_extension.providers.guard import check_address
from rmm_extension.providers.http import HttpClient
from tests.providers.conftest import RUNTIME
from tests.providers.wire import answer, serve

STRICT = Runtime(base_urls={})
Answers = list[str]


class Resolver:
    """Answers each look-up with the next list of addresses, the last one for ever."""

    def __init__(self, *rounds: Answers) -> None:
        self.rounds = list(rounds)
        self.asked = 0

    def __call__(self, host: str, port: int, *_: Any) -> list[Any]:
        self.asked += 1
        addresses = self.rounds.pop(0) if len(self.rounds) > 1 else self.rounds[0]
        return [(_family(ip), socket.SOCK_STREAM, 6, "", _sockaddr(ip, port)) for ip in addresses]


def _family(ip: str) -> int:
    return socket.AF_INET6 if ":" in ip else socket.AF_INET


def _sockaddr(ip: str, port: int) -> tuple[Any, ...]:
    return (ip, port, 0, 0) if ":" in ip else (ip, port)


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://localhost./",
        "https://10.1.2.3",
        "https://192.168.1.1:8443",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:169.254.169.254]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[fe80::1]/",
        "https://0.0.0.0/",
        "https://0x7f000001/",
        "https://2130706433/",
        "https://127.1/",
        "https://0177.0.0.1/",
        "https://user:pw@example.com/",
        "ftp://example.com/",
        "javascript:alert(1)",
        "https://",
    ],
)
def test_addresses_inside_are_refused(url: str) -> None:
    with pytest.raises(AddressRefused, match=r"\.$"):
        check_address(url, STRICT, resolver=Resolver(["127.0.0.1"]))


def test_a_literal_address_is_named() -> None:
    with pytest.raises(AddressRefused, match=r"leads to 10\.1\.2\.3, which is not a public address"):
        check_address("https://10.1.2.3", STRICT)


def test_a_public_address_is_fine() -> None:
    check_address("https://api.example.com/tactical", STRICT, resolver=Resolver(["93.184.216.34"]))
    check_address(
        "https://api.example.com:8443", STRICT, resolver=Resolver(["93.184.216.34", "2606:2800::1"])
    )


def test_plain_http_needs_an_allowed_network() -> None:
    public = Resolver(["93.184.216.34"])
    with pytest.raises(AddressRefused, match="must use https"):
        check_address("http://api.example.com", STRICT, resolver=public)
    check_address("http://rmm.lan", RUNTIME, resolver=Resolver(["127.0.0.9"]))
    with pytest.raises(AddressRefused, match="must use https"):
        check_address("http://rmm.lan", RUNTIME, resolver=Resolver(["127.0.0.9", "93.184.216.34"]))


def test_one_forbidden_address_among_several_refuses_the_host() -> None:
    with pytest.raises(AddressRefused):
        check_address("https://api.example.com", STRICT, resolver=Resolver(["93.184.216.34", "10.0.0.1"]))


def test_an_allowed_network_opens_only_itself() -> None:
    runtime = Runtime(allowed_networks=(ipaddress.ip_network("10.0.0.0/8"),), base_urls={})
    check_address("https://rmm.lan", runtime, resolver=Resolver(["10.9.9.9"]))
    with pytest.raises(AddressRefused):
        check_address("https://rmm.lan", runtime, resolver=Resolver(["192.168.0.1"]))


def test_a_translation_prefix_cannot_be_allowed() -> None:
    runtime = Runtime(allowed_networks=(ipaddress.ip_network("64:ff9b::/96"),), base_urls={})
    with pytest.raises(ConfigError, match="RMM_ALLOWED_NETWORKS"):
        check_address("https://rmm.lan", runtime, resolver=Resolver(["10.9.9.9"]))


def test_an_unknown_name_is_left_to_the_connection_test() -> None:
    def unknown(*_: Any) -> Any:
        raise socket.gaierror

    check_address("https://api.example.invalid", STRICT, resolver=unknown)


@pytest.fixture
def client() -> Iterator[Callable[..., HttpClient]]:
    made = []

    def make(url: str, runtime: Runtime, resolver: Resolver) -> HttpClient:
        made.append(HttpClient(runtime, url, headers={"X-API-KEY": "SECRET"}, resolver=resolver))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_a_name_that_moves_inside_after_the_check_is_refused_at_connect(
    client: Callable[..., HttpClient],
) -> None:
    moving = Resolver(["93.184.216.34"], ["127.0.0.1"])
    with serve(answer()) as wire:
        check_address(f"https://api.example.com:{wire.port}", STRICT, resolver=moving)
        with pytest.raises(AddressRefused):
            client(f"https://api.example.com:{wire.port}", STRICT, moving).read("/")
    assert wire.heads == []


def test_the_checked_address_is_the_one_connected_to(client: Callable[..., HttpClient]) -> None:
    # A second look-up would lead to 127.0.0.66, where nobody listens.
    moving = Resolver(["127.0.0.1"], ["127.0.0.66"])
    with serve(answer(body=b"[1]")) as wire:
        reply = client(f"http://rmm.lan:{wire.port}", RUNTIME, moving).read("/")
    assert reply.decode(list[int]) == [1]
    assert moving.asked == 1
    assert f"Host: rmm.lan:{wire.port}" in wire.heads[0]


def test_every_new_connection_is_checked_again(client: Callable[..., HttpClient]) -> None:
    moving = Resolver(["127.0.0.1"], ["10.0.0.1"])
    with serve(answer()) as wire:
        one = client(f"http://rmm.lan:{wire.port}", RUNTIME, moving)
        one.read("/")
        with pytest.raises(AddressRefused):
            one.read("/")
        with pytest.raises(AddressRefused):
            one.write("PUT", "/")
    assert len(wire.heads) == 1


def test_proxies_of_the_environment_are_not_used(
    client: Callable[..., HttpClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with serve(answer()) as wire:
        client(wire.url, RUNTIME, Resolver(["127.0.0.1"])).read("/")
    assert len(wire.heads) == 1


def test_a_refusal_is_no_provider_error(client: Callable[..., HttpClient]) -> None:
    with pytest.raises(AddressRefused) as caught:
        client("https://rmm.lan", STRICT, Resolver(["10.0.0.1"])).read("/")
    assert not isinstance(caught.value, ProviderError)
    assert "SECRET" not in repr(caught.value)
