"""Cleaned HTML runs nothing, loads nothing and leads nowhere unexpected, and still looks like the mail."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbridge.domain.mail.html import clean_html, shown_content_ids
from mailbridge.domain.mail.reading import read_body
from mailbridge.domain.mail.taming import tame
from tests.unit.mail.factories import html_mail, mail

# What can load or run, as a browser reads cleaned HTML: an element's or attribute's name stands behind `<` or a space.
_DANGERS = re.compile(
    r"<\s*(?:script|style|iframe|form|input|object|embed|svg|math|link|meta|base|video|audio)\b"
    r"|<[^>]*\s(?:on\w+|srcset|background|action|formaction|ping|id)\s*="
    r"|<img[^>]*\ssrc=\"(?!data:image/)"
    r"|<a[^>]*\shref=\"(?!https?:|mailto:|tel:)"
    r"|<[^>]*\sstyle=\"[^\"]*(?:url|\\|expression|@import|position|image-set)",
    re.IGNORECASE,
)


@pytest.mark.rule("P28")
@pytest.mark.parametrize(
    "html",
    [
        "<script>alert(1)</script>",
        "<scr<script>ipt>alert(1)</scr</script>ipt>",
        "<img src=x onerror=alert(1)>",
        "<img src='https://e.example/x.gif' srcset='https://e.example/y.gif 2x'>",
        "<picture><source srcset='https://e.example/y.gif'><img src=//e.example/z.gif></picture>",
        "<svg><animate onbegin=alert(1)></svg>",
        "<svg><style><img src=x onerror=alert(1)></style></svg>",
        "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></mglyph></table></mtext></math>",
        "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
        "<!--[if gte mso 9]><img src=https://e.example/a.gif><![endif]-->",
        "<![if !mso]><iframe src=https://e.example></iframe><![endif]>",
        "<a href='javascript:alert(1)'>x</a>",
        "<a href='jav&#9;ascript&colon;alert(1)'>x</a>",
        "<a href=' &#1;javascript:alert(1)'>x</a>",
        "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
        "<a href='vbscript:x'>x</a><a href='file:///etc/passwd'>y</a>",
        "<a href='/logout'>x</a><a href='#top'>y</a><a href='//e.example'>z</a>",
        "<a href='https://e.example' ping='https://e.example/p' id=x name=y>z</a>",
        "<img src='data:image/svg+xml;base64,PHN2Zz4='>",
        "<img src='data:text/html;base64,PHN2Zz4='>",
        "<img src='data:image/png;base64," + "A" * 100_000 + "'>",
        "<img src='ht\ntps://e.example/a.gif'><img src='\\\\e.example\\a'>",
        "<td background='https://e.example/a.gif'>x</td>",
        "<p style='background:url(https://e.example/a.gif)'>x</p>",
        "<p style='background:u\\72 l(https://e.example/a.gif)'>x</p>",
        "<p style=\"background:image-set('https://e.example/a.gif' 1x)\">x</p>",
        "<p style='background:/**/url(//e.example)'>x</p>",
        "<p style='width:expression(alert(1))'>x</p>",
        "<p style='position:fixed;top:0;left:0;width:100%;height:100%;z-index:9'>x</p>",
        "<style>p{background:url(https://e.example)}</style><link rel=stylesheet href=https://e.example>",
        "<base href='https://e.example/'><meta http-equiv=refresh content='0;url=https://e.example'>",
        "<form action=https://e.example><input name=password><button formaction=https://e.example>Go</button></form>",
        "<object data=https://e.example></object><embed src=https://e.example><video src=https://e.example></video>",
        "<p onclick=alert(1) id=body>x</p>",
    ],
)
def test_nothing_runs_loads_or_overlays(html: str) -> None:
    assert not _DANGERS.search(clean_html(html))


@pytest.mark.rule("P28")
def test_the_hostile_mail_is_harmless_and_readable() -> None:
    found = read_body(mail("hostile-html"))
    assert not _DANGERS.search(found.html)
    assert "&lt;script&gt;shown as text&lt;/script&gt;" in found.html
    assert " ".join(found.text.split()) == "Hello one two three four <script>shown as text</script>"


@pytest.mark.rule("P28")
def test_the_dangers_are_seen_where_nothing_is_cleaned() -> None:
    assert _DANGERS.search("<p onclick=alert(1)>")
    assert _DANGERS.search('<img src="https://e.example/a.gif">')
    assert _DANGERS.search('<p style="background:url(x)">')


@pytest.mark.rule("P28")
@pytest.mark.parametrize(
    ("address", "held"),
    [
        ("https://e.example/a.gif?x=1&amp;y=2", "https://e.example/a.gif?x=1&amp;y=2"),
        ("HTTP://e.example/a.gif", "HTTP://e.example/a.gif"),
        ("//e.example/a.gif", "https://e.example/a.gif"),
        (" ht&#10;tps://e.example/a.gif", "https://e.example/a.gif"),
    ],
)
def test_remote_images_are_held_back(address: str, held: str) -> None:
    assert clean_html(f'<img src="{address}" alt="A">') == f'<img data-remote-src="{held}" alt="A">'


@pytest.mark.rule("P28")
def test_images_of_the_mail_itself_are_named_by_their_content_id() -> None:
    cleaned = clean_html('<img src="cid:a%40b"><img src="CID:c&amp;d@e">')
    assert cleaned == '<img data-cid="a@b"><img data-cid="c&amp;d@e">'
    assert shown_content_ids(cleaned) == {"a@b", "c&d@e"}


def test_small_embedded_pictures_stay() -> None:
    picture = "data:image/png;base64,iVBORw0KGgo="
    assert clean_html(f'<img src="{picture}">') == f'<img src="{picture}">'


@pytest.mark.rule("P28")
def test_the_marks_of_held_images_cannot_be_forged() -> None:
    assert clean_html('src="&#1;https://e.example/&#x2;&#3;') == 'src="https://e.example/'
    assert clean_html('<img src="cid:%01%02%00a">') == '<img data-cid="a">'


def test_links_open_apart_and_tell_nothing() -> None:
    assert clean_html('<a href="https://example.com/?a=1&amp;b=2" target="_top" rel="opener">x</a>') == (
        '<a href="https://example.com/?a=1&amp;b=2" target="_blank" rel="noopener noreferrer">x</a>'
    )
    assert 'href="mailto:a@example.com"' in clean_html('<a href="mailto:a@example.com">x</a>')
    assert 'href="tel:+49123"' in clean_html('<a href="tel:+49123">x</a>')


def test_looks_are_kept() -> None:
    html = (
        '<table width="600" align="center" cellpadding="0" bgcolor="#eee"><tbody><tr><td colspan="2" valign="top">'
        '<font color="red" face="Arial" size="2">x</font></td></tr></tbody></table>'
    )
    assert clean_html(html) == html
    assert clean_html("<p style=\"color: rgb(1, 2, 3); background: #fff; font-family: 'Segoe UI', Arial\">x</p>") == (
        '<p style="color:rgb(1, 2, 3);background:#fff;font-family:&quot;Segoe UI&quot; , Arial">x</p>'
    )
    assert clean_html('<div class="gmail_quote other">x</div>') == '<div class="gmail_quote">x</div>'


def test_a_style_loses_only_what_it_may_not_have() -> None:
    assert clean_html('<p style="color:red;background:url(https://e.example/a);padding:3px">x</p>') == (
        '<p style="color:red;padding:3px">x</p>'
    )


@pytest.mark.rule("P28")
def test_comments_and_conditional_parts_for_outlook_are_gone() -> None:
    assert clean_html("a<!-- x --><!--[if mso]><p>b</p><![endif]-->c<![if !mso]>d<![endif]>") == "acd"


def test_lone_surrogates_and_control_characters_are_dropped() -> None:
    assert clean_html("a\ud800b\x00c\x7f") == "abc"


def test_characters_written_as_references_stay_the_same() -> None:
    assert clean_html("a&nbsp;b&#160;c\u00a0d &amp;&#38;& &copy; &#x20AC; &#150; &notareference; &lt;") == (
        "a&nbsp;b&nbsp;c&nbsp;d &amp;&amp;&amp; © € – &amp;notareference; &lt;"
    )
    assert (
        clean_html('<p title="a&nbsp;b&amp;c&quot;&copy=">x</p>') == '<p title="a&nbsp;b&amp;c&quot;&amp;copy=">x</p>'
    )


@pytest.mark.rule("P27")
def test_entities_are_not_decoded_before_cleaning() -> None:
    assert clean_html("&lt;img src=x onerror=alert(1)&gt;") == "&lt;img src=x onerror=alert(1)&gt;"


@pytest.mark.rule("P28")
@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 50_000,
        "<b>" * 20_000 + "<div>" * 20_000 + "</b>" * 20_000,
        "".join(f"<font color={number}>" for number in range(20_000)) + "<p>x" * 20_000,
        "<dl><dd>" * 20_000,
        "<div></x>" * 20_000,
        "<p " + " ".join(f"a{number}=1" for number in range(50_000)) + ">",
        "<p " + " ".join(f"a{number}='>'" for number in range(50_000)) + ">",
        "<p " + " ".join(f"a{number}='<p b>'" for number in range(50_000)) + ">",
        "<p a='<p " + "b='<p " * 20_000 + "'>",
        "<p " + "= " * 50_000 + ">",
        "<!-- <p a=' -->" + "<i a='" * 20_000,
    ],
    ids=lambda html: f"{html[:16]}...",
)
def test_markup_that_only_an_attacker_writes_is_reduced_to_its_words(html: str) -> None:
    assert not re.search(r"<[a-z]", tame(html + "the end"))


@pytest.mark.rule("P28")
@pytest.mark.parametrize("html", ["&", "&#", "&amp;", "&amp", "&nbsp;", "\u00a0", "&#38;", "&#xA0;", "&x"])
def test_no_ampersand_or_no_break_space_reaches_the_slow_serialiser(html: str) -> None:
    tamed = tame(html * 1000)
    assert "&" not in tamed
    assert "\u00a0" not in tamed
    assert len(clean_html(html * 100_000)) >= 100_000


@pytest.mark.rule("P28")
@pytest.mark.parametrize(
    "html",
    ["<" * 300_000, "<!--" * 100_000, "<p style='" + "a:(" * 100_000 + "'>", "<a href='" + "&#9;" * 100_000 + "'>"],
    ids=lambda html: f"{html[:16]}...",
)
def test_other_hostile_markup_is_cleaned(html: str) -> None:
    assert len(read_body(html_mail(html)).html) < 20 * len(html)


def test_markup_too_deep_for_any_person_is_reduced_to_its_words() -> None:
    assert clean_html("<div>" * 2000 + "words" + "</div>" * 2000).strip() == "words"


def test_long_tables_and_lists_without_end_tags_are_not_too_deep() -> None:
    assert clean_html("<ul>" + "<li>x" * 3000 + "</ul>").count("<li>") == 3000


@pytest.mark.rule("P28")
@given(
    st.lists(
        st.sampled_from(
            [
                *"<>\"'=/ax&;:\x00\x01\x02",
                "<img src=",
                "<a href=",
                "<p style=",
                "https://",
                "cid:",
                "javascript:",
                "url(",
                "&#1;",
                "<svg>",
                "<style>",
                "<!--",
            ]
        ),
        max_size=25,
    )
)
@settings(deadline=None, max_examples=300)
def test_whatever_is_put_together_stays_harmless_and_cleaning_again_changes_nothing(pieces: list[str]) -> None:
    cleaned = clean_html("".join(pieces))
    assert not _DANGERS.search(cleaned)
    assert sorted(clean_html(cleaned)) == sorted(cleaned)
