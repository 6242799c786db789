"""Encoded words (RFC 2047) in header values, decoded the way Gmail shows headers in `payload.headers`."""

import binascii
import re
from email.errors import HeaderParseError
from email.header import decode_header

_WORD = r"=\?[^?\s]+\?[bBqQ]\?[^?]*\?="
_RUN = re.compile(rf"{_WORD}(?:[ \t]*{_WORD})*")
_SPECIALS = re.compile(r'[()<>\[\]:;@\\,."]')
_ADDRESS_FIELDS = {"from", "to", "cc", "bcc", "reply-to", "sender", "resent-from", "resent-to", "resent-cc"}


def decode(name: str, value: str) -> str:
    """A header's value with its encoded words decoded; display names are quoted where they would not parse."""
    quoting = name.lower() in _ADDRESS_FIELDS
    return readable(_RUN.sub(lambda run: _decoded(run, quoting=quoting), value))


def readable(text: str) -> str:
    """The text without what UTF-8 can't carry (lone surrogates)."""
    return text.encode("utf-8", "replace").decode()


def _decoded(run: re.Match[str], *, quoting: bool) -> str:
    text = _text(run[0])
    inside_quotes = run.string.count('"', 0, run.start()) % 2 == 1
    if quoting and not inside_quotes and _SPECIALS.search(text):
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return text


def _text(words: str) -> str:
    """The words' text; words in an unknown charset or with broken base64 stay as they are."""
    try:
        pieces = decode_header(words)
        return "".join(_chunk(chunk, charset) for chunk, charset in pieces)
    except (HeaderParseError, binascii.Error, LookupError, ValueError):
        return words


def _chunk(chunk: bytes | str, charset: str | None) -> str:
    if isinstance(chunk, str):
        return chunk
    return chunk.decode(charset or "ascii", "replace")
