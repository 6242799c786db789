"""Which thread a message belongs to: Message-IDs in References and In-Reply-To, and the same subject."""

import re
from collections.abc import Iterable

from infra.local.gmail.encoded_words import decode as decode_words
from infra.local.gmail.header_block import HeaderBlock

_MESSAGE_ID = re.compile(r"<[^<>\s]+>")
_PREFIX = re.compile(r"^(?:(?:re|fwd?|aw|wg|sv|vs|antw|tr|rif|res|enc)(?:\[\d+\])?\s*:\s*)+", re.IGNORECASE)


def message_ids(values: Iterable[str]) -> list[str]:
    """All `<ids>` that some header values name, in order."""
    return [found for value in values for found in _MESSAGE_ID.findall(value)]


def referenced(head: HeaderBlock) -> list[str]:
    """The ids that a message answers, nearest first."""
    return message_ids(head.values("In-Reply-To")) + message_ids(head.values("References"))[::-1]


def subject_key(head: HeaderBlock) -> str:
    """The subject as threads compare it: without Re:/Fwd: and their kin, case and spacing apart."""
    subject = " ".join(decode_words("Subject", head.first("Subject") or "").split())
    return _PREFIX.sub("", subject).casefold()
