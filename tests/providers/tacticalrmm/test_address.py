"""The one form of an instance URL."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmm_extension.domain.errors import ConfigError
from rmm_extension.providers.tacticalrmm.address import normalize


@pytest.mark.parametrize(
    "typed, found",
    [
        ("https://example.com/", "https://example.com"),
        ("http://example.com////", "http://example.com"),
        ("example.com", "https://example.com"),
        (" api.example.com:8443 ", "https://api.example.com:8443"),
        ("https://example.com/api", "https://example.com"),
        ("https://example.com/api/", "https://example.com"),
        ("https://example.com/api/v2", "https://example.com/api/v2"),
        ("https://example.com/tactical/", "https://example.com/tactical"),
        ("HTTPS://API.Example.com", "https://api.example.com"),
        ("https://[2001:db8::1]:444/", "https://[2001:db8::1]:444"),
    ],
)
def test_one_form(typed: str, found: str) -> None:
    assert normalize(typed) == found
    assert normalize(found) == found


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "   ",
        "ftp://example.com",
        "https://",
        "https://a b",
        "https://x:port",
        "https://u:p@x",
        "https://x/?a=1",
    ],
)
def test_no_address(typed: str) -> None:
    with pytest.raises(ConfigError, match=r"\.$"):
        normalize(typed)


@settings(deadline=None)
@given(st.text())
def test_any_text_is_an_address_or_a_sentence(typed: str) -> None:
    with suppress(ConfigError):
        assert normalize(typed).startswith(("https://", "http://"))
