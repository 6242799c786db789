"""Gmail's message resource (`format=full`), read into an envelope and a body."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from mailbridge.domain.mail.bodies import Layout, lay_out
from mailbridge.domain.mail.headers import Headers
from mailbridge.domain.mail.html import clean_html, shown_content_ids
from mailbridge.domain.mail.model import Attachment, Body, Envelope, MissingPart, UnreadableMail
from mailbridge.domain.mail.names import attachment_name
from mailbridge.domain.mail.parts import Part, read_parts
from mailbridge.domain.mail.rendering import html_to_text, text_to_html
from mailbridge.domain.mail.text import decode_text

OUR_ID = "X-Mailbridge-Id"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_SUBJECT = 1000
_MAX_OUR_ID = 200
_AUTOMATIC_PRECEDENCES = frozenset({"auto_reply", "auto-reply", "bulk", "junk", "list"})
_AUTOMATIC_HEADERS = ("X-Autoreply", "X-Autorespond", "X-Autoresponder")


def read_envelope(resource: Mapping[str, Any]) -> Envelope:
    """What can be read of a message that has an `id` and a `threadId`; nothing in its headers makes this fail (P9)."""
    payload = resource.get("payload")
    headers = Headers(payload.get("headers") if isinstance(payload, dict) else None)
    return Envelope(
        gmail_message_id=resource["id"],
        thread_id=resource["threadId"],
        label_ids=frozenset(resource.get("labelIds") or ()),
        history_id=_number(resource.get("historyId")),
        internal_date=_internal_date(resource.get("internalDate"), headers),
        rfc_message_id=next(iter(headers.message_ids("Message-ID")), None),
        in_reply_to=headers.message_ids("In-Reply-To"),
        references=headers.message_ids("References"),
        from_=headers.addresses("From"),
        sender=headers.addresses("Sender"),
        original_from=headers.addresses("X-Original-From"),
        reply_to=headers.addresses("Reply-To"),
        to=headers.addresses("To"),
        cc=headers.addresses("Cc"),
        bcc=headers.addresses("Bcc"),
        subject=headers.decoded("Subject")[:_MAX_SUBJECT],
        auto_submitted=_is_automatic(headers),
        list_id=_list_id(headers.first("List-Id")),
        our_id=headers.first(OUR_ID)[:_MAX_OUR_ID] or None,
    )


def missing_parts(resource: Mapping[str, Any]) -> tuple[MissingPart, ...]:
    """The texts of the body to fetch before `read_body`; raises `UnreadableMail` as it does (P27)."""
    layout = lay_out(read_parts(resource.get("payload")))
    return tuple(
        MissingPart(
            part_id=part.part_id,
            attachment_id=part.attachment_id,
            charset=part.charset,
            mime_type=part.mime_type,
            size=part.size,
        )
        for part in layout.texts
        if part.encoded is None and part.attachment_id
    )


def read_body(resource: Mapping[str, Any], fetched: Mapping[str, bytes] | None = None) -> Body:
    """The body and the attachments; `fetched` holds the bytes of `missing_parts`, by attachment id.

    Raises `UnreadableMail` where the content cannot be understood: then a stub with the raw copy stands for it (J6).
    """
    layout = lay_out(read_parts(resource.get("payload")))
    contents = {part.part_id: _content(part, fetched or {}) for part in layout.texts}
    html = _html(layout, contents)
    text = _text(layout, contents)
    if not text.strip() and html:
        text = html_to_text(html)
    return Body(text=text, html=html or text_to_html(text), attachments=_attachments(layout, html))


def _content(part: Part, fetched: Mapping[str, bytes]) -> str:
    data = part.data
    if data is None and part.attachment_id is not None:
        data = fetched.get(part.attachment_id)
    if data is None and (part.attachment_id or part.size):
        raise UnreadableMail("text-missing")
    return decode_text(data or b"", part.charset).replace("\r\n", "\n").replace("\r", "\n")


def _text(layout: Layout, contents: Mapping[str, str]) -> str:
    pieces = (_as_text(part, contents[part.part_id]) for part in layout.plain)
    return "\n".join(piece for piece in pieces if piece)


def _html(layout: Layout, contents: Mapping[str, str]) -> str:
    pieces = (_as_html(part, contents[part.part_id]) for part in layout.rich)
    return "\n".join(piece for piece in pieces if piece.strip())


def _as_text(part: Part, content: str) -> str:
    return html_to_text(clean_html(content)) if part.is_html else content


def _as_html(part: Part, content: str) -> str:
    return clean_html(content) if part.is_html else text_to_html(content)


def _attachments(layout: Layout, html: str) -> tuple[Attachment, ...]:
    shown = shown_content_ids(html)
    return tuple(_attachment(part, number, shown) for number, part in enumerate(layout.attachments, 1))


def _attachment(part: Part, number: int, shown: frozenset[str]) -> Attachment:
    data = part.data
    return Attachment(
        part_id=part.part_id,
        gmail_attachment_id=part.attachment_id,
        name=attachment_name(part, number),
        mime_type=part.mime_type,
        size=part.size if data is None else len(data),
        content_id=part.content_id,
        inline=part.content_id in shown,
        data=data,
    )


def _internal_date(milliseconds: object, headers: Headers) -> datetime:
    """Gmail's time of arrival, which it always gives; else the header's; else 1970."""
    try:
        return datetime.fromtimestamp(int(str(milliseconds)) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return _header_date(headers.first("Date"))


def _header_date(value: str) -> datetime:
    try:
        date = parsedate_to_datetime(value)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return _EPOCH


def _is_automatic(headers: Headers) -> bool:
    """Whether a program sent it (RFC 3834 and older habits), so that it is not shown as somebody's reply (P30)."""
    submitted = headers.first("Auto-Submitted").partition(";")[0].strip().lower()
    precedence = headers.first("Precedence").strip().lower()
    return (
        submitted not in {"", "no"}
        or precedence in _AUTOMATIC_PRECEDENCES
        or any(headers.all(name) for name in _AUTOMATIC_HEADERS)
    )


def _list_id(value: str) -> str | None:
    return value.rpartition("<")[2].partition(">")[0].strip().lower() or None


def _number(value: object) -> int:
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 20 else 0
