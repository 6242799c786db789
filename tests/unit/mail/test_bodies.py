"""The body of a mail: the right parts, in the right order, in the right characters."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbridge.domain.mail.model import Body, UnreadableMail
from mailbridge.domain.mail.reading import missing_parts, read_body, read_envelope
from tests.unit.mail.factories import MAILS, Resource, mail, message, part, resource, text_mail


def body(*parts: Resource, mime_type: str = "multipart/mixed") -> Body:
    numbered = [child | {"partId": str(number)} for number, child in enumerate(parts)]
    return read_body(message(part(mime_type, *numbered)))


def plain(text: str) -> Resource:
    return part("text/plain", data=text.encode())


def html(text: str) -> Resource:
    return part("text/html", data=text.encode())


def test_of_alternatives_the_text_and_the_html_are_taken() -> None:
    found = body(plain("as text"), html("<p>as html</p>"), mime_type="multipart/alternative")
    assert (found.text, found.html) == ("as text", "<p>as html</p>")


def test_of_several_html_alternatives_the_last_is_the_best() -> None:
    found = body(html("<p>poor</p>"), html("<p>rich</p>"), mime_type="multipart/alternative")
    assert found.html == "<p>rich</p>"


def test_a_nested_alternative_beside_an_invitation_keeps_both_readings() -> None:
    inner = part(
        "multipart/alternative", plain("as text") | {"partId": "0.0"}, html("<p>as html</p>") | {"partId": "0.1"}
    )
    found = body(inner, part("text/calendar", data=b"BEGIN:VCALENDAR"), mime_type="multipart/alternative")
    assert (found.text, found.html, len(found.attachments)) == ("as text", "<p>as html</p>", 1)


def test_the_stripped_down_page_for_watches_is_no_body() -> None:
    amp = part("text/x-amp-html", data=b"<html amp4email>")
    found = body(plain("as text"), amp, html("<p>as html</p>"), mime_type="multipart/alternative")
    assert (found.text, found.attachments) == ("as text", ())


@pytest.mark.rule("P27")
def test_several_texts_are_joined_in_their_order_and_files_between_them_attached() -> None:
    found = read_body(mail("text-attachment"))
    assert found.text == "The first text.\nThe second text."
    assert [attachment.name for attachment in found.attachments] == [
        "_prices_2026.csv",
        "notes.txt",
        "attachment-3.pdf",
    ]


def test_text_and_html_in_a_row_are_both_in_either_reading() -> None:
    found = body(plain("one < two"), html("<p>three</p>"))
    assert found.text == "one < two\nthree"
    assert found.html == "<div>one &lt; two</div>\n<p>three</p>"


@pytest.mark.rule("P9")
def test_mail_with_html_only_has_a_text_as_well() -> None:
    found = read_body(mail("html-only"))
    assert "Chairs from 49 €. To the shop <https://shop.example.com/?id=1&u=2>" in found.text
    assert "- Oak\n- Beech" in found.text


def test_an_empty_text_beside_html_is_replaced_by_the_html_s_text() -> None:
    assert body(plain(" \r\n"), html("<p>words</p>"), mime_type="multipart/alternative").text == "words"


@pytest.mark.rule("P9")
@pytest.mark.parametrize("name", ["empty-body", "no-to", "no-message-id"])
def test_mail_that_lacks_something_is_read_all_the_same(name: str) -> None:
    assert read_body(mail(name)).attachments == ()


@pytest.mark.rule("P9")
def test_mail_without_any_part_has_an_empty_body() -> None:
    found = read_body(message(part("multipart/mixed")))
    assert (found.text, found.html, found.attachments, found.size_bytes) == ("", "", (), 0)


def test_a_multipart_without_parts_is_read_as_the_text_that_it_is() -> None:
    assert read_body(message(part("multipart/mixed", data=b"no boundary here"))).text == "no boundary here"


@pytest.mark.rule("P9", "P27")
def test_a_forwarded_mail_stays_out_of_the_body() -> None:
    found = read_body(mail("forwarded-message"))
    assert found.text.strip() == "Please look at the attached mail."
    assert "INNER" not in found.text + found.html
    assert [(each.name, each.mime_type) for each in found.attachments] == [
        ("Complaint about delivery nº 7.eml", "message/rfc822")
    ]


@pytest.mark.rule("P9")
def test_an_invitation_is_attached_and_its_texts_are_the_body() -> None:
    found = read_body(mail("calendar-invitation"))
    assert found.text == "You have been invited to: Kick-off"
    assert [(each.name, each.data is not None) for each in found.attachments] == [("invite.ics", True)]


@pytest.mark.rule("B10", "P30")
def test_of_a_bounce_the_part_for_people_is_the_body() -> None:
    found = read_body(mail("bounce"))
    assert found.text == "The address nobody@example.com couldn't be found."
    assert [each.mime_type for each in found.attachments] == ["message/delivery-status", "text/rfc822-headers"]


def test_parts_of_a_report_are_attached_even_where_they_are_text() -> None:
    found = body(plain("for people"), plain("for programs"), mime_type="multipart/report")
    assert (found.text, len(found.attachments)) == ("for people", 1)


def test_related_parts_that_the_root_refers_to_are_attached() -> None:
    styles = part("text/plain", data=b"p {}", headers=(("Content-ID", "<css>"),))
    found = body(html("<p>root</p>"), styles, mime_type="multipart/related")
    assert (found.text, found.attachments[0].content_id) == ("root", "css")


def test_the_root_of_related_parts_may_be_named() -> None:
    root = part("text/html", data=b"<p>root</p>", headers=(("Content-ID", "<main>"),), part_id="1")
    other = part("text/html", data=b"<p>frame</p>", headers=(("Content-ID", "<frame>"),), part_id="0")
    container = part("multipart/related", other, root, headers=(("Content-Type", 'multipart/related; start="<main>"'),))
    found = read_body(message(container))
    assert (found.text, found.attachments[0].content_id) == ("root", "frame")


@pytest.mark.rule("P27")
@pytest.mark.parametrize(
    ("data", "charset", "expected"),
    [
        ("Grüße".encode(), "iso-8859-1", "Grüße"),
        ("Grüße".encode("latin-1"), "iso-8859-1", "Grüße"),
        ("Grüße".encode("latin-1"), "utf-8", "Grüße"),
        ("5 € – “x”".encode("cp1252"), "iso-8859-1", "5 € – “x”"),
        ("Привет".encode("koi8-r"), "KOI8-R", "Привет"),
        ("日本語".encode("iso-2022-jp"), "iso-2022-jp", "日本語"),
        ("日本語".encode(), "iso-2022-jp", "日本語"),
        ("中文".encode("gb18030"), "gb2312", "中文"),
        (b"caf\xe9", "no-such-charset", "café"),
        (b"caf\xe9", "idna", "café"),
        (b"\x81\xff", "x\x00y", "\ufffdÿ"),
        (b"\xef\xbb\xbfBOM", "utf-8", "BOM"),
        (b"a\x00b\x08c\td", "utf-8", "abc\td"),
        (b"one\r\ntwo\rthree", "utf-8", "one\ntwo\nthree"),
    ],
)
def test_text_is_utf_8_then_what_it_declares_then_windows_1252(data: bytes, charset: str, expected: str) -> None:
    content_type = ("Content-Type", f'text/plain; charset="{charset}"')
    assert read_body(message(part("text/plain", data=data, headers=(content_type,)))).text == expected


@pytest.mark.rule("P27")
def test_a_mislabelled_mail_is_readable() -> None:
    assert read_body(mail("latin1-mislabelled")).text == "Grüße aus Köln – für 5 €\n"


@pytest.mark.rule("P27")
def test_base64_may_lack_its_padding() -> None:
    unpadded = plain("Hello") | {"body": {"size": 5, "data": "SGVsbG8"}}
    assert read_body(message(unpadded)).text == "Hello"


@pytest.mark.rule("P27")
def test_texts_that_gmail_keeps_apart_are_named_and_used_once_fetched() -> None:
    source = resource((MAILS / "reply-gmail.eml").read_bytes(), texts_apart=True)
    missing = missing_parts(source)
    assert [(each.part_id, each.mime_type, each.charset) for each in missing] == [
        ("0", "text/plain", "UTF-8"),
        ("1", "text/html", "UTF-8"),
    ]
    found = read_body(source, {each.attachment_id: b"<b>fetched</b>" for each in missing})
    assert (found.text, found.html) == ("<b>fetched</b>", "<b>fetched</b>")


def test_a_mail_that_is_complete_misses_no_parts() -> None:
    assert missing_parts(mail("attachment-pdf")) == ()


@pytest.mark.rule("J6")
@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (None, "payload-missing"),
        ("text", "payload-missing"),
        (part("text/plain") | {"body": {"data": "%%%"}}, "bad-base64"),
        (part("text/plain") | {"body": {"data": "A"}}, "bad-base64"),
        (part("text/plain", attachment_id="att"), "text-missing"),
        (part("text/plain") | {"body": {"size": 500}}, "text-missing"),
    ],
)
def test_content_that_cannot_be_understood_has_a_reason(payload: object, reason: str) -> None:
    with pytest.raises(UnreadableMail) as caught:
        read_body(message(payload))
    assert caught.value.reason == reason


@pytest.mark.rule("J6")
def test_parts_nested_without_end_are_unreadable_but_keep_their_envelope() -> None:
    nested = plain("deep")
    for _ in range(400):
        nested = part("multipart/mixed", nested, headers=(("Subject", "Matryoshka"),))
    with pytest.raises(UnreadableMail) as caught:
        read_body(message(nested))
    assert caught.value.reason == "nested-too-deeply"
    assert read_envelope(message(nested)).subject == "Matryoshka"


def test_text_becomes_html_with_its_lines_indents_and_links() -> None:
    found = read_body(text_mail("See <this>:\n    https://example.com/a?b=1&c=2.\n\nBye"))
    assert found.html == (
        "<div>See &lt;this&gt;:<br>\n&nbsp; &nbsp; "
        '<a href="https://example.com/a?b=1&amp;c=2" target="_blank" rel="noopener noreferrer">'
        "https://example.com/a?b=1&amp;c=2</a>.<br>\n<br>\nBye</div>"
    )


def test_the_size_counts_bytes_of_text_and_html() -> None:
    found = read_body(text_mail("ä"))
    assert found.size_bytes == len("ä".encode()) + len("<div>ä</div>".encode())


_TYPES = st.sampled_from(
    [
        "text/plain",
        "text/html",
        "multipart/mixed",
        "multipart/alternative",
        "multipart/related",
        "multipart/report",
        "message/rfc822",
        "",
    ]
)
_LEAVES = st.builds(
    lambda mime_type, data, filename: part(mime_type, data=data, filename=filename),
    _TYPES,
    st.one_of(st.none(), st.binary(max_size=30)),
    st.text(max_size=5),
)
_TREES = st.recursive(
    _LEAVES, lambda trees: st.builds(lambda kind, parts: part(kind, *parts), _TYPES, st.lists(trees, max_size=3))
)


@pytest.mark.rule("P9", "J6")
@given(_TREES)
@settings(deadline=None)
def test_every_tree_of_parts_is_read(tree: Resource) -> None:
    found = read_body(message(tree))
    assert "\x00" not in found.text + found.html
