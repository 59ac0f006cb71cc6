"""Lists of patches: one word for each patch, numbers, and a digest that does not look at the order."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import permutations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmm_extension.domain.patches import (
    LONGEST_ID,
    LONGEST_NAME,
    LONGEST_WORD,
    NOTHING,
    Patch,
    PatchKind,
    PatchNumbers,
    PatchStatus,
    joined,
    list_digest,
    numbers,
    tidied,
)

MAY = datetime(2026, 5, 1, tzinfo=UTC)
JUNE = datetime(2026, 6, 1, tzinfo=UTC)


def patch(status: str = "pending", changed_at: datetime | None = None, **values: object) -> Patch:
    basic = Patch(
        kind=PatchKind.OS,
        external_id="p1",
        name="2026-05 Cumulative Update",
        status=PatchStatus(status),
        changed_at=changed_at,
    )
    return msgspec.structs.replace(basic, **values)


@pytest.mark.parametrize(
    "told, expected",
    [
        ([("pending", None), ("failed", MAY)], ("failed", MAY)),
        ([("approved", None), ("failed", MAY)], ("failed", MAY)),
        ([("pending", None), ("approved", None)], ("approved", None)),
        ([("pending", None), ("installed", MAY)], ("pending", None)),
        ([("approved", None), ("installed", MAY)], ("approved", None)),
        ([("failed", MAY), ("installed", JUNE)], ("installed", JUNE)),
        ([("failed", JUNE), ("installed", MAY)], ("failed", JUNE)),
        ([("failed", MAY), ("installed", MAY)], ("failed", MAY)),
        ([("failed", None), ("installed", MAY)], ("failed", None)),
        ([("failed", None), ("failed", MAY)], ("failed", MAY)),
        ([("failed", None), ("failed", MAY), ("installed", JUNE)], ("failed", MAY)),
        ([("failed", MAY), ("failed", JUNE)], ("failed", JUNE)),
        ([("installed", MAY), ("installed", JUNE)], ("installed", JUNE)),
        ([("installed", None), ("installed", MAY)], ("installed", MAY)),
        ([("rejected", None), ("failed", MAY)], ("rejected", None)),
        ([("rejected", None), ("installed", MAY)], ("rejected", None)),
        ([("rejected", None), ("pending", None)], ("rejected", None)),
        ([("pending", None), ("failed", MAY), ("installed", JUNE)], ("pending", None)),
        ([("pending", None), ("failed", JUNE), ("installed", MAY)], ("failed", JUNE)),
    ],
)
def test_which_word_on_a_patch_counts(
    told: list[tuple[str, datetime | None]], expected: tuple[str, datetime | None]
) -> None:
    for order in permutations(told):
        found = joined([patch(*one) for one in order])
        assert (found.status, found.changed_at) == expected


def test_what_the_other_words_tell_beside_is_kept() -> None:
    waiting = patch("pending", severity="critical")
    tried = patch("failed", MAY, kb="KB5034441", category="SECURITY_UPDATES", severity="important")
    found = joined([waiting, tried])
    assert (found.severity, found.kb, found.category) == ("important", "KB5034441", "SECURITY_UPDATES")
    found = joined([waiting, patch("installed", MAY, kb="KB5034441")])
    assert (found.severity, found.kb, found.changed_at) == ("critical", "KB5034441", None)


@pytest.mark.parametrize(
    "told, expected",
    [
        ([("a", "pending", None), ("b", "failed", MAY)], ("a", "failed", MAY)),
        ([("a", "approved", None), ("b", "installed", MAY)], ("a", "approved", None)),
        ([("a", "rejected", None), ("b", "failed", MAY)], ("a", "rejected", None)),
        ([("a", "failed", MAY), ("b", "installed", JUNE)], ("b", "installed", JUNE)),
        ([("a", "pending", None), ("b", "failed", MAY), ("c", "installed", JUNE)], ("a", "pending", None)),
        ([("a", "pending", None), ("a", "installed", MAY), ("b", "failed", JUNE)], ("a", "failed", JUNE)),
    ],
)
def test_one_patch_under_several_ids_is_one(
    told: list[tuple[str, str, datetime | None]], expected: tuple[str, str, datetime | None]
) -> None:
    """What waits and was tried is known by its name and article where the ids differ."""
    for order in permutations(told):
        (found,) = tidied([patch(status, at, external_id=id_, kb="KB1") for id_, status, at in order])
        assert (found.external_id, found.status, found.changed_at) == expected


@pytest.mark.parametrize("other", [{"name": "Another update"}, {"kb": "KB2"}, {"kind": PatchKind.SOFTWARE}])
def test_another_name_article_or_kind_is_another_patch(other: dict[str, object]) -> None:
    """One article stands for many updates, such as each day's signatures."""
    both = [
        patch(external_id="a", kb="KB1"),
        patch("failed", MAY, external_id="b", **({"kb": "KB1"} | other)),
    ]
    assert tidied(both) == both


def test_a_patch_of_another_kind_is_another() -> None:
    both = [patch(), patch(kind=PatchKind.SOFTWARE)]
    assert tidied(both) == both


def test_what_has_no_id_or_no_name_is_left_out() -> None:
    assert tidied([patch(external_id=" \x00"), patch(name="  ")]) == []


def test_texts_are_cut_to_what_can_be_kept() -> None:
    words = {"severity": "s" * 999, "category": "c" * 999, "kb": "k" * 999}
    (found,) = tidied([patch(external_id="i" * 999, name="n " * 999, **words)])
    assert (len(found.external_id), len(found.name)) == (LONGEST_ID, LONGEST_NAME - 1)
    assert [len(word or "") for word in (found.severity, found.category, found.kb)] == [LONGEST_WORD] * 3
    (found,) = tidied([patch(severity=" ", category="", kb="\x00")])
    assert (found.severity, found.category, found.kb) == (None, None, None)


def test_the_numbers() -> None:
    statuses = ("pending", "approved", "failed", "rejected", "installed", "installed")
    mine = [patch(status, external_id=str(number)) for number, status in enumerate(statuses)]
    other = patch("failed", kind=PatchKind.SOFTWARE)
    assert numbers([*mine, other]) == PatchNumbers(pending=2, failed=2, installed=2)
    assert numbers([*mine, other], PatchKind.OS) == PatchNumbers(pending=2, failed=1, installed=2)
    assert numbers([*mine, other], PatchKind.SOFTWARE) == PatchNumbers(failed=1)
    assert numbers([]) == PatchNumbers()


PATCHES = st.builds(
    Patch,
    kind=st.sampled_from(PatchKind),
    external_id=st.sampled_from("abc"),
    name=st.sampled_from(["One", "Two"]),
    status=st.sampled_from(PatchStatus),
    severity=st.sampled_from([None, "low", "high"]),
    changed_at=st.sampled_from([None, MAY, JUNE]),
)


@settings(max_examples=200)
@given(st.lists(PATCHES, max_size=12).flatmap(lambda told: st.tuples(st.just(told), st.permutations(told))))
def test_a_list_is_the_same_in_whichever_order_it_is_told(told: tuple[list[Patch], list[Patch]]) -> None:
    first, second = tidied(told[0]), tidied(told[1])
    for keys in (
        [(one.kind, one.external_id) for one in first],
        [(one.kind, one.name, one.kb) for one in first],
    ):
        assert len(keys) == len(set(keys)), "each patch once"
    assert list_digest(first) == list_digest(second)
    assert numbers(first) == numbers(second)
    assert tidied(first) == first


@given(st.lists(PATCHES, max_size=6), st.lists(PATCHES, max_size=6))
def test_another_list_has_another_digest(one: list[Patch], other: list[Patch]) -> None:
    first, second = tidied(one), tidied(other)
    is_same = sorted(map(repr, first)) == sorted(map(repr, second))
    assert (list_digest(first) == list_digest(second)) == is_same
    assert (list_digest(first) == NOTHING) == (not first)
