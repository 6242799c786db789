"""Text made of HTML reads like a plain mail."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbridge.domain.mail.html import clean_html
from mailbridge.domain.mail.rendering import html_to_text, text_to_html


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>one</p><p>two</p>", "one\n\ntwo"),
        ("<div>one</div><div>two<br>three</div>", "one\ntwo\nthree"),
        ("one<br><br>two", "one\n\ntwo"),
        ("  a \n <b>b</b>\t c ", "a b c"),
        ("<ul><li>one</li><li>two<ul><li>deep</li></ul></li></ul>after", "- one\n- two\n\n  - deep\n\nafter"),
        ("<ol><li>one</li><li>two</li></ol>", "1. one\n2. two"),
        ("<blockquote>one<br>two<blockquote>older</blockquote></blockquote>new", "> one\n> two\n>\n> > older\n\nnew"),
        ('<a href="https://example.com/x">the shop</a>', "the shop <https://example.com/x>"),
        ('<a href="https://example.com/">example.com</a>', "example.com"),
        ('<a href="mailto:a@example.com">a@example.com</a>', "a@example.com"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ("<pre>  one\n    two</pre>", "  one\n    two"),
        ("one<hr>two", "one\n---\ntwo"),
        ('<img src="cid:1" alt="A chair">', "A chair"),
        ("5 &lt; 6 &amp; 7&nbsp;&gt; 2", "5 < 6 & 7 > 2"),
        ("", ""),
    ],
)
def test_html_becomes_readable_text(html: str, text: str) -> None:
    assert html_to_text(clean_html(html)) == text


def test_quotes_are_marked_no_deeper_than_people_read() -> None:
    text = html_to_text("<blockquote>" * 500 + "x" + "</blockquote>" * 500)
    assert text == "> " * 8 + "x"


@given(
    st.lists(st.text(alphabet=st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), min_size=1), max_size=6)
)
@settings(deadline=None)
def test_text_survives_the_way_to_html_and_back(words: list[str]) -> None:
    text = "\n".join(words)
    assert html_to_text(text_to_html(text)) == text


@pytest.mark.parametrize(
    "html", ["<blockquote>x" * 900, "<p>x" * 20_000, "<ul><li>" * 900, "x " * 100_000, "<br>" * 40_000]
)
def test_large_html_becomes_text_in_linear_time(html: str) -> None:
    assert html_to_text(clean_html(html)).count("\n") <= 4 * len(html)
