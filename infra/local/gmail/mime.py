"""Raw bytes → the tree of parts that `format=full` shows; any bytes at all make a tree.

The standard library decodes parts; splitting is done here because its parser keeps no part's exact bytes and gives up
on very deep nesting. Bodies of text parts are re-encoded as UTF-8 whatever charset they declare, as Gmail does.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message as Entity

from infra.local.gmail.encoded_words import decode as decode_words
from infra.local.gmail.header_block import Field, HeaderBlock, split

MAX_DEPTH = 40
MAX_PARTS = 1000
_LF = ord("\n")


@dataclass(frozen=True)
class Part:
    """One MIME part; `content` is decoded, text is UTF-8; `part_id` is "" at the root, then "0", "0.1", ..."""

    part_id: str
    mime_type: str
    filename: str
    fields: tuple[Field, ...]
    content: bytes
    parts: tuple["Part", ...] = ()

    def walk(self) -> Iterator["Part"]:
        """This part and all below it, in order."""
        yield self
        for part in self.parts:
            yield from part.walk()

    @property
    def is_body(self) -> bool:
        """Whether Gmail would show it as text rather than list it as an attachment."""
        return self.mime_type.startswith(("text/", "multipart/")) and not self.filename


def parse(raw: bytes) -> Part:
    """The tree of a whole message."""
    return _part(raw, "", 0, "text/plain")


def pieces_of(body: bytes, content_type: str) -> list[bytes]:
    """The parts of any multipart body, each with its header block; none if the type names no boundary."""
    return _pieces(
        body,
        _entity(HeaderBlock((Field("Content-Type", f"Content-Type: {content_type}".encode()),)), "").get_boundary(),
    )


def _part(raw: bytes, part_id: str, depth: int, default_type: str) -> Part:
    block, body = split(raw)
    entity = _entity(block, default_type)
    mime_type = entity.get_content_type()
    parts = _children(entity, body, part_id, depth) if depth < MAX_DEPTH else ()
    content = b"" if parts and mime_type.startswith("multipart/") else _content(entity, body, mime_type)
    return Part(part_id, mime_type, _filename(entity), block.fields, content, parts)


def _entity(block: HeaderBlock, default_type: str) -> Entity:
    """An empty message with the header fields that say how to read the body."""
    entity = Entity()
    entity.set_default_type(default_type)
    for name in ("Content-Type", "Content-Transfer-Encoding", "Content-Disposition"):
        value = block.first(name)
        if value is not None:
            entity[name] = value.replace("\r", " ").replace("\n", " ")
    return entity


def _children(entity: Entity, body: bytes, part_id: str, depth: int) -> tuple[Part, ...]:
    if entity.get_content_type() == "message/rfc822":
        return (_part(_decoded(entity, body), _child_id(part_id, 0), depth + 1, "text/plain"),)
    if entity.get_content_maintype() != "multipart":
        return ()
    default = "message/rfc822" if entity.get_content_subtype() == "digest" else "text/plain"
    pieces = _pieces(body, entity.get_boundary())
    return tuple(_part(piece, _child_id(part_id, i), depth + 1, default) for i, piece in enumerate(pieces))


def _child_id(part_id: str, index: int) -> str:
    return f"{part_id}.{index}" if part_id else str(index)


def _pieces(body: bytes, boundary: str | None) -> list[bytes]:
    """The parts between the boundaries; a missing last boundary ends at the end."""
    if not boundary:
        return []
    mark = re.escape(boundary.encode("utf-8", "replace"))
    delimiter = re.compile(rb"--" + mark + rb"(--)?[ \t]*(?:\r?\n|\Z)")
    found = []
    for match in delimiter.finditer(body):
        if match.start() and body[match.start() - 1] != _LF:
            continue
        found.append(match)
        if match[1] or len(found) > MAX_PARTS:
            break
    ends = [match.start() for match in found[1:]] + [len(body)] * bool(found)
    return [_piece(body, m.end(), end) for m, end in zip(found, ends, strict=True) if not m[1]]


def _piece(body: bytes, start: int, end: int) -> bytes:
    """A part without the line end before the next boundary, which belongs to that boundary."""
    piece = body[start:end]
    return piece.removesuffix(b"\n").removesuffix(b"\r") if end < len(body) else piece


def _decoded(entity: Entity, body: bytes) -> bytes:
    entity.set_payload(body.decode("ascii", "surrogateescape"))
    payload = entity.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else body


def _content(entity: Entity, body: bytes, mime_type: str) -> bytes:
    content = _decoded(entity, body)
    if not mime_type.startswith("text/"):
        return content
    return _as_utf8(content, str(entity.get_content_charset("utf-8")))


def _as_utf8(content: bytes, charset: str) -> bytes:
    try:
        return content.decode(charset).encode()
    except (LookupError, ValueError):
        return content.decode("utf-8", "replace").encode()


def _filename(entity: Entity) -> str:
    return decode_words("", entity.get_filename("") or "").replace("\x00", "")
