from __future__ import annotations

import pytest

from rmm_extension.domain.logline import line


@pytest.mark.parametrize(
    "value,shown",
    [
        ("plain-1.2:3/4", "plain-1.2:3/4"),
        ("two words", '"two words"'),
        ("a=b", '"a=b"'),
        ('say "x"', '"say \\"x\\""'),
        ("first\nrun.end outcome=faked", '"first\\nrun.end outcome=faked"'),
        ("", '""'),
        (True, "true"),
        (3, "3"),
        (0.12345, "0.123"),
    ],
)
def test_a_value_is_one_word_or_one_quoted_text(value: object, shown: str) -> None:
    assert line("event", key=value) == f"event key={shown}"


def test_what_is_absent_is_left_out_and_what_is_long_is_cut() -> None:
    assert line("event", a=None, b=1) == "event b=1"
    assert len(line("event", a="x" * 9999)) < 550
