"""What is composed says the same to any mail program, and no field can write into another."""

import email.policy
from datetime import UTC, datetime, timedelta, timezone
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import getaddresses
from typing import Any, cast

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbridge.domain.addresses import Address, normalise
from mailbridge.domain.composing import OutboundFile, OutboundMail, compose, reply_subject
from mailbridge.domain.mail.model import Body, Envelope
from mailbridge.domain.mail.reading import read_body, read_envelope
from tests.unit.mail.factories import resource

MIA = Address("mia@example.com", "Mia Lund")
ANNA = Address("anna@example.com", "Anna Berg")
PIXEL = OutboundFile(name="room.png", mime_type="image/png", data=b"\x89PNG", content_id="room-1@mailbridge")
OFFER = OutboundFile(name="Angebot – 契約書.pdf", mime_type="application/pdf", data=b"%PDF" * 100)


def outbound(**fields: Any) -> OutboundMail:
    mail = OutboundMail(
        from_=MIA,
        to=(ANNA,),
        subject="Offer",
        date=datetime(2026, 3, 3, 9, 15, tzinfo=timezone(timedelta(hours=1))),
        message_id="m-1@mailbridge.example.com",
        our_id="m-1.signature",
        text="Hello",
    )
    return msgspec.structs.replace(mail, **fields)


def parsed(**fields: Any) -> EmailMessage:
    """The composed mail, as the standard library reads it."""
    return message_from_bytes(compose(outbound(**fields)), policy=email.policy.default)


def received(**fields: Any) -> tuple[Envelope, Body]:
    """The composed mail, as it comes back through Gmail."""
    source = resource(compose(outbound(**fields)))
    return read_envelope(source), read_body(source)


def content(part: Any) -> str:
    """A text part's content, its line ends as Python knows them, none at the end."""
    return cast(str, part.get_content()).replace("\r\n", "\n").rstrip("\n")


def types(message: EmailMessage) -> list[str]:
    return [part.get_content_type() for part in message.walk()]


@pytest.mark.rule("D1")
def test_every_header_arrives() -> None:
    envelope, _ = received(
        cc=(Address("c@example.com"),),
        bcc=(Address("d@example.com", "Dan"),),
        reply_to=(Address("office@example.com"),),
        in_reply_to="2@example.com",
        references=("1@example.com", "2@example.com"),
    )
    assert (envelope.from_, envelope.to) == ((MIA,), (ANNA,))
    assert (envelope.cc, envelope.bcc) == ((Address("c@example.com"),), (Address("d@example.com", "Dan"),))
    assert envelope.reply_to == (Address("office@example.com"),)
    assert (envelope.rfc_message_id, envelope.our_id) == ("m-1@mailbridge.example.com", "m-1.signature")
    assert (envelope.in_reply_to, envelope.references) == (("2@example.com",), ("1@example.com", "2@example.com"))
    assert parsed()["Date"].datetime == datetime(2026, 3, 3, 8, 15, tzinfo=UTC)


@pytest.mark.rule("D1")
def test_headers_without_a_value_are_left_out() -> None:
    assert parsed(to=(), bcc=(ANNA,), subject="").keys() == [
        *("From", "Bcc", "Date", "Message-ID", "X-Mailbridge-Id"),
        *("Content-Type", "Content-Transfer-Encoding", "MIME-Version"),
    ]


@pytest.mark.rule("D1", "P18")
def test_endless_references_keep_the_first_and_the_newest() -> None:
    envelope, _ = received(references=tuple(f"{number}@example.com" for number in range(200)))
    assert envelope.references == ("0@example.com", *(f"{number}@example.com" for number in range(171, 200)))


@pytest.mark.rule("D1")
def test_plain_text_alone_is_one_part() -> None:
    message = parsed(text="Hello\nthere")
    assert types(message) == ["text/plain"]
    assert content(message) == "Hello\nthere"


@pytest.mark.rule("D1")
def test_html_has_a_text_beside_it_and_images_and_files_in_their_places() -> None:
    html = '<p>The <b>room</b>:<br><img src="cid:room-1@mailbridge"></p>'
    message = parsed(text=None, html=html, inline_images=(PIXEL,), attachments=(OFFER,))
    assert types(message) == [
        *("multipart/mixed", "multipart/alternative", "text/plain"),
        *("multipart/related", "text/html", "image/png", "application/pdf"),
    ]
    assert content(message.get_body(("plain",))) == "The room:"
    assert content(message.get_body(("html",))) == html


@pytest.mark.rule("D1")
def test_what_comes_back_through_gmail_shows_the_inline_image_and_names_the_file() -> None:
    _, body = received(html='<img src="cid:room-1@mailbridge">', inline_images=(PIXEL,), attachments=(OFFER,))
    assert [(each.name, each.inline, each.size) for each in body.attachments] == [
        ("room.png", True, 4),
        ("Angebot – 契約書.pdf", False, 400),
    ]


def test_a_given_text_stands_beside_the_html() -> None:
    _, body = received(text="my own words", html="<p>rich</p>")
    assert (body.text.strip(), body.html.strip()) == ("my own words", "<p>rich</p>")


def test_images_of_a_mail_without_html_are_attached() -> None:
    assert types(parsed(inline_images=(PIXEL,))) == ["multipart/mixed", "text/plain", "image/png"]


@pytest.mark.parametrize("mime_type", ["message/rfc822", "multipart/mixed", "nonsense", "text/x; name=y\r\nX: y"])
def test_a_type_that_cannot_be_attached_goes_as_a_file(mime_type: str) -> None:
    file = OutboundFile(name="mail.eml", mime_type=mime_type, data=b"From: x\r\n\r\ny")
    message = parsed(attachments=(file,))
    (attached,) = message.iter_attachments()
    assert isinstance(attached, EmailMessage)
    assert (attached.get_content_type(), attached.get_content()) == ("application/octet-stream", b"From: x\r\n\r\ny")


def test_composing_again_gives_the_same_bytes() -> None:
    fields = {"html": "<p>x</p>", "inline_images": (PIXEL,), "attachments": (OFFER,)}
    assert compose(outbound(**fields)) == compose(outbound(**fields))


def test_a_text_that_contains_a_boundary_s_beginning_changes_nothing() -> None:
    first = compose(outbound(html="<p>x</p>")).split(b'boundary="')[1].split(b'"')[0].decode()
    text = f"--{first}--\n--{first}\nhello"
    assert received(text=text, html="<p>x</p>")[1].text.strip() == text


@pytest.mark.rule("P29")
@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("subject", {"subject": "x\r\nBcc: evil@example.com"}),
        ("subject", {"subject": "x\x00"}),
        ("subject", {"subject": "\ud800"}),
        ("from", {"from_": Address("mia@example.com", "Mia\r\nBcc: evil@example.com")}),
        ("to", {"to": (Address("anna@example.com\r\nBcc: evil@example.com"),)}),
        ("to", {"to": (Address("anna@example.com, evil@example.com"),)}),
        ("to", {"to": (Address("anna@example.com> <evil@example.com"),)}),
        ("to", {"to": (Address("anna"),)}),
        ("to", {"to": (Address(""),)}),
        ("cc", {"cc": (Address("jörg@example.com"),)}),
        ("bcc", {"bcc": (Address("a@📧.example\n"),)}),
        ("replyTo", {"reply_to": (Address("a@example.com", "x\ny"),)}),
        ("messageId", {"message_id": "a@example.com>\r\nBcc: evil@example.com"}),
        ("messageId", {"message_id": ""}),
        ("inReplyTo", {"in_reply_to": "a b@example.com"}),
        ("references", {"references": ("a@example.com", "b\r\n@example.com")}),
        ("ourId", {"our_id": "x\nBcc: evil@example.com"}),
        ("text", {"text": "x\x00"}),
        ("html", {"html": "x\x00"}),
        ("attachments", {"attachments": (OutboundFile(name="a\r\nX: y", mime_type="a/b", data=b""),)}),
        (
            "inlineImages",
            {"html": "x", "inline_images": (OutboundFile(name="a\n", mime_type="a/b", data=b"", content_id="x"),)},
        ),
        (
            "contentId",
            {"html": "x", "inline_images": (OutboundFile(name="a", mime_type="a/b", data=b"", content_id="x>\n"),)},
        ),
    ],
)
def test_what_would_write_into_other_headers_is_refused_by_name(field: str, fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=rf"^{field}: ") as caught:
        compose(outbound(**fields))
    assert "example" not in str(caught.value)


@pytest.mark.rule("P29")
@pytest.mark.parametrize(
    "name",
    [
        *(
            "Berg, Anna",
            'Anna "Ann" Berg',
            "Jörg Müller",
            "山田 花子 " * 20 + "x",
            "a" * 200,
            "x=?utf-8?q?y?=",
            "Anna\\",
            "a@b.c",
        ),
        *("Dr. Anna Berg (Sales)", "🌻", "Müller, Jörg <x@y>", "Re: a;b"),
    ],
)
def test_display_names_arrive_as_they_are(name: str) -> None:
    envelope, _ = received(to=(Address("anna@example.com", name), ANNA, Address("b@example.com", name)))
    assert envelope.to == (Address("anna@example.com", name), Address("b@example.com", name))
    ((decoded, _),) = getaddresses(
        [str(message_from_bytes(compose(outbound(to=(Address("a@example.com", name),))))["To"])]
    )
    assert str(make_header(decode_header(decoded))) == name


@pytest.mark.rule("P29")
def test_domains_with_umlauts_are_written_in_ascii() -> None:
    raw = compose(outbound(to=(Address("kontakt@bücher.example", "Bücher"),)))
    assert b"<kontakt@xn--bcher-kva.example>" in raw


@pytest.mark.rule("P29")
@pytest.mark.parametrize("text", ["x" * 5000, "wörter " * 2000, "word " * 2000, "\t" * 3000, "a\rb\r\nc\nd"])
def test_no_line_is_longer_than_998_bytes_whatever_is_written(text: str) -> None:
    raw = compose(
        outbound(
            subject=" ".join(text.split()),
            text=text,
            html=f"<p>{text}</p>",
            to=tuple(Address(f"{number}{'a' * 50}@example.com", "N" * 70) for number in range(100)),
            references=tuple(f"{number}{'r' * 200}@example.com" for number in range(100)),
            attachments=(OutboundFile(name="ü" * 300, mime_type="a/b", data=b"x" * 5000),),
        )
    )
    lines = raw.split(b"\r\n")
    assert max(map(len, lines)) <= 998
    assert not any(b"\n" in line or b"\r" in line for line in lines)
    assert raw.isascii()


_LINES = st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"]), max_size=200)


@pytest.mark.rule("P29", "D1")
@given(_LINES)
@settings(deadline=None)
def test_every_subject_survives(subject: str) -> None:
    assert parsed(subject=subject).get("Subject", "") == subject
    assert received(subject=subject)[0].subject == subject.strip()


@pytest.mark.rule("P29", "D1")
@given(_LINES)
@settings(deadline=None)
def test_every_file_name_survives(name: str) -> None:
    (attached,) = parsed(attachments=(OutboundFile(name=name, mime_type="a/b", data=b"x"),)).iter_attachments()
    assert attached["Content-Disposition"].params.get("filename", "").strip() == name.strip()


@pytest.mark.rule("P29", "D1")
@given(_LINES, _LINES)
@settings(deadline=None)
def test_every_display_name_survives(one: str, other: str) -> None:
    envelope, _ = received(to=(Address("a@example.com", one), Address("b@example.com", other)))
    assert [address.email for address in envelope.to] == ["a@example.com", "b@example.com"]
    for address, name in zip(envelope.to, (one, other), strict=True):
        unquoted = name.strip().strip("'").strip()
        assert address.name.strip("'").strip() == unquoted or normalise(name) == normalise(address.email)


@pytest.mark.rule("D1")
@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\x00"), max_size=300))
@settings(deadline=None)
def test_every_text_survives_apart_from_its_line_ends(text: str) -> None:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")
    assert content(parsed(text=text)) == lines


@pytest.mark.rule("D1")
@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=300))
@settings(deadline=None)
def test_every_html_survives(html: str) -> None:
    assert content(parsed(html=f"<p>{html}</p>").get_body(("html",))) == f"<p>{html}</p>"


@pytest.mark.rule("D1")
@pytest.mark.parametrize(
    ("subject", "answer"),
    [
        ("Offer", "Re: Offer"),
        ("Re: Offer", "Re: Offer"),
        ("RE:Offer", "RE:Offer"),
        ("re : Offer", "re : Offer"),
        ("AW: Angebot", "AW: Angebot"),
        ("SV: Tilbud", "SV: Tilbud"),
        ("Antw: Offerte", "Antw: Offerte"),
        ("Re[2]: Offer", "Re[2]: Offer"),
        ("回复：报价", "回复：报价"),
        ("Fwd: Offer", "Re: Fwd: Offer"),
        ("Research: results", "Re: Research: results"),
        ("Ref: 12345", "Re: Ref: 12345"),
        ("", "Re:"),
    ],
)
def test_a_reply_s_subject_has_one_prefix(subject: str, answer: str) -> None:
    assert reply_subject(subject) == answer
    assert reply_subject(answer) == answer
