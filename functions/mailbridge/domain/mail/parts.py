"""The tree of a mail's parts, out of Gmail's payload."""

import base64
import binascii
from dataclasses import dataclass
from typing import Any

from mailbridge.domain.mail.headers import Headers, parameters
from mailbridge.domain.mail.model import UnreadableMail

_MAX_DEPTH = 50


@dataclass(frozen=True, slots=True)
class Part:
    """One MIME part: `data` is base64url as Gmail delivered it, `subject` is that of a mail attached to the mail."""

    part_id: str
    mime_type: str
    name: str
    charset: str
    start: str
    attached: bool
    content_id: str | None
    encoded: str | None
    attachment_id: str | None
    size: int
    subject: str
    children: tuple["Part", ...]

    @property
    def is_container(self) -> bool:
        """Whether it holds parts; a `multipart` without any is read as the text that it is."""
        return bool(self.children)

    @property
    def is_text(self) -> bool:
        """Whether it is shown as the body: plain text or HTML that nobody declared a file."""
        textual = self.mime_type in {"text/plain", "text/html"} or self.mime_type.startswith("multipart/")
        return textual and not self.name and not self.attached

    @property
    def is_html(self) -> bool:
        """Whether its text is HTML."""
        return self.mime_type == "text/html"

    @property
    def data(self) -> bytes | None:
        """Its bytes, where Gmail delivered them; raises `UnreadableMail` where they are not base64."""
        return None if self.encoded is None else _decoded(self.encoded)


def read_parts(payload: object) -> Part:
    """The part tree of `payload`; raises `UnreadableMail` where there is none or it is nested too deeply."""
    if not isinstance(payload, dict):
        raise UnreadableMail("payload-missing")
    return _part(payload, "", 0)


def _part(resource: dict[str, Any], path: str, depth: int) -> Part:
    if depth > _MAX_DEPTH:
        raise UnreadableMail("nested-too-deeply")
    headers = Headers(resource.get("headers"))
    declared, content_type = parameters(headers.first("Content-Type"))
    disposition, placement = parameters(headers.first("Content-Disposition"))
    mime_type = _text(resource.get("mimeType")).lower() or declared or "text/plain"
    body = resource.get("body") if isinstance(resource.get("body"), dict) else {}
    return Part(
        part_id=_text(resource.get("partId")) or path,
        mime_type=mime_type,
        name=_text(resource.get("filename")) or placement.get("filename") or content_type.get("name") or "",
        charset=content_type.get("charset", "utf-8"),
        start=content_type.get("start", "").strip("<>"),
        attached=disposition == "attachment",
        content_id=headers.first("Content-ID").strip("<> ") or None,
        encoded=_content(body, "data"),
        attachment_id=_content(body, "attachmentId"),
        size=_size(body),
        subject=_subject(resource) if mime_type.startswith("message/") else "",
        children=_children(resource, path, depth) if mime_type.startswith("multipart/") else (),
    )


def _children(resource: dict[str, Any], path: str, depth: int) -> tuple[Part, ...]:
    return tuple(
        _part(child, f"{path}.{number}" if path else str(number), depth + 1)
        for number, child in enumerate(_resources(resource))
    )


def _subject(resource: dict[str, Any]) -> str:
    """The subject of an attached mail, whose own headers stand on its first part; nothing else of it is read (P27)."""
    inner = next(iter(_resources(resource)), {})
    return Headers(inner.get("headers")).decoded("Subject")


def _resources(resource: dict[str, Any]) -> list[dict[str, Any]]:
    parts = resource.get("parts")
    return [part for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []


def _content(body: dict[str, Any] | None, key: str) -> str | None:
    value = (body or {}).get(key)
    return value if isinstance(value, str) and value else None


def _size(body: dict[str, Any] | None) -> int:
    size = (body or {}).get("size")
    return size if isinstance(size, int) and size > 0 else 0


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _decoded(encoded: str) -> bytes:
    """Base64url, padded or not."""
    try:
        return base64.b64decode(encoded.rstrip("=") + "=" * (-len(encoded.rstrip("=")) % 4), b"-_", validate=True)
    except (binascii.Error, ValueError) as exc:
        raise UnreadableMail("bad-base64") from exc
