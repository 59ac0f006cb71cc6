"""Names of products, and lists of them."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmm_extension.domain.software import (
    LARGEST_SIZE,
    LONGEST_NAME,
    LONGEST_PUBLISHER,
    LONGEST_VERSION,
    NOTHING,
    list_digest,
    normalized_name,
    tidied,
)
from rmm_extension.domain.types import InstalledSoftware

ITEM = InstalledSoftware(
    name="7-Zip 19.00 (x64)",
    version="19.00",
    publisher="Igor Pavlov",
    installed_on=date(2019, 6, 9),
    size_bytes=5_452_595,
    location="C:\\Program Files\\7-Zip\\",
)


def item(name: str = "Tool", **values: object) -> InstalledSoftware:
    return msgspec.structs.replace(InstalledSoftware(name=name), **values)


@pytest.mark.parametrize(
    "name, expected",
    [
        ("7-Zip 19.00 (x64)", "7-zip 19.00 x64"),
        ("  Google   Chrome ", "google chrome"),
        ("Notepad++ (64-bit x64)", "notepad++ 64-bit x64"),
        ("Microsoft® Office\t2021", "microsoft office 2021"),
        ("Ångström_Tool", "ångström_tool"),
        ("a / b", "a b"),
        ("{4CEC2908-5CE4-48F0-A717-8FC833D8017A}", "4cec2908-5ce4-48f0-a717-8fc833d8017a"),
        ("★★", "★★"),
        ("   ", ""),
    ],
)
def test_normalized_name(name: str, expected: str) -> None:
    assert normalized_name(name) == expected


@settings(deadline=None)
@given(st.text())
def test_normalizing_twice_changes_nothing(name: str) -> None:
    once = normalized_name(name)
    assert normalized_name(once) == once
    assert len(once) <= LONGEST_NAME


@settings(deadline=None)
@given(st.text())
def test_case_and_spaces_do_not_tell_products_apart(name: str) -> None:
    assert normalized_name(f"  {name}\n") == normalized_name(name)
    assert normalized_name(name.lower()) == normalized_name(name)


def test_nameless_items_are_dropped() -> None:
    assert tidied([item(""), item("  \x00 "), item("Tool")]) == [item("Tool")]


def test_a_product_stands_once_in_a_list() -> None:
    kept = tidied([item("Tool", size_bytes=1), item("TOOL", size_bytes=2), item("Tool", version="2")])
    assert kept == [item("Tool", size_bytes=1), item("Tool", version="2")]


def test_other_publishers_make_other_products() -> None:
    both = [item("Tool"), item("Tool", publisher="Acme")]
    assert tidied(both) == both


def test_what_cannot_be_kept_is_cut() -> None:
    (kept,) = tidied(
        [
            item(
                "n" * 999,
                version="1" * 999,
                publisher="p" * 999,
                location="l" * 9999,
                size_bytes=LARGEST_SIZE + 1,
            )
        ]
    )
    assert (len(kept.name), len(kept.version), len(kept.publisher)) == (
        LONGEST_NAME,
        LONGEST_VERSION,
        LONGEST_PUBLISHER,
    )
    assert len(kept.location or "") == 1000
    assert kept.size_bytes is None


@pytest.mark.parametrize("size, kept", [(0, None), (-1, None), (1, 1), (LARGEST_SIZE, LARGEST_SIZE)])
def test_sizes(size: int, kept: int | None) -> None:
    assert tidied([item(size_bytes=size)])[0].size_bytes == kept


def test_the_order_of_a_list_does_not_count() -> None:
    assert list_digest([ITEM, item()]) == list_digest([item(), ITEM])


@pytest.mark.parametrize("field", [name for name in ITEM.__struct_fields__ if name != "name"])
def test_every_value_counts(field: str) -> None:
    other = msgspec.structs.replace(ITEM, **{field: None})
    assert list_digest([other]) != list_digest([ITEM])


def test_an_empty_list_has_a_digest_of_its_own() -> None:
    assert list_digest([]) == NOTHING
    assert list_digest([item()]) != NOTHING
