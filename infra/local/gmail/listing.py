"""Which messages a list call finds, newest first, and the pages they come in."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from infra.local.gmail import query
from infra.local.gmail.api import Call
from infra.local.gmail.errors import GmailError, invalid
from infra.local.gmail.mailbox import Message
from infra.local.gmail.rendering import decode, encode

Item = TypeVar("Item")
HIDDEN = {"SPAM", "TRASH"}
_METADATA = frozenset({"https://www.googleapis.com/auth/gmail.metadata"})


def found(call: Call) -> list[Message]:
    """The messages that `labelIds`, `q` and `includeSpamTrash` select, newest first."""
    if call.token.scopes & call.method.scopes <= _METADATA and call.text("q"):
        raise GmailError(403, "forbidden", "Metadata scope does not support 'q' parameter")
    search = query.parse(call.text("q"), call.mailbox)
    labels = set(call.texts("labelIds"))
    everywhere = call.flag("includeSpamTrash") or search.everywhere or bool(labels & HIDDEN)
    chosen = [
        message
        for message in call.mailbox.messages.values()
        if labels <= message.labels and (everywhere or not message.labels & HIDDEN) and search.matches(message)
    ]
    return sorted(chosen, key=position, reverse=True)


def position(message: Message) -> tuple[int, str]:
    """Where a message stands in lists."""
    return message.internal_ms, message.id


def page(call: Call, items: Sequence[Item], place: Callable[[Item], tuple[int, str]]) -> tuple[list[Item], str]:
    """One page of a falling list and the next one's token ("" at the end); new mail in between moves nothing."""
    size = call.number("maxResults", 100, 500)
    after = _place(call.text("pageToken"))
    rest = [item for item in items if after is None or place(item) < after]
    shown = rest[:size]
    token = encode("{}:{}".format(*place(shown[-1])).encode()) if len(rest) > size else ""
    return shown, token


def _place(token: str) -> tuple[int, str] | None:
    if not token:
        return None
    time, colon, message_id = decode(token).decode("ascii", "replace").partition(":")
    if not colon or not time.isdigit():
        raise invalid("Invalid pageToken")
    return int(time), message_id
