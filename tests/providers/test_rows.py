"""Cutting an array into its elements while it arrives."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmm_extension.domain.errors import BadResponse
from rmm_extension.providers.reply import CutAnswer, HtmlInsteadOfJson, Misshapen, StreamedReply
from rmm_extension.providers.rows import rows

LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


def streamed(body: bytes, size: int = 7, kind: str = "application/json") -> StreamedReply:
    pieces = [body[start : start + size] for start in range(0, len(body), size)] or [b""]
    headers = {"Content-Type": kind}
    return StreamedReply(
        "tacticalrmm", "Tactical RMM", "/x/", 200, "r", headers, pieces[0], iter(pieces[1:]), lambda: None
    )


def cut(body: bytes, size: int = 7, **options: Any) -> list[bytes]:
    return list(rows(streamed(body, size), **options))


@settings(deadline=None)
@given(st.lists(VALUES), st.integers(1, 50), st.sampled_from([None, 1]), st.booleans())
def test_the_elements_are_those_of_the_document(
    values: list[Any], size: int, indent: int | None, is_ascii: bool
) -> None:
    body = json.dumps(values, indent=indent, ensure_ascii=is_ascii).encode("utf-8", "surrogatepass")
    assert [json.loads(row.decode("utf-8", "surrogatepass")) for row in cut(body, size)] == values


@settings(deadline=None)
@given(st.lists(VALUES, min_size=1), st.data())
def test_a_body_without_its_end_is_no_list(values: list[Any], data: st.DataObject) -> None:
    body = json.dumps(values).encode()
    short = body[: data.draw(st.integers(0, len(body) - 1))]
    with pytest.raises(CutAnswer):
        cut(short)


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
@pytest.mark.parametrize(
    "body, expected",
    [
        (b"[]", []),
        (b" [ ] \n", []),
        (b"\xef\xbb\xbf[1]", [b"1"]),
        (b'[{"a":"]},{[\\"\\\\"},{}]', [b'{"a":"]},{[\\"\\\\"}', b"{}"]),
        (b'["\\\\","\\"", "a,b"]', [b'"\\\\"', b'"\\""', b'"a,b"']),
        (b"[[1,[2]],\n{},null]", [b"[1,[2]]", b"{}", b"null"]),
    ],
)
def test_elements(body: bytes, size: int, expected: list[bytes]) -> None:
    assert cut(body, size) == expected


@pytest.mark.parametrize(
    "body", [b"", b"  ", b"[", b"[1", b"[1,", b"[1,]", b"[,1]", b"[1,,2]", b"[1] x", b"[1]]"]
)
def test_what_is_not_whole(body: bytes) -> None:
    with pytest.raises(CutAnswer, match="not whole JSON"):
        cut(body)


@pytest.mark.parametrize("body", [b"{}", b'{"detail": "x"}', b'"natsdown"', b"7", b"null", b"true", b"-1"])
def test_what_is_no_array(body: bytes) -> None:
    with pytest.raises(Misshapen, match="unexpected shape"):
        cut(body)


def test_a_web_page() -> None:
    with pytest.raises(HtmlInsteadOfJson):
        list(rows(streamed(b"[1]", kind="text/html")))
    with pytest.raises(HtmlInsteadOfJson):
        cut(b"<!DOCTYPE html><html></html>", 100)


@pytest.mark.parametrize("size", [100, 5000])
def test_a_row_above_the_limit_ends_the_reading(size: int) -> None:
    large = b'[1,"' + b"x" * 3000 + b'"]'
    with pytest.raises(BadResponse, match="larger than"):
        cut(large, size, max_row=2000)


@pytest.mark.parametrize("begin", [b"", b"[", b"[1,", b"[]", b"[["])
def test_blanks_without_end_are_not_gathered(begin: bytes) -> None:
    with pytest.raises(BadResponse, match="larger than"):
        cut(begin + b" " * 5000, 100, max_row=2000)


def test_rows_come_before_the_body_has_ended() -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield b'{"a": [1]},'

    reply = StreamedReply("tacticalrmm", "T", "/x/", 200, "r", {}, b"[", endless(), lambda: None)
    found = rows(reply)
    assert [next(found) for _ in range(3)] == [b'{"a": [1]}'] * 3
