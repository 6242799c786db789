"""Attachments have names that any file system takes, and those that the body shows say so."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbridge.domain.mail.headers import parameters
from mailbridge.domain.mail.model import Attachment
from mailbridge.domain.mail.names import safe_name
from mailbridge.domain.mail.reading import read_body
from tests.unit.mail.factories import mail, message, part


def attachment(
    mime_type: str = "application/pdf", filename: str = "", disposition: str = "attachment", content_type: str = ""
) -> Attachment:
    headers = (("Content-Disposition", disposition), ("Content-Type", content_type or mime_type))
    leaf = part(mime_type, attachment_id="att", filename=filename, headers=headers, part_id="1")
    return read_body(message(part("multipart/mixed", leaf))).attachments[0]


def test_an_attachment_keeps_what_is_needed_to_fetch_it() -> None:
    leaf = part("application/pdf", attachment_id="att-1", filename="a.pdf", part_id="1") | {
        "body": {"attachmentId": "att-1", "size": 1234}
    }
    found = read_body(message(part("multipart/mixed", leaf))).attachments[0]
    assert found == Attachment(
        part_id="1", gmail_attachment_id="att-1", name="a.pdf", mime_type="application/pdf", size=1234
    )


def test_a_small_attachment_may_come_with_the_message() -> None:
    found = read_body(message(part("multipart/mixed", part("image/gif", data=b"GIF89a")))).attachments[0]
    assert (found.data, found.size, found.gmail_attachment_id) == (b"GIF89a", 6, None)


@pytest.mark.rule("P28")
def test_an_image_that_the_body_shows_is_inline() -> None:
    found = read_body(mail("inline-image"))
    assert 'data-cid="room-1@mail.example.com"' in found.html
    assert [(each.content_id, each.inline) for each in found.attachments] == [("room-1@mail.example.com", True)]


def test_a_file_with_a_content_id_that_the_body_does_not_show_is_an_ordinary_attachment() -> None:
    file = part(
        "application/pdf", attachment_id="att", headers=(("Content-ID", "<x@y>"), ("Content-Disposition", "inline"))
    )
    found = read_body(message(part("multipart/mixed", part("text/html", data=b"<p>hi</p>"), file))).attachments[0]
    assert (found.content_id, found.inline) == ("x@y", False)


@pytest.mark.rule("P29")
@pytest.mark.parametrize(
    ("disposition", "content_type", "name"),
    [
        ('attachment; filename="offer.pdf"', "", "offer.pdf"),
        ("attachment; filename=offer.pdf", "", "offer.pdf"),
        ("attachment", 'application/pdf; name="offer.pdf"', "offer.pdf"),
        ("attachment; filename*=utf-8''Gr%C3%B6%C3%9Fe.pdf", "", "Größe.pdf"),
        ("attachment; filename=plain.pdf; filename*=utf-8''Gr%C3%B6%C3%9Fe.pdf", "", "Größe.pdf"),
        ("attachment; filename*1*=%C3%9Fe.pdf; filename*0*=utf-8''Gr%C3%B6", "", "Größe.pdf"),
        ('attachment; filename*0="one "; filename*1="two.pdf"', "", "one two.pdf"),
        ("attachment; filename*=iso-8859-1'de'Gr%F6%DFe.pdf", "", "Größe.pdf"),
        ("attachment; filename*=x-unknown''Gr%F6%DFe.pdf", "", "Größe.pdf"),
        ('attachment; filename="=?utf-8?Q?Gr=C3=B6=C3=9Fe.pdf?="', "", "Größe.pdf"),
        (r'attachment; filename="a \"b\".pdf"', "", "a _b_.pdf"),
        ('attachment; filename="semi;colon.pdf"', "", "semi;colon.pdf"),
        ("attachment; filename*=a; filename*0=b; filename*999999999999=c", "", "a"),
        ("attachment; filename=", "", "attachment-1.pdf"),
    ],
)
def test_a_name_is_read_from_the_part_s_headers(disposition: str, content_type: str, name: str) -> None:
    assert attachment(disposition=disposition, content_type=content_type).name == name


@pytest.mark.rule("P29")
@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("../../etc/passwd", "_.._etc_passwd"),
        ("C:\\Temp\\offer.pdf", "C__Temp_offer.pdf"),
        ("of\x00fer\r\n.pdf", "offer .pdf"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("  .offer.pdf. ", "offer.pdf"),
        ("..", ""),
        ("Angebot – 契約書.pdf", "Angebot – 契約書.pdf"),
        ("\ud800.pdf", "\ufffd.pdf"),
    ],
)
def test_a_name_is_safe_in_any_file_system(written: str, name: str) -> None:
    assert safe_name(written) == name


@pytest.mark.rule("P29")
@given(st.text(max_size=400))
@settings(deadline=None)
def test_no_name_is_longer_than_255_bytes_or_leaves_its_folder(written: str) -> None:
    name = safe_name(written)
    assert len(name.encode()) <= 255
    assert not set("/\\\x00\r\n") & set(name)
    assert name not in {".", ".."}


def test_a_long_name_keeps_its_extension() -> None:
    name = safe_name("ü" * 300 + ".docx")
    assert name.endswith("ü.docx")
    assert len(name.encode()) <= 255


@pytest.mark.parametrize(
    ("mime_type", "name"),
    [
        ("application/pdf", "attachment-1.pdf"),
        ("image/jpeg", "attachment-1.jpg"),
        ("application/x-something", "attachment-1.bin"),
        ("text/calendar", "invite.ics"),
        ("message/rfc822", "attachment-1.eml"),
    ],
)
def test_a_name_is_invented_by_type_where_there_is_none(mime_type: str, name: str) -> None:
    assert attachment(mime_type).name == name


def test_gmail_s_name_of_a_file_comes_first() -> None:
    assert attachment(filename="from gmail.pdf", disposition="attachment; filename=header.pdf").name == "from gmail.pdf"


@pytest.mark.rule("P29")
def test_a_non_ascii_name_in_segments_is_read_whole() -> None:
    assert read_body(mail("attachment-pdf")).attachments[0].name == "Angebot für Büromöbel – 契約書.pdf"


@given(st.text(alphabet=st.sampled_from("fn;=*'\"\\%0129aé \r\n"), max_size=60))
@settings(deadline=None, max_examples=300)
def test_no_parameters_make_reading_fail(value: str) -> None:
    assert isinstance(parameters(f"attachment; filename{value}")[1], dict)
