"""File names for attachments, safe in any file system and never empty."""

import re

from mailbridge.domain.mail.parts import Part
from mailbridge.domain.mail.text import decode_words, one_line

_MAX_BYTES = 255
_MAX_EXTENSION = 20

_FORBIDDEN = re.compile('[\x00-\x1f<>:"/\\\\|?*]')
# Characters that turn the direction of what follows: `gpj.exe` could be shown as `exe.jpg`.
_DIRECTIONS = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C])
_EXTENSIONS = {
    "application/msword": "doc",
    "application/pdf": "pdf",
    "application/pgp-signature": "asc",
    "application/pkcs7-signature": "p7s",
    "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/zip": "zip",
    "audio/mpeg": "mp3",
    "image/gif": "gif",
    "image/heic": "heic",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "message/delivery-status": "txt",
    "message/feedback-report": "txt",
    "message/disposition-notification": "txt",
    "message/global": "eml",
    "message/rfc822": "eml",
    "text/calendar": "ics",
    "text/csv": "csv",
    "text/html": "html",
    "text/plain": "txt",
    "text/rfc822-headers": "txt",
    "text/vcard": "vcf",
    "video/mp4": "mp4",
}


def attachment_name(part: Part, number: int) -> str:
    """The name the sender gave, or one by type: `invite.ics`, the attached mail's subject, `attachment-1.pdf`."""
    return safe_name(part.name) or safe_name(_invented(part)) or f"attachment-{number}.{extension(part.mime_type)}"


def safe_name(written: str) -> str:
    """One line without path separators and control characters, at most 255 bytes of UTF-8, the extension kept.

    Empty where nothing is left of it.
    """
    name = one_line(decode_words(written)).translate(_DIRECTIONS)
    return _bounded(_FORBIDDEN.sub("_", name).strip(" ."))


def extension(mime_type: str) -> str:
    """The usual extension of a type, without the dot; `bin` for types that are rare in mail."""
    return _EXTENSIONS.get(mime_type, "bin")


def _invented(part: Part) -> str:
    if part.mime_type == "text/calendar":
        return "invite.ics"
    return f"{part.subject}.eml" if part.subject else ""


def _bounded(name: str) -> str:
    if len(name.encode()) <= _MAX_BYTES:
        return name
    stem, dot, suffix = name.rpartition(".")
    if not stem or len(suffix) > _MAX_EXTENSION:
        stem, dot, suffix = name, "", ""
    room = _MAX_BYTES - len(f"{dot}{suffix}".encode())
    return stem.encode()[:room].decode(errors="ignore").rstrip(" .") + dot + suffix
