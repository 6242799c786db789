"""Gmail's search language, as far as programs use it; an operator that is not known here is refused, not ignored."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from infra.local.gmail.encoded_words import decode as decode_words
from infra.local.gmail.errors import invalid
from infra.local.gmail.mailbox import Mailbox, Message
from infra.local.gmail.thread_rules import message_ids

Test = Callable[[Message], bool]
_TERM = re.compile(r'(-?)(?:([A-Za-z0-9_]+):)?(?:"([^"]*)"|(\S+))')
_SPAN = re.compile(r"(\d+)([hdmy])")
_SPAN_SECONDS = {"h": 3600, "d": 86400, "m": 30 * 86400, "y": 365 * 86400}
_PLACES = {"drafts": "DRAFT", "draft": "DRAFT", "chats": "CHAT"}
_STATES = {"unread": "UNREAD", "starred": "STARRED", "important": "IMPORTANT", "sent": "SENT", "chat": "CHAT"}


@dataclass(frozen=True)
class Query:
    """A parsed search: a message matches if each group has a test that holds."""

    groups: tuple[tuple[Test, ...], ...] = ()
    everywhere: bool = False

    def matches(self, message: Message) -> bool:
        """Whether a message is found."""
        return all(any(test(message) for test in group) for group in self.groups)


def parse(text: str, mailbox: Mailbox) -> Query:
    """The search that `q` means; terms are joined by AND, or by OR between them. 400 for what is not known."""
    if re.search(r"[(){}]", text):
        raise invalid("This simulator's search knows no brackets or braces: use OR, or several calls")
    groups: list[tuple[Test, ...]] = []
    joined, everywhere = False, False
    for minus, operator, phrase, word in _TERM.findall(text):
        if not operator and word in {"OR", "AND"}:
            joined = word == "OR" and bool(groups)
            continue
        value = phrase or word
        test = _negated(_test(operator.lower(), value, mailbox), minus)
        everywhere |= operator.lower() == "in" and value.lower() in {"anywhere", "spam", "trash"}
        groups[-1:] = [(*groups[-1], test)] if joined else [*groups[-1:], (test,)]
        joined = False
    return Query(tuple(groups), everywhere)


def _negated(test: Test, minus: str) -> Test:
    return (lambda message: not test(message)) if minus else test


def _test(operator: str, value: str, mailbox: Mailbox) -> Test:
    build = _OPERATORS.get(operator)
    if build is None:
        raise invalid(f"This simulator's search does not know the operator {operator}:")
    return build(value, mailbox)


def _header(*names: str) -> Callable[[str, Mailbox], Test]:
    def build(value: str, _mailbox: Mailbox) -> Test:
        return lambda message: any(value.lower() in text for text in _values(message, names))

    return build


def _values(message: Message, names: Iterable[str]) -> list[str]:
    return [decode_words(name, value).lower() for name in names for value in message.head.values(name)]


def _text(value: str, _mailbox: Mailbox) -> Test:
    def test(message: Message) -> bool:
        bodies = [part.content.decode("utf-8", "replace").lower() for part in message.part.walk() if part.is_body]
        return any(value.lower() in text for text in [*_values(message, ("Subject", "From", "To", "Cc")), *bodies])

    return test


def _rfc_id(value: str, _mailbox: Mailbox) -> Test:
    wanted = value.strip("<>")
    return lambda message: any(found[1:-1] == wanted for found in message_ids(message.head.values("Message-ID")))


def _place(value: str, mailbox: Mailbox) -> Test:
    if value.lower() == "anywhere":
        return lambda _message: True
    return _label(_PLACES.get(value.lower(), value), mailbox)


def _label(value: str, mailbox: Mailbox) -> Test:
    named = [label.id for label in mailbox.user_labels.values() if _dashed(label.name) == _dashed(value)]
    wanted = {value.upper(), *named}
    return lambda message: bool(wanted & message.labels)


def _dashed(name: str) -> str:
    return re.sub(r"[\s/]+", "-", name.lower())


def _state(value: str, _mailbox: Mailbox) -> Test:
    if value.lower() == "read":
        return lambda message: "UNREAD" not in message.labels
    if value.lower() not in _STATES:
        raise invalid(f"This simulator's search does not know is:{value}")
    return lambda message: _STATES[value.lower()] in message.labels


def _has(value: str, _mailbox: Mailbox) -> Test:
    if value.lower() != "attachment":
        raise invalid(f"This simulator's search does not know has:{value}")
    return lambda message: any(part.filename for part in message.part.walk())


def _filename(value: str, _mailbox: Mailbox) -> Test:
    return lambda message: any(value.lower() in part.filename.lower() for part in message.part.walk())


def _since(value: str, _mailbox: Mailbox) -> Test:
    earliest = _moment(value)
    return lambda message: message.internal_ms >= earliest * 1000


def _until(value: str, _mailbox: Mailbox) -> Test:
    latest = _moment(value)
    return lambda message: message.internal_ms < latest * 1000


def _moment(value: str) -> float:
    """Seconds since the epoch of `YYYY/MM/DD` (a UTC day) or of a number of seconds."""
    if value.isdigit() and len(value) > 4:
        return int(value)
    try:
        return datetime.strptime(value.replace("-", "/"), "%Y/%m/%d").replace(tzinfo=UTC).timestamp()
    except ValueError as exc:
        raise invalid(f"{value} is no date: YYYY/MM/DD or seconds since 1970") from exc


def _newer(value: str, mailbox: Mailbox) -> Test:
    earliest = mailbox.clock.now() - _span(value)
    return lambda message: message.internal_ms >= earliest * 1000


def _older(value: str, mailbox: Mailbox) -> Test:
    latest = mailbox.clock.now() - _span(value)
    return lambda message: message.internal_ms < latest * 1000


def _span(value: str) -> int:
    found = _SPAN.fullmatch(value)
    if not found:
        raise invalid(f"{value} is no span of time: a number and h, d, m or y")
    return int(found[1]) * _SPAN_SECONDS[found[2]]


_OPERATORS: dict[str, Callable[[str, Mailbox], Test]] = {
    "": _text,
    "from": _header("From"),
    "to": _header("To", "Cc", "Bcc"),
    "cc": _header("Cc"),
    "bcc": _header("Bcc"),
    "subject": _header("Subject"),
    "list": _header("List-Id"),
    "rfc822msgid": _rfc_id,
    "in": _place,
    "label": _label,
    "is": _state,
    "has": _has,
    "filename": _filename,
    "after": _since,
    "newer": _since,
    "before": _until,
    "older": _until,
    "newer_than": _newer,
    "older_than": _older,
}
