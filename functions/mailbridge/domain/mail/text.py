"""Bytes and header words from strangers, as text that is safe to store and to show in one line."""

import base64
import binascii
import re
from collections.abc import Iterable
from itertools import groupby
from typing import NamedTuple

_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?]*)\?=")
_BREAKS = re.compile("[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]+[ \t]*")
_SURROGATES = re.compile("[\ud800-\udfff]")
_CONTROLS = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0)])
_CONTROLS_OF_LINES = _CONTROLS | {ord("\t"): " "}
_CONTROLS_OF_TEXT = {code: None for code in _CONTROLS if code not in b"\t\n\r"}

# Names that mail gives to a smaller character set than the one it then uses (the WHATWG's "labels").
_SUPERSETS = {
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "iso-8859-9": "cp1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc-kr": "cp949",
    "ks_c_5601-1987": "cp949",
    "shift_jis": "cp932",
    "x-sjis": "cp932",
    "iso-8859-8-i": "iso-8859-8",
    "windows-874": "cp874",
}
# Python's codecs for other purposes than text, some of them slow on hostile input.
_NOT_CHARSETS = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined"})


class _Word(NamedTuple):
    charset: str | None
    data: bytes
    literal: str = ""


def decode_text(data: bytes, charset: str) -> str:
    """A text part's bytes: UTF-8, then the declared charset, then windows-1252; never raises (P27).

    Gmail re-encodes text parts as UTF-8 whatever they declare: so UTF-8 comes first, unless escapes say ISO-2022.
    """
    escaped = charset.lower().startswith("iso-2022") and b"\x1b" in data
    text = _decode(data, (charset, "utf-8") if escaped else ("utf-8", charset))
    return _SURROGATES.sub("\ufffd", text.removeprefix("\ufeff")).translate(_CONTROLS_OF_TEXT)


def decode_words(text: str) -> str:
    """All RFC 2047 encoded words of a header value; neighbours of one charset may share a character (P27)."""
    words: list[_Word] = []
    position = 0
    for match in _WORD.finditer(text):
        between = text[position : match.start()]
        if between.strip() or (between and not words):
            words.append(_Word(None, b"", between))
        words.append(_Word(match[1].partition("*")[0].lower(), _word_bytes(match[2], match[3])))
        position = match.end()
    return _joined(words) + text[position:]


def decode_bytes(data: bytes, charset: str) -> str:
    """Bytes of a header's word or parameter: the declared charset, then UTF-8, then windows-1252; never raises."""
    return _decode(data, (charset, "utf-8"))


def one_line(text: str) -> str:
    """Text without line breaks, control characters, NUL and lone surrogates, and without spaces around it (P29)."""
    text = _BREAKS.sub(" ", _SURROGATES.sub("\ufffd", text))
    return text.translate(_CONTROLS_OF_LINES).strip()


def _joined(words: list[_Word]) -> str:
    runs = groupby(words, key=lambda word: word.charset)
    return "".join(
        "".join(word.literal for word in run)
        if charset is None
        else decode_bytes(b"".join(word.data for word in run), charset)
        for charset, run in runs
    )


def _word_bytes(encoding: str, payload: str) -> bytes:
    raw = payload.encode("utf-8", "replace")
    if encoding in "qQ":
        return binascii.a2b_qp(raw, header=True)
    letters = re.sub(rb"[^A-Za-z0-9+/]", b"", raw.translate(bytes.maketrans(b"-_", b"+/")))
    usable = letters[:-1] if len(letters) % 4 == 1 else letters
    return base64.b64decode(usable + b"=" * (-len(usable) % 4))


def _decode(data: bytes, charsets: Iterable[str]) -> str:
    for charset in charsets:
        name = charset.strip().lower()
        if name.replace("-", "_") in _NOT_CHARSETS:
            continue
        try:
            return data.decode(_SUPERSETS.get(name, name))
        except (LookupError, ValueError):
            continue
    return data.decode("cp1252", "replace")
