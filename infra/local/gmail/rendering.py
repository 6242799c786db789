"""Messages and threads as Gmail's JSON, in the formats minimal, metadata, full and raw."""

import base64
import html
import re
import secrets
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from infra.local.gmail.encoded_words import decode as decode_words
from infra.local.gmail.encoded_words import readable
from infra.local.gmail.errors import JSON, invalid
from infra.local.gmail.header_block import Field
from infra.local.gmail.mailbox import Message
from infra.local.gmail.mime import Part

FORMATS = {"minimal", "metadata", "full", "raw"}
SNIPPET_LENGTH = 200
_TOKEN_PREFIX = "ANGjdJ"
_NONCE = 18
_HIDDEN = re.compile(r"<(style|script|head)\b.*?</\1\s*>|<!--.*?-->|<[^>]*>", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class View:
    """How a message is to be shown.

    `decode_headers`: encoded words are decoded in `payload.headers`, as Gmail is said to do (?).
    `text_inline_limit`: longer text bodies come as an attachment id without data (P27).
    """

    format: str = "full"
    wanted_headers: Collection[str] = field(default_factory=tuple)
    decode_headers: bool = True
    text_inline_limit: int = 2**21

    def __post_init__(self) -> None:
        if self.format not in FORMATS:
            raise invalid(f"Invalid value at 'format': {self.format}")


def message_resource(message: Message, view: View) -> JSON:
    """Gmail's `Message` in the view's format."""
    shape: JSON = {"id": message.id, "threadId": message.thread_id}
    shape |= {"labelIds": sorted(message.labels)} if message.labels else {}
    shape |= {"snippet": snippet(message.part), "sizeEstimate": len(message.raw)}
    shape |= {"historyId": str(message.history_id), "internalDate": str(message.internal_ms)}
    return shape | _PAYLOADS[view.format](message, view)


def thread_resource(thread_id: str, messages: Sequence[Message], view: View) -> JSON:
    """Gmail's `Thread` with its messages."""
    return {
        "id": thread_id,
        "historyId": str(max(message.history_id for message in messages)),
        "messages": [message_resource(message, view) for message in messages],
    }


def snippet(part: Part) -> str:
    """The beginning of the text, HTML-escaped as Gmail's snippets are."""
    bodies = {body.mime_type: body for body in reversed(list(part.walk())) if body.is_body}
    body = bodies.get("text/plain") or bodies.get("text/html")
    text = body.content[: 2**14].decode("utf-8", "replace") if body else ""
    if body and body.mime_type == "text/html":
        text = html.unescape(_HIDDEN.sub(" ", text))
    return html.escape(" ".join(text.replace("\x00", "").split())[:SNIPPET_LENGTH].strip())


def headers(fields: Sequence[Field], view: View) -> list[JSON]:
    """`[{name, value}]`, unfolded."""
    wanted = {name.lower() for name in view.wanted_headers}
    shown = [header for header in fields if not wanted or header.name.lower() in wanted]
    return [{"name": header.name, "value": _value(header, view)} for header in shown]


def _value(header: Field, view: View) -> str:
    return decode_words(header.name, header.value) if view.decode_headers else readable(header.value)


def _metadata(message: Message, view: View) -> JSON:
    part = message.part
    return {"payload": {"mimeType": part.mime_type, "headers": headers(part.fields, view)}}


def _full(message: Message, view: View) -> JSON:
    return {"payload": _part(message.part, view)}


def _raw(message: Message, _view: View) -> JSON:
    return {"raw": encode(message.raw)}


_PAYLOADS: dict[str, Callable[[Message, View], JSON]] = {
    "minimal": lambda _message, _view: {},
    "metadata": _metadata,
    "full": _full,
    "raw": _raw,
}


def _part(part: Part, view: View) -> JSON:
    shape: JSON = {"partId": part.part_id, "mimeType": part.mime_type, "filename": part.filename}
    shape |= {"headers": headers(part.fields, view), "body": _body(part, view)}
    return shape | ({"parts": [_part(child, view) for child in part.parts]} if part.parts else {})


def _body(part: Part, view: View) -> JSON:
    size = len(part.content)
    if part.is_body and size <= view.text_inline_limit:
        return {"size": size, "data": encode(part.content)} if size else {"size": 0}
    return {"attachmentId": attachment_id(part), "size": size}


def attachment_id(part: Part) -> str:
    """A token for a part; another one each time, as Gmail does, and good for as long as the message exists."""
    return _TOKEN_PREFIX + encode(secrets.token_bytes(_NONCE) + part.part_id.encode()).rstrip("=")


def attachment(message: Message, token: str) -> Part:
    """The part that a token means; 400 if it means none."""
    wanted = _part_id(token)
    for part in message.part.walk():
        if part.part_id == wanted:
            return part
    raise invalid("Invalid attachment token")


def _part_id(token: str) -> str:
    if not token.startswith(_TOKEN_PREFIX):
        raise invalid("Invalid attachment token")
    return decode(token.removeprefix(_TOKEN_PREFIX))[_NONCE:].decode("ascii", "replace")


def encode(octets: bytes) -> str:
    """base64url, padded, as Gmail writes bytes."""
    return base64.urlsafe_b64encode(octets).decode("ascii")


def decode(text: str) -> bytes:
    """Bytes from base64url with or without padding; 400 if it is neither."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError as exc:
        raise invalid("Invalid value: Base64 decoding failed.") from exc
