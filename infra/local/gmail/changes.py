"""Label changes as messages and threads share them: checked, then applied to each message."""

from collections.abc import Iterable

from infra.local.gmail.api import Call
from infra.local.gmail.errors import JSON, invalid
from infra.local.gmail.label_names import FIXED_LABELS, SYSTEM_LABELS
from infra.local.gmail.mailbox import Mailbox, Message


def wishes(call: Call) -> tuple[list[str], list[str]]:
    """`addLabelIds` and `removeLabelIds` of a modify call; 400 for a label that is unknown or Gmail's to give."""
    add, remove = _labels(call.body, "addLabelIds"), _labels(call.body, "removeLabelIds")
    if not add and not remove:
        raise invalid("No label add or removes specified")
    check_known(call.mailbox, [*add, *remove])
    fixed = FIXED_LABELS & {*add, *remove}
    if fixed:
        raise invalid(f"Invalid label: {sorted(fixed)[0]}")
    return add, remove


def check_known(mailbox: Mailbox, labels: Iterable[str]) -> None:
    """Refuse (400) a label that neither Gmail nor the user has."""
    for label in labels:
        if label not in SYSTEM_LABELS and label not in mailbox.user_labels:
            raise invalid(f"labelId not found: {label}")


def trash(mailbox: Mailbox, message: Message) -> None:
    """Into the trash, and so out of the inbox."""
    mailbox.relabel(message, {"TRASH"}, {"INBOX"})


def untrash(mailbox: Mailbox, message: Message) -> None:
    """Out of the trash."""
    mailbox.relabel(message, (), {"TRASH"})


def _labels(body: JSON, name: str) -> list[str]:
    value = body.get(name, [])
    if not isinstance(value, list) or len(value) > 100:
        raise invalid(f"{name} must be a list of at most 100 labels")
    return [str(label) for label in value]
