"""Mail addresses: one canonical form to compare by, a check for input, and lists as strangers write them."""

import re
import unicodedata
from collections.abc import Iterable, Iterator

import idna
import msgspec

from mailbridge.domain.mail.text import decode_words, one_line

_MAX_ADDRESS = 254
_MAX_LOCAL = 64
_MAX_NAME = 256

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-\u00a1-\U0010ffff]+"
_LOCAL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")

_TOKEN = re.compile(
    r"""
    (?P<space>[\s>]+)
    | (?P<local>"[^"\\]*(?:\\.[^"\\]*)*"@[^\s",;:<>()]+)    # "a quoted local part"@example.com
    | "(?P<quoted>[^"\\]*(?:\\.[^"\\]*)*)"
    | <(?P<angle>[^<>]*)
    | (?P<end>[,;])
    | (?P<group>:)
    | (?P<comment>\()
    | (?P<word>=\?[^?\s]+\?[bBqQ]\?[^?\s]*\?=|[^\s",;:<>()]+)
    | (?P<stray>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_PREFIX = re.compile(r"mailto:|@[^:]*:", re.IGNORECASE)
_COMMENT = re.compile(r"\\.|[()]", re.DOTALL)
_UNPAIRED = str.maketrans('"()', "   ")


class Address(msgspec.Struct, frozen=True, rename="camel"):
    """A mail address as it was written, and the name beside it; compare addresses by `normalise(email)`."""

    email: str
    name: str = ""


class _UnbalancedError(Exception):
    """A quote or a comment that never ends."""


def normalise(email: str) -> str:
    """The form to compare by (B7): trimmed, lower case, the domain in IDNA's ASCII form; dots and tags stay."""
    local, at, domain = unicodedata.normalize("NFC", email.strip()).rpartition("@")
    return unicodedata.normalize("NFC", local.lower()) + at + ascii_domain(domain)


def ascii_domain(domain: str) -> str:
    """A domain in lower case and IDNA's ASCII form; one that IDNA refuses stays as it is, in lower case."""
    lowered = domain.lower().rstrip(".")
    if lowered.isascii() or len(lowered) > _MAX_ADDRESS:
        return lowered
    try:
        return idna.encode(lowered, uts46=True).decode("ascii").lower()
    except idna.IDNAError:
        return unicodedata.normalize("NFC", lowered)


def is_address(text: str) -> bool:
    """Whether this is one plain address (RFC 5321, RFC 6531): no name, no quoted local part, no address literal."""
    local, _, domain = text.rpartition("@")
    if len(text.encode("utf-8", "replace")) > _MAX_ADDRESS or len(local.encode("utf-8", "replace")) > _MAX_LOCAL:
        return False
    return bool(_LOCAL.fullmatch(local)) and local.isprintable() and _is_domain(ascii_domain(domain), domain)


def parse_list(header_values: Iterable[str]) -> tuple[Address, ...]:
    """The addresses of one field's headers, in order, each once; what is none is left out; never raises (P29)."""
    unique: dict[str, Address] = {}
    for value in header_values:
        for address in _addresses(value):
            unique.setdefault(normalise(address.email), address)
    return tuple(unique.values())


def _is_domain(ascii_form: str, written: str) -> bool:
    labels = ascii_form.split(".")
    plausible = len(labels) > 1 and not labels[-1].isdigit() and not written.endswith(".")
    return plausible and all(_LABEL.fullmatch(label) for label in labels)


def _addresses(value: str) -> list[Address]:
    try:
        return list(_mailboxes(value))
    except _UnbalancedError:
        return list(_mailboxes(value.translate(_UNPAIRED)))


def _mailboxes(text: str) -> Iterator[Address]:
    words: list[str] = []
    comments: list[str] = []
    angle = ""
    for kind, value in [*_tokens(text), ("end", ",")]:
        if kind == "end":
            if address := _address(words, comments, angle):
                yield address
            words, comments, angle = [], [], ""
        elif kind == "group":
            words = []
        elif kind == "angle":
            angle = value if "@" in value else angle
        else:
            (comments if kind == "comment" else words).append(value)


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    position = 0
    while match := _TOKEN.match(text, position):
        kind, position = match.lastgroup or "stray", match.end()
        value = match[kind]
        if kind == "stray":
            raise _UnbalancedError
        if kind == "comment":
            start, position = position, _comment_end(text, position)
            value = text[start : position - 1]
        if kind == "quoted":
            value = re.sub(r"\\(.)", r"\1", value)
        if kind != "space":
            yield kind, value


def _comment_end(text: str, position: int) -> int:
    depth = 1
    for match in _COMMENT.finditer(text, position):
        depth += {"(": 1, ")": -1}.get(match[0], 0)
        if depth == 0:
            return match.end()
    raise _UnbalancedError


def _address(words: list[str], comments: list[str], angle: str) -> Address | None:
    written = angle or next((word for word in reversed(words) if "@" in word), "")
    email = _email(written)
    if not email:
        return None
    name = _name(words if angle else [word for word in words if word != written]) or _name(comments)
    return Address(email=email, name="" if normalise(name) == normalise(email) else name)


def _email(written: str) -> str:
    """The bare address, or nothing: no source route, `mailto:`, quotes around it, spaces, control characters."""
    line = one_line(written)
    bare = line if line.startswith('"') else re.sub(r"\s+", "", line)
    if prefix := _PREFIX.match(bare):
        bare = bare[prefix.end() :]
    bare = bare.strip("'") if bare.endswith("'") else bare
    local, _, domain = bare.rpartition("@")
    plausible = local and domain.strip(".") and len(bare) <= _MAX_ADDRESS + _MAX_LOCAL
    return bare if plausible and not re.search(r'[<>,;"()\\]', domain) else ""


def _name(words: Iterable[str]) -> str:
    name = one_line(decode_words(" ".join(words)))
    return name[1:-1].strip()[:_MAX_NAME] if len(name) > 1 and name[0] == name[-1] == "'" else name[:_MAX_NAME]
