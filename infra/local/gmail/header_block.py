"""The header block of a message as bytes: split, looked up and rewritten without touching any other byte."""

import re
from dataclasses import dataclass

_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_LEADING_BLANK = re.compile(rb"\r?\n")
_FIELD_NAME = re.compile(rb"([!-9;-~]+)[ \t]*:")
_FOLD = re.compile(r"\r?\n(?=[ \t])")


@dataclass(frozen=True)
class Field:
    """One header field: its name, and its line(s) as they came, folding included, without the last line end."""

    name: str
    line: bytes

    @property
    def value(self) -> str:
        """The unfolded value; bytes beyond ASCII read as UTF-8, or else as Latin-1."""
        text = as_text(self.line.split(b":", 1)[1])
        return _FOLD.sub("", text).strip(" \t\r\n")


@dataclass(frozen=True)
class HeaderBlock:
    """The fields of a message or part in their order."""

    fields: tuple[Field, ...]

    def values(self, name: str) -> list[str]:
        """All values of a field, whatever its case."""
        return [field.value for field in self.fields if field.name.lower() == name.lower()]

    def first(self, name: str) -> str | None:
        """The first value of a field, None if there is none."""
        return next(iter(self.values(name)), None)

    def without(self, *names: str) -> "HeaderBlock":
        """The block without any field of these names."""
        gone = {name.lower() for name in names}
        return HeaderBlock(tuple(field for field in self.fields if field.name.lower() not in gone))

    def having(self, name: str, value: str) -> "HeaderBlock":
        """The block with this one value of a field, put first."""
        line = f"{name}: {value}".encode()
        return HeaderBlock((Field(name, line), *self.without(name).fields))

    def joined(self, body: bytes) -> bytes:
        """The whole message again."""
        return b"".join(field.line + b"\r\n" for field in self.fields) + b"\r\n" + body


def split(raw: bytes) -> tuple[HeaderBlock, bytes]:
    """Header block and body of any bytes; a line that is no header field begins the body."""
    start = raw.index(b"\n") + 1 if raw.startswith(b"From ") and b"\n" in raw else 0
    lead = _LEADING_BLANK.match(raw, start)
    if lead:
        return HeaderBlock(()), raw[lead.end() :]
    end = _BLANK_LINE.search(raw, start)
    stop, body_start = (end.start(), end.end()) if end else (len(raw), len(raw))
    return _fields(raw, start, stop, body_start)


def _fields(raw: bytes, start: int, stop: int, body_start: int) -> tuple[HeaderBlock, bytes]:
    lines: list[tuple[str, list[bytes]]] = []
    position = start
    for line in raw[start:stop].split(b"\n"):
        named = _FIELD_NAME.match(line)
        if line[:1] in (b" ", b"\t") and lines:
            lines[-1][1].append(line)
        elif named:
            lines.append((named[1].decode("ascii"), [line]))
        else:
            body_start = position
            break
        position += len(line) + 1
    fields = tuple(Field(name, b"\n".join(parts).removesuffix(b"\r")) for name, parts in lines)
    return HeaderBlock(fields), raw[body_start:]


def as_text(octets: bytes) -> str:
    """Bytes of a header as text: UTF-8 if they are that, Latin-1 if not."""
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        return octets.decode("latin-1")
