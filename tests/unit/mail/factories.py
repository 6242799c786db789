"""Gmail's message resources (`format=full`) out of raw mail, and small parts of them."""

import base64
import email
from collections.abc import Mapping
from email.message import Message
from pathlib import Path
from typing import Any

MAILS = Path(__file__).parents[2] / "data" / "mail"
CORPUS = Path(__file__).parents[4] / "shared" / "corpus"

Resource = dict[str, Any]


def mail(name: str) -> Resource:
    """A mail of the set in `tests/data/mail`, as Gmail gives it."""
    return resource((MAILS / f"{name}.eml").read_bytes())


def resource(raw: bytes, *, texts_apart: bool = False) -> Resource:
    """As Gmail gives it: text in UTF-8, attachments by id, and the text by id as well where it is `texts_apart`."""
    return message(_part(email.message_from_bytes(raw), "", texts_apart))


def message(payload: Any, **fields: Any) -> Resource:
    return {
        "id": "18c0000000000001",
        "threadId": "18c0000000000000",
        "labelIds": ["INBOX", "UNREAD"],
        "historyId": "9007199254740",
        "internalDate": "1772525700000",
        "payload": payload,
        **fields,
    }


def with_headers(*headers: tuple[str, str]) -> Resource:
    return message(part("text/plain", data=b"Hello", headers=headers))


def part(
    mime_type: str,
    *parts: Resource,
    data: bytes | None = None,
    attachment_id: str | None = None,
    filename: str = "",
    headers: tuple[tuple[str, str], ...] = (),
    part_id: str = "",
) -> Resource:
    body: Resource = {"size": len(data or b"")}
    if data is not None:
        body["data"] = base64.urlsafe_b64encode(data).decode()
    if attachment_id:
        body["attachmentId"] = attachment_id
    return {
        "partId": part_id,
        "mimeType": mime_type,
        "filename": filename,
        "headers": [{"name": name, "value": value} for name, value in headers],
        "body": body,
        "parts": list(parts),
    }


def html_mail(html: str) -> Resource:
    return message(part("text/html", data=html.encode()))


def text_mail(text: str, headers: Mapping[str, str] | None = None) -> Resource:
    return message(part("text/plain", data=text.encode(), headers=tuple((headers or {}).items())))


def _part(source: "Message[str, str]", part_id: str, texts_apart: bool) -> Resource:
    payload = source.get_payload() if source.is_multipart() else []
    children = [child for child in payload if isinstance(child, Message)] if isinstance(payload, list) else []
    data = _content(source)
    apart = not source.is_multipart() and (texts_apart or bool(_filename(source)) or not _is_text(source))
    found = part(
        source.get_content_type(),
        *(_part(child, f"{part_id}.{i}" if part_id else str(i), texts_apart) for i, child in enumerate(children)),
        data=None if apart or children else data,
        attachment_id=f"att-{part_id}" if apart or source.get_content_maintype() == "message" else None,
        filename=_filename(source),
        headers=tuple((name, _wire(value)) for name, value in source.raw_items()),
        part_id=part_id,
    )
    found["body"]["size"] = len(data)
    return found


def _is_text(source: "Message[str, str]") -> bool:
    return source.get_content_maintype() in {"text", "multipart"}


def _content(source: "Message[str, str]") -> bytes:
    data = source.get_payload(decode=True)
    if not isinstance(data, bytes):
        return b""
    if not _is_text(source):
        return data
    try:
        return data.decode(str(source.get_content_charset("utf-8"))).encode()
    except (LookupError, ValueError):
        return data


def _filename(source: "Message[str, str]") -> str:
    return _wire(source.get_filename() or "")


def _wire(value: object) -> str:
    raw = str(value).encode("utf-8", "surrogateescape")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")
