"""A mail in short: its fingerprint and its snippet."""

import hashlib
import re
from collections.abc import Iterable

import msgspec

from mailbridge.domain.addresses import normalise
from mailbridge.domain.mail.model import Body, Envelope

_MAX_SNIPPET = 200
_MAX_READ = 20_000
_ATTRIBUTION_LINES = 3

_PADDING = re.compile("[\\s\u00ad\u034f\u200b-\u200f\u2060\ufeff]{2,}|\\s")
_ADDRESS_OF_LINK = re.compile(r"\s?<https?://[^<>\s]*>")
_ORIGINAL = re.compile(r"\s*(?:-{3,}\s?\w[\w ]{3,40}\s?-{3,}|_{20,})\s*")


def fingerprint(envelope: Envelope, body: Body) -> str:
    """64 hex digits over what a mail says (B11): its authors, subject and text, its attachments' names and sizes.

    The copies of a mail in several mailboxes share it; a mail that repeats another's Message-ID with other content has
    its own (P35). Line ends, spaces at the end of lines, recipients and transport headers do not count.
    """
    content = (
        sorted(normalise(address.email) for address in envelope.from_),
        " ".join(envelope.subject.split()),
        _lines(body.text),
        _lines(body.html),
        sorted((attachment.name, attachment.size) for attachment in body.attachments),
    )
    return hashlib.sha256(msgspec.json.encode(content)).hexdigest()


def snippet(body: Body) -> str:
    """The beginning of what is new in the mail, in one line of at most 200 characters; what it quotes is left out."""
    lines = body.text[:_MAX_READ].split("\n")
    return _cut(_flat(_new(lines))) or _cut(_flat(line.lstrip("> ") for line in lines))


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.strip().splitlines()]


def _new(lines: list[str]) -> list[str]:
    kept: list[str] = []
    previous = ""
    for line in lines:
        if _ORIGINAL.fullmatch(line):
            break
        if not line.startswith(">"):
            kept.append(line)
        elif not previous.startswith(">"):
            _drop_attribution(kept)
        previous = line
    return kept


def _drop_attribution(lines: list[str]) -> None:
    """Take out the "On 3 March, Anna wrote:" that stands right before a quote."""
    while lines and not lines[-1].strip():
        lines.pop()
    start = len(lines)
    while start and lines[start - 1].strip() and len(lines) - start <= _ATTRIBUTION_LINES:
        start -= 1
    attribution = " ".join(lines[start:])
    dated = any(sign.isdigit() or sign == "@" for sign in attribution)
    if dated and attribution.endswith(":") and len(lines) - start <= _ATTRIBUTION_LINES:
        del lines[start:]


def _flat(lines: Iterable[str]) -> str:
    return _PADDING.sub(" ", _ADDRESS_OF_LINK.sub("", " ".join(lines))).strip()


def _cut(text: str) -> str:
    if len(text) <= _MAX_SNIPPET:
        return text
    head = text[: _MAX_SNIPPET - 1]
    return (head.rpartition(" ")[0] if " " in head[_MAX_SNIPPET // 2 :] else head).rstrip() + "…"
