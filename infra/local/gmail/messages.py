"""`users.messages` and its attachments, but for what brings new mail in."""

from infra.local.gmail import changes, listing
from infra.local.gmail.api import Call
from infra.local.gmail.errors import JSON, invalid
from infra.local.gmail.mailbox import Message
from infra.local.gmail.rendering import attachment, encode, message_resource


def get_message(call: Call) -> JSON:
    """Gmail's `Message` in the format asked for."""
    return message_resource(_message(call), call.view())


def list_messages(call: Call) -> JSON:
    """Ids, newest first; `messages` is missing where there are none."""
    messages = listing.found(call)
    shown, token = listing.page(call, messages, listing.position)
    answer: JSON = {"resultSizeEstimate": len(messages)}
    answer |= {"messages": [{"id": m.id, "threadId": m.thread_id} for m in shown]} if shown else {}
    return answer | ({"nextPageToken": token} if token else {})


def modify_message(call: Call) -> JSON:
    """Add and remove labels."""
    message = _message(call)
    call.mailbox.relabel(message, *changes.wishes(call))
    return brief(message)


def trash_message(call: Call) -> JSON:
    """Into the trash."""
    changes.trash(call.mailbox, _message(call))
    return brief(_message(call))


def untrash_message(call: Call) -> JSON:
    """Out of the trash."""
    changes.untrash(call.mailbox, _message(call))
    return brief(_message(call))


def delete_message(call: Call) -> None:
    """Gone for ever."""
    call.mailbox.delete(_message(call))


def batch_modify(call: Call) -> None:
    """Labels of up to 1,000 messages; ids that are not there are passed over."""
    add, remove = changes.wishes(call)
    for message in _several(call):
        call.mailbox.relabel(message, add, remove)


def batch_delete(call: Call) -> None:
    """Up to 1,000 messages gone for ever."""
    for message in _several(call):
        call.mailbox.delete(message)


def get_attachment(call: Call) -> JSON:
    """Gmail's `MessagePartBody` with the data."""
    part = attachment(call.mailbox.get(call.path["messageId"]), call.path["id"])
    return {"size": len(part.content), "data": encode(part.content)}


def brief(message: Message) -> JSON:
    """What calls answer that change a message or bring one in."""
    return {"id": message.id, "threadId": message.thread_id, "labelIds": sorted(message.labels)}


def _message(call: Call) -> Message:
    return call.mailbox.get(call.path["id"])


def _several(call: Call) -> list[Message]:
    ids = call.body.get("ids", [])
    if not isinstance(ids, list) or not 0 < len(ids) <= 1000:
        raise invalid("ids must name 1 to 1,000 messages")
    return [call.mailbox.messages[i] for i in dict.fromkeys(map(str, ids)) if i in call.mailbox.messages]


METHODS = {
    "messages.get": get_message,
    "messages.list": list_messages,
    "messages.modify": modify_message,
    "messages.trash": trash_message,
    "messages.untrash": untrash_message,
    "messages.delete": delete_message,
    "messages.batchModify": batch_modify,
    "messages.batchDelete": batch_delete,
    "messages.attachments.get": get_attachment,
}
