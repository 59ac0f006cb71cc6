"""Which platform a device has, and what is made for it."""

from __future__ import annotations

import pytest

from rmm_extension.domain.platforms import platform_label, platform_of, suits


@pytest.mark.parametrize("name, platform", [
    ("Windows", "windows"), ("Microsoft Windows", "windows"), ("macOS", "darwin"), ("Darwin", "darwin"),
    ("Ubuntu", "linux"), ("Debian", "linux"), ("", None), (None, None),
])  # fmt: skip
def test_the_platform_follows_from_the_systems_name(name: str | None, platform: str | None) -> None:
    assert platform_of({"os_type": name}) == platform


def test_the_vendors_word_comes_first() -> None:
    assert platform_of({"platform": "linux", "os_type": "Windows"}) == "linux"
    assert platform_of({}) is None


@pytest.mark.parametrize("made_for, platform, fits", [
    ((), "linux", True), (None, "linux", True), (("windows",), None, True), (("windows",), "windows", True),
    (("windows", "darwin"), "linux", False),
])  # fmt: skip
def test_what_is_made_for_some_platforms(
    made_for: tuple[str, ...] | None, platform: str | None, fits: bool
) -> None:
    assert suits(platform, made_for) is fits


def test_a_platform_nobody_knows_is_its_own_name() -> None:
    assert [platform_label(one) for one in ("darwin", "plan9")] == ["macOS", "plan9"]
