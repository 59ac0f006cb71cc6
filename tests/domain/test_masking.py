"""Bodies as a page shows them: readable, bounded, without secrets."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmm_extension.domain.masking import HIDDEN, LONGEST, body_text, document_text, masked

WORTH_HIDING = "hunter2-Xy"


def shown(body: bytes | str, *hidden: str) -> str:
    return body_text(body if isinstance(body, bytes) else body.encode(), hidden).text


def test_json_is_indented_and_keeps_its_order_and_letters() -> None:
    found = body_text('{"b": "grün", "a": [1, null]}'.encode())
    assert (found.form, found.is_cut) == ("json", False)
    assert found.text == '{\n  "b": "grün",\n  "a": [\n    1,\n    null\n  ]\n}'


@pytest.mark.parametrize(
    "key",
    [
        "secret",
        "X-RMM-Webhook-Secret",
        "webhookSecret",
        "token",
        "access_token",
        "password",
        "passwd",
        "PWD",
        "api_key",
        "apiKey",
        "api-key",
        "Authorization",
        "credentials",
        "private_key",
        "Set-Cookie",
    ],
)
def test_a_value_whose_key_looks_like_a_secret_is_hidden_in_every_form(key: str) -> None:
    bodies = [
        json.dumps({key: WORTH_HIDING, "agent_id": "A"}),
        json.dumps({"deep": [{"more": {key: [WORTH_HIDING], "agent_id": "A"}}]}),
        json.dumps({"note": f"{key}={WORTH_HIDING}, agent A"}),
        json.dumps(f'{{"{key}": "{WORTH_HIDING}", "agent_id": "A", "name": "Acme "West" Ltd"}}'),
        f'{{"{key}": "{WORTH_HIDING}", "agent_id": "A", "name": "Acme "West" Ltd"}}',
        f'{{\\"{key}\\": \\"{WORTH_HIDING}\\", \\"agent_id\\": \\"A\\"',
        f"{key}={WORTH_HIDING}&agent_id=A",
        f"{key}: Bearer {WORTH_HIDING}\nagent A",
    ]
    for body in bodies:
        text = shown(body)
        assert WORTH_HIDING not in text, body
        assert HIDDEN in text, body
        assert "A" in text, body


def test_a_value_of_the_connection_is_hidden_wherever_it_stands() -> None:
    for body in (f'{{"x": "is {WORTH_HIDING}!"}}', f"junk {WORTH_HIDING} junk", json.dumps([WORTH_HIDING])):
        assert WORTH_HIDING not in shown(body, WORTH_HIDING)
    assert shown('{"x": "a"}', "a") == '{\n  "x": "a"\n}', "what is too short to be a secret is left"


def test_what_is_no_secret_stays() -> None:
    body = {"agent_id": "A", "message": "Disk C: is at 95 %", "check_id": 7, "token": None, "secret": ""}
    assert json.loads(shown(json.dumps(body))) == body


def test_a_wrapped_body_is_unwrapped() -> None:
    """Tactical RMM sends a broken body as one JSON string."""
    found = body_text(json.dumps('{"name": "Acme "West" Ltd"}').encode())
    assert (found.form, found.text) == ("text", '{"name": "Acme "West" Ltd"}')


@pytest.mark.parametrize("body", [b"", b"  \n"])
def test_an_empty_body_says_so(body: bytes) -> None:
    assert body_text(body).form == "empty"
    assert document_text({}).form == "empty"


def test_a_long_body_is_cut() -> None:
    found = body_text(b"x" * (LONGEST + 1))
    assert (len(found.text), found.is_cut, found.size) == (LONGEST, True, LONGEST + 1)
    assert not body_text(b"x" * LONGEST).is_cut


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe\x00binary\x1b[31m",
        b'{"half": "\\ud800", "nul": "\\u0000", "turned": "\\u202egnp"}',
        b"[" * 50_000,
        b'{"a":' * 900 + b"1" + b"}" * 900,
        b"9" * 10_000,
        b"secret" * 40_000,
        b'secret="' * 30_000,
        b"secret" + b" " * 200_000,
        b'{"n": NaN, "i": 1e999}',
        b'\xef\xbb\xbf{"bom": 1}',
    ],
)
def test_any_body_can_be_sent_to_a_browser(body: bytes) -> None:
    text = shown(body)
    text.encode("utf-8")
    assert not set(text) & {"\x00", "\x1b", "\u202e"}


@given(st.binary(max_size=300), st.text(max_size=20))
def test_no_body_breaks_the_page(body: bytes, hidden: str) -> None:
    body_text(body, [hidden]).text.encode("utf-8")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_masking_changes_no_shape_and_twice_is_once(value: Any) -> None:
    once = masked(value)
    assert type(once) is type(value)
    assert masked(once) == once
