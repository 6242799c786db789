"""`users.labels`: Gmail's own labels and the user's."""

from infra.local.gmail.api import Call
from infra.local.gmail.errors import JSON, GmailError, invalid, not_found
from infra.local.gmail.label_names import SYSTEM_LABELS, UserLabel
from infra.local.gmail.mailbox import Mailbox, Message

_SETTINGS = ("messageListVisibility", "labelListVisibility", "color")


def list_labels(call: Call) -> JSON:
    """All labels, without counts."""
    system = [_system(name) for name in SYSTEM_LABELS]
    return {"labels": system + [label.resource() for label in call.mailbox.user_labels.values()]}


def get_label(call: Call) -> JSON:
    """One label with its counts."""
    label_id = call.path["id"]
    shape = _system(label_id) if label_id in SYSTEM_LABELS else _user(call).resource()
    return shape | _counts(call.mailbox, label_id)


def create_label(call: Call) -> JSON:
    """A new label of the user's; 409 where the name is taken."""
    name = _free_name(call, "")
    return call.mailbox.add_label(name, _settings(call)).resource()


def change_label(call: Call) -> JSON:
    """Rename or restyle one of the user's labels."""
    label = _user(call)
    if "name" in call.body:
        label.name = _free_name(call, label.id)
    label.settings |= _settings(call)
    return label.resource()


def delete_label(call: Call) -> None:
    """Remove a label, also from the messages that have it."""
    label = _user(call)
    for message in _having(call.mailbox, label.id):
        call.mailbox.relabel(message, (), {label.id})
    del call.mailbox.user_labels[label.id]


def _system(name: str) -> JSON:
    return {"id": name, "name": name, "type": "system"}


def _user(call: Call) -> UserLabel:
    label = call.mailbox.user_labels.get(call.path["id"])
    if call.path["id"] in SYSTEM_LABELS:
        raise invalid("Invalid update request: a system label can't be changed")
    if label is None:
        raise not_found()
    return label


def _free_name(call: Call, own_id: str) -> str:
    name = str(call.body.get("name", "")).strip()
    if not name:
        raise invalid("Invalid label name")
    others = [label.name for label in call.mailbox.user_labels.values() if label.id != own_id]
    if name.lower() in {other.lower() for other in [*others, *SYSTEM_LABELS]}:
        raise GmailError(409, "aborted", "Label name exists or conflicts")
    return name


def _settings(call: Call) -> JSON:
    return {name: call.body[name] for name in _SETTINGS if name in call.body}


def _having(mailbox: Mailbox, label_id: str) -> list[Message]:
    return [message for message in mailbox.messages.values() if label_id in message.labels]


def _counts(mailbox: Mailbox, label_id: str) -> JSON:
    having = _having(mailbox, label_id)
    unread = [message for message in having if "UNREAD" in message.labels]
    return {
        "messagesTotal": len(having),
        "messagesUnread": len(unread),
        "threadsTotal": len({message.thread_id for message in having}),
        "threadsUnread": len({message.thread_id for message in unread}),
    }


METHODS = {
    "labels.list": list_labels,
    "labels.get": get_label,
    "labels.create": create_label,
    "labels.update": change_label,
    "labels.patch": change_label,
    "labels.delete": delete_label,
}
