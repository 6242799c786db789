"""What `/_sim` can set: how Google behaves today, where nobody is certain or a test wants another weather."""

from typing import Any, TypeVar

import msgspec

from infra.local.gmail.errors import invalid

Switches = TypeVar("Switches", bound=msgspec.Struct)


class Behaviour(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """Traits of Gmail that are not certain, each with the better-founded answer as the default.

    rewriteMessageId: API sends get a new Message-ID (s).  decodeHeaders: encoded words are decoded in payload.headers (?).
    textInlineLimit: bytes up to which text bodies carry data.  batchConcurrency: calls of one batch that are
    served before the rest draws 429 (null: all).  recipientLimit: recipients of one message (100 or 500 (?)).
    testing: the consent screen is in *Testing*, refresh tokens die after 7 days.
    stopSeconds: how long notifications go on after `stop` (minutes in real life).
    """

    rewrite_message_id: bool = True
    decode_headers: bool = True
    text_inline_limit: int = 2**21
    batch_concurrency: int | None = 25
    recipient_limit: int = 500
    testing: bool = False
    stop_seconds: float = 0


class Lag(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """How far `history.list` is behind: changes younger than `ms` are unseen; the next `count` calls see nothing new."""

    ms: int = 0
    count: int = 0


class Tariff(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """What calls cost (`2025` or `2026`), whether the minute's limit is held, and with which status (403 or 429)."""

    name: str = "2026"
    enforce: bool = True
    status: int = 403


class Travel(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """How notifications travel.

    duplicate: extra copies of each.  reorder: each is held back until the next one (or 2 s) has gone.
    drop: true loses all, a number loses that many.  delayMs: on the way.  intervalMs: at most one per mailbox and
    interval.  surplus: what happens to more: `coalesce` (one later, with the last state) or `drop`.
    """

    duplicate: int = 0
    reorder: bool = False
    drop: bool | int = False
    delay_ms: int = 0
    interval_ms: int = 1000
    surplus: str = "coalesce"


def changed(current: Switches, wishes: Any) -> Switches:
    """The switches with some of them set anew; 400 for a name or value that they don't have."""
    if not isinstance(wishes, dict):
        raise invalid("Send a JSON object")
    try:
        return msgspec.convert({**msgspec.to_builtins(current), **wishes}, type(current), strict=False)
    except msgspec.ValidationError as exc:
        raise invalid(f"{exc}; known: {', '.join(msgspec.to_builtins(current))}") from exc
