"""An outbound mail as the bytes that Gmail's `raw` takes (RFC 5322, 2045-2047, 2231)."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from email.header import Header
from email.message import EmailMessage, MIMEPart
from email.policy import SMTP
from email.utils import format_datetime

import msgspec

from mailbridge.domain.addresses import Address, ascii_domain
from mailbridge.domain.mail.html import clean_html
from mailbridge.domain.mail.reading import OUR_ID
from mailbridge.domain.mail.rendering import html_to_text

_ASCII = SMTP.clone(cte_type="7bit")
_FOLD = "\r\n "
_MAX_REFERENCES = 30
_MAX_WORD = 60
_MAX_ID_LENGTH = 900

_UNSENDABLE = re.compile("[\r\n\x00\ud800-\udfff]")
_UNSENDABLE_TEXT = re.compile("[\x00\ud800-\udfff]")
_CONTROL = re.compile("[\x00-\x1f\x7f]")
_ADDRESS = re.compile(r"[^\s<>()\[\],;:\\\"@\x00-\x1f\x7f-\U0010ffff]+@[^\s<>()\[\],;:\\\"@\x00-\x1f\x7f]+")
_ID = re.compile(r"[^\s<>\x00-\x20\x7f-\U0010ffff]+")
_MIME_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,80}/[A-Za-z0-9!#$&^_.+-]{1,80}")
_PLAIN = re.compile(r"[\x21-\x7e]+(?: [\x21-\x7e]+)*")
_PHRASE = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")

# "Re" in the languages whose mail programs write their own word for it.
_REPLY = re.compile(
    r"\s*(?:re|r|aw|antw|antwort|sv|vs|rif|res|odp|ynt|vá|atb|bls|απ|отв|回复|回覆|答复|答覆|返信|回信)(?:\[\d+\]|\(\d+\))?\s*[:：]",
    re.IGNORECASE,
)


class OutboundFile(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An attachment, or an image that the HTML shows as `cid:<content_id>` (without `<>`)."""

    name: str
    mime_type: str
    data: bytes
    content_id: str | None = None


class OutboundMail(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A mail to send: message ids without `<>`, `date` timezone-aware, text made from the HTML where there is none."""

    from_: Address = msgspec.field(name="from")
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    bcc: tuple[Address, ...] = ()
    reply_to: tuple[Address, ...] = ()
    subject: str = ""
    date: datetime
    message_id: str
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    our_id: str
    text: str | None = None
    html: str | None = None
    inline_images: tuple[OutboundFile, ...] = ()
    attachments: tuple[OutboundFile, ...] = ()


def compose(mail: OutboundMail) -> bytes:
    """The message in ASCII, in lines of at most 998 bytes ended by CRLF; the same mail gives the same bytes.

    Raises `ValueError`, naming the field but not its value, for what cannot be sent or would write into other headers
    (P29): line breaks, NUL, what is no address, a local part outside ASCII (Gmail takes raw header bytes for Latin-1).
    """
    headers = "".join(_headers(mail)).encode("ascii")
    content = _content(mail)
    _set_boundaries(content, mail)
    return headers + content.as_bytes()


def reply_subject(subject: str) -> str:
    """The subject of a reply: one `Re: ` in front, none where an answer's prefix stands already, in whatever language."""
    return subject if _REPLY.match(subject) else f"Re: {subject}".rstrip()


def _headers(mail: OutboundMail) -> Iterable[str]:
    yield _addresses("From", "from", (mail.from_,))
    yield _addresses("To", "to", mail.to)
    yield _addresses("Cc", "cc", mail.cc)
    yield _addresses("Bcc", "bcc", mail.bcc)
    yield _addresses("Reply-To", "replyTo", mail.reply_to)
    yield _header("Subject", _folded_text(_checked("subject", mail.subject)))
    yield _header("Date", format_datetime(mail.date))
    yield _header("Message-ID", _message_id("messageId", mail.message_id))
    yield _header("In-Reply-To", _message_id("inReplyTo", mail.in_reply_to) if mail.in_reply_to else "")
    yield _header("References", _FOLD.join(_message_id("references", each) for each in _bounded(mail.references)))
    yield _header(OUR_ID, _token("ourId", mail.our_id))


def _header(name: str, folded: str) -> str:
    return f"{name}: {folded}\r\n" if folded else ""


def _addresses(name: str, field: str, addresses: Sequence[Address]) -> str:
    return _header(name, f",{_FOLD}".join(_mailbox(field, address) for address in addresses))


def _mailbox(field: str, address: Address) -> str:
    if not _ADDRESS.fullmatch(address.email):
        raise ValueError(f"{field}: an address is not of the form local@domain, or its local part is not ASCII")
    local, _, domain = address.email.rpartition("@")
    bare = f"{local}@{ascii_domain(domain)}"
    if not bare.isascii() or len(bare) > _MAX_ID_LENGTH:
        raise ValueError(f"{field}: an address has a domain that the domain name system cannot have")
    name = _checked(field, address.name)
    return f"{_phrase(name)}{_FOLD}<{bare}>" if name else bare


def _phrase(name: str) -> str:
    """A display name: as it is, quoted, or in encoded words."""
    if not _fits(name):
        return _encoded(name)
    if _PHRASE.fullmatch(name):
        return name
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _folded_text(text: str) -> str:
    return _wrapped(text.split(" ")) if _fits(text, _MAX_ID_LENGTH) else _encoded(text)


def _fits(text: str, limit: int = _MAX_WORD) -> bool:
    """Whether it can stand as it is: printable ASCII, single spaces, no long word, nothing like an encoded word."""
    words = text.split(" ")
    return (
        bool(_PLAIN.fullmatch(text)) and "=?" not in text and len(text) <= limit and max(map(len, words)) <= _MAX_WORD
    )


def _wrapped(words: Iterable[str]) -> str:
    lines: list[str] = [""]
    for word in words:
        if lines[-1] and len(lines[-1]) + len(word) >= _MAX_WORD:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}" if lines[-1] else word
    return _FOLD.join(lines)


def _encoded(text: str) -> str:
    """Encoded words of at most 75 characters, one a line."""
    return Header(text, charset="utf-8", maxlinelen=75, header_name="Subject").encode(linesep="\r\n") if text else ""


def _message_id(field: str, value: str) -> str:
    return f"<{_token(field, value)}>"


def _token(field: str, value: str) -> str:
    if not _ID.fullmatch(value) or len(value) > _MAX_ID_LENGTH:
        raise ValueError(f"{field}: an id is not of printable ASCII characters without spaces, at most 900 of them")
    return value


def _bounded(references: tuple[str, ...]) -> tuple[str, ...]:
    """The thread's first message and the newest ones: RFC 5322 asks for all, mail servers refuse endless headers."""
    return references if len(references) <= _MAX_REFERENCES else (references[0], *references[1 - _MAX_REFERENCES :])


def _checked(field: str, value: str) -> str:
    if _UNSENDABLE.search(value):
        raise ValueError(f"{field}: line breaks and NUL are not allowed; write it in one line")
    return value


def _content(mail: OutboundMail) -> EmailMessage:
    """mixed( alternative( text, related( html, images ) ), attachments ), each container only where it is needed."""
    message = EmailMessage(policy=_ASCII)
    html = _text("html", mail.html)
    text = _text("text", mail.text)
    message.set_content(html_to_text(clean_html(html)) if html and mail.text is None else text)
    if html:
        message.add_alternative(html, subtype="html")
    html_part = message.get_body(("html",))
    if html_part:
        _add_images(html_part, mail.inline_images)
    for file in mail.attachments if html else (*mail.inline_images, *mail.attachments):
        maintype, subtype = _mime_type(file.mime_type)
        message.add_attachment(file.data, maintype=maintype, subtype=subtype, filename=_file_name("attachments", file))
    return message


def _text(field: str, value: str | None) -> str:
    if value and _UNSENDABLE_TEXT.search(value):
        raise ValueError(f"{field}: NUL and lone surrogates are not allowed; send Unicode text")
    return value or ""


def _add_images(html_part: MIMEPart, images: Iterable[OutboundFile]) -> None:
    for image in images:
        maintype, subtype = _mime_type(image.mime_type)
        html_part.add_related(
            image.data,
            maintype=maintype,
            subtype=subtype,
            cid=_message_id("contentId", image.content_id or ""),
            filename=_file_name("inlineImages", image),
            disposition="inline",
        )


def _mime_type(written: str) -> tuple[str, str]:
    """A mail or a multipart may not travel in base64 under its own type (RFC 2046): it goes as a file."""
    known = _MIME_TYPE.fullmatch(written) and not written.lower().startswith(("message/", "multipart/"))
    maintype, _, subtype = (written if known else "application/octet-stream").partition("/")
    return maintype, subtype


def _file_name(field: str, file: OutboundFile) -> str:
    if _CONTROL.search(file.name) or _UNSENDABLE.search(file.name):
        raise ValueError(f"{field}: file names have no line breaks and control characters; rename the file")
    return file.name


def _set_boundaries(message: EmailMessage, mail: OutboundMail) -> None:
    """Boundaries by content: nobody can write one into a text, and composing again gives the same bytes."""
    seed = hashlib.sha256(msgspec.json.encode((mail.our_id, mail.subject, mail.text, mail.html))).hexdigest()[:40]
    containers = (part for part in message.walk() if part.is_multipart())
    for number, container in enumerate(containers):
        container.set_boundary(f"=_{seed}_{number}")
