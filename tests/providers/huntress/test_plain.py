"""Plain text out of HTML, and out of what only looks like it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmm_extension.providers.huntress.plain import CUT, line, plain


@pytest.mark.parametrize(
    "value, expected",
    [
        (None, None),
        (7, None),
        ({}, None),
        ("", None),
        (" \n ", None),
        ("<p> </p>", None),
        ("One\nTwo\n\n\n\nThree  four", "One\nTwo\n\nThree four"),
        ("<p>One</p><p>Two</p>", "One\n\nTwo"),
        ("One<br>Two<br/>Three", "One\nTwo\nThree"),
        ("<div>One</div><div>Two</div>", "One\n\nTwo"),
        ("<p>A\n  wrapped   line</p>", "A wrapped line"),
        ("<ul><li>One</li><li><b>Two</b></li></ul>", "- One\n- Two"),
        ("<h2>Host</h2><p>PC&nbsp;1 &amp; more &lt;x&gt;</p>", "Host\n\nPC 1 & more <x>"),
        ("<pre>a  b\n  c</pre>", "a b\nc"),
        ("<table><tr><td>Path</td><td>c:\\x</td></tr></table>", "Path c:\\x"),
        ('<a href="https://huntress.io/x">Open it</a>', "Open it (https://huntress.io/x)"),
        ('<a href="https://huntress.io/x">https://huntress.io/x</a>', "https://huntress.io/x"),
        ('<a href="javascript:alert(1)">Open it</a>', "Open it"),
        ("<style>p {}</style><script>alert(1)</script>Text<br>", "Text"),
        ("Mail of Bob <bob@acme.example>", "Mail of Bob <bob@acme.example>"),
        ("<p>Mail of <bob@acme.example></p>", "Mail of <bob@acme.example>"),
        ("a < b and c > d", "a < b and c > d"),
        ("<p>not closed", "not closed"),
        ("<p>half a tag <b", "half a tag <b"),
        ("nul\x00 and \ud800 half<br>", "nul and ? half"),
        ("<!DOCTYPE html><html><!-- unseen <p> -->Seen</html>", "Seen"),
        ("<p>One<!-- never closed</p>", "One<!-- never closed"),
        ("<script>if (a < b) { '<p>seen</p><title>' }</script>Text<br>", "Text"),
        ("<title>Unseen<b>this too</title>Text", "Text"),
        ("<a href='https://x.example/?a=1&amp;b=2'>Open it</a>", "Open it (https://x.example/?a=1&b=2)"),
        ('<a title="long" href = https://x.example/y>Open it</a>', "Open it (https://x.example/y)"),
        ("<p>&#65; &#x42; &copy; &nothing; R&D &amp;lt; &#0;</p>", "A B © &nothing; R&D &lt; �"),
    ],
)
def test_what_a_reader_sees(value: object, expected: str | None) -> None:
    assert plain(value) == expected


@pytest.mark.parametrize(
    "piece",
    ["<a", "<a ", "<a x='", "</", "<!", "<!--", "<![CDATA[", "<?", "&#", "<script>", "<title>", "</p "],
)
def test_a_large_text_of_half_tags_takes_no_longer_than_another(piece: str) -> None:
    """Whoever knows nothing may send such a body: it is read before its signature is known to be wrong."""
    found = plain("<p>Begin</p>" + piece * (240_000 // len(piece)), longest=12_000)
    assert found is not None
    assert found.startswith("Begin")


def test_a_number_that_is_no_character_is_left_as_it_is() -> None:
    assert plain(f"<p>&#{'9' * 5000};</p>") == f"&#{'9' * 5000};"


def test_a_long_text_is_cut_and_says_so() -> None:
    found = plain("<p>" + "word " * 100, longest=50)
    assert found is not None
    assert found.endswith(CUT)
    assert len(found) < 90


def test_one_line() -> None:
    assert line("<p>One</p>\n<p>Two</p>") == "One Two"
    assert line("x" * 900, 100) == "x" * 100


@given(
    st.text(max_size=300)
    | st.lists(st.sampled_from(["<p>", "</p>", "<a", ">", "&", ";", "x", "<li>"])).map("".join)
)
def test_any_text_is_read(value: str) -> None:
    found = plain(value)
    assert found is None or found == found.strip()
