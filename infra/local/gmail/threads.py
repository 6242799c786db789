"""`users.threads`."""

from infra.local.gmail import changes, listing
from infra.local.gmail.api import Call
from infra.local.gmail.errors import JSON
from infra.local.gmail.mailbox import Message
from infra.local.gmail.messages import brief
from infra.local.gmail.rendering import snippet, thread_resource


def get_thread(call: Call) -> JSON:
    """Gmail's `Thread` with its messages, oldest first."""
    return thread_resource(call.path["id"], _messages(call), call.view())


def list_threads(call: Call) -> JSON:
    """The threads of the messages found, the one with the newest match first."""
    newest: dict[str, Message] = {}
    for message in listing.found(call):
        newest.setdefault(message.thread_id, message)
    shown, token = listing.page(call, list(newest.values()), listing.position)
    answer: JSON = {"resultSizeEstimate": len(newest)}
    answer |= {"threads": [_entry(call, message) for message in shown]} if shown else {}
    return answer | ({"nextPageToken": token} if token else {})


def modify_thread(call: Call) -> JSON:
    """Add and remove labels on each message."""
    add, remove = changes.wishes(call)
    for message in _messages(call):
        call.mailbox.relabel(message, add, remove)
    return _brief(call)


def trash_thread(call: Call) -> JSON:
    """All of it into the trash."""
    for message in _messages(call):
        changes.trash(call.mailbox, message)
    return _brief(call)


def untrash_thread(call: Call) -> JSON:
    """All of it out of the trash."""
    for message in _messages(call):
        changes.untrash(call.mailbox, message)
    return _brief(call)


def delete_thread(call: Call) -> None:
    """All of it gone for ever."""
    for message in _messages(call):
        call.mailbox.delete(message)


def _messages(call: Call) -> list[Message]:
    return call.mailbox.thread(call.path["id"])


def _brief(call: Call) -> JSON:
    return {"id": call.path["id"], "messages": [brief(message) for message in _messages(call)]}


def _entry(call: Call, newest: Message) -> JSON:
    history_id = max(message.history_id for message in call.mailbox.thread(newest.thread_id))
    return {"id": newest.thread_id, "snippet": snippet(newest.part), "historyId": str(history_id)}


METHODS = {
    "threads.get": get_thread,
    "threads.list": list_threads,
    "threads.modify": modify_thread,
    "threads.trash": trash_thread,
    "threads.untrash": untrash_thread,
    "threads.delete": delete_thread,
}
