"""Headers as Gmail lists them, by name; never raises, whatever stands in them."""

import re
from collections import defaultdict
from collections.abc import Iterable
from urllib.parse import unquote_to_bytes

from mailbridge.domain.addresses import Address, parse_list
from mailbridge.domain.mail.text import decode_bytes, decode_words, one_line

_MAX_IDS = 100
_MAX_ID_LENGTH = 900
_MAX_PARAMETERS = 8192

_MESSAGE_ID = re.compile(r"<([^<>]+)>")
_BARE_ID = re.compile(r"[^\s<>,;\"()]+@[^\s<>,;\"()]+")
_PARAMETER = re.compile(r";\s*([^\s=;\"]+)\s*=\s*(\"[^\"\\]*(?:\\.[^\"\\]*)*\"|[^;]*)", re.DOTALL)
_SEGMENT = re.compile(r"([^*]+)(?:\*(\d{1,3}))?(\*)?")

Segments = dict[int, tuple[str, bool]]


class Headers:
    """A message's or part's headers, by name in any case, in their order."""

    def __init__(self, resource: object) -> None:
        """From Gmail's list of `{name, value}`; anything else in it is passed over."""
        self._values: dict[str, list[str]] = defaultdict(list)
        for item in resource if isinstance(resource, list) else ():
            name, value = (item.get("name"), item.get("value")) if isinstance(item, dict) else (None, None)
            if isinstance(name, str) and isinstance(value, str):
                self._values[name.lower()].append(value)

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of this header, as it came."""
        return tuple(self._values.get(name.lower(), ()))

    def first(self, name: str) -> str:
        """The first value of this header, in one line but not decoded; empty where there is none."""
        return one_line(next(iter(self.all(name)), ""))

    def decoded(self, name: str) -> str:
        """The first value as people read it: encoded words decoded, one line."""
        return one_line(decode_words(next(iter(self.all(name)), "")))

    def addresses(self, *names: str) -> tuple[Address, ...]:
        """The addresses of these headers, each once."""
        return parse_list(value for name in names for value in self.all(name))

    def message_ids(self, name: str) -> tuple[str, ...]:
        """Every message id in this header, without `<>`, each once, the last 100 (P18)."""
        found = (message_id for value in self.all(name) for message_id in _message_ids(value))
        return tuple(dict.fromkeys(found))[-_MAX_IDS:]


def parameters(value: str) -> tuple[str, dict[str, str]]:
    """`text/plain; charset=utf-8` as its lower-case value and its parameters, RFC 2231 and RFC 2047 decoded.

    The standard library's reader raises on some of what strangers write here, and slows down on more.
    """
    value = value[:_MAX_PARAMETERS]
    segments: dict[str, Segments] = defaultdict(dict)
    plain: dict[str, str] = {}
    for match in _PARAMETER.finditer(value):
        name, content = match[1].lower(), _unquoted(match[2].strip())
        segment = _SEGMENT.fullmatch(name)
        if segment and (segment[2] or segment[3]):
            segments[segment[1]].setdefault(int(segment[2] or 0), (content, bool(segment[3])))
        else:
            plain.setdefault(name, one_line(decode_words(content)))
    extended = {name: one_line(_extended(parts)) for name, parts in segments.items()}
    return value.partition(";")[0].strip().lower(), plain | extended


def _message_ids(value: str) -> Iterable[str]:
    value = one_line(value)
    found = _MESSAGE_ID.findall(value) or _BARE_ID.findall(value)
    joined = ("".join(message_id.split()) for message_id in found)
    return (message_id for message_id in joined if 0 < len(message_id) <= _MAX_ID_LENGTH)


def _unquoted(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] == '"':
        return re.sub(r'\\(["\\])', r"\1", value[1:-1])
    return value


def _extended(segments: Segments) -> str:
    """RFC 2231: the segments of a value in their order; the first encoded one names the charset."""
    charset, data = "utf-8", b""
    for position, (_, (content, encoded)) in enumerate(sorted(segments.items())):
        if encoded and position == 0 and content.count("'") >= 2:
            charset, _, written = content.split("'", 2)
        else:
            written = content
        data += unquote_to_bytes(written) if encoded else written.encode("utf-8", "replace")
    return decode_bytes(data, charset or "utf-8")
