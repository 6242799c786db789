"""`users.drafts`: unsent mail under the DRAFT label."""

from infra.local.gmail import delivery, listing
from infra.local.gmail.api import Call
from infra.local.gmail.errors import JSON, not_found
from infra.local.gmail.header_block import split
from infra.local.gmail.mailbox import Message
from infra.local.gmail.messages import brief
from infra.local.gmail.rendering import message_resource
from infra.local.gmail.sending import content


def create_draft(call: Call) -> JSON:
    """A new draft."""
    draft_id = f"r{call.world.random.getrandbits(62)}"
    call.mailbox.drafts[draft_id] = _filed(call).id
    return _brief(call, draft_id)


def get_draft(call: Call) -> JSON:
    """A draft with its message in the format asked for."""
    return {"id": call.path["id"], "message": message_resource(_message(call, call.path["id"]), call.view())}


def list_drafts(call: Call) -> JSON:
    """All drafts, newest first; `drafts` is missing where there are none."""
    drafts = {message_id: draft_id for draft_id, message_id in call.mailbox.drafts.items()}
    messages = [message for message in listing.found(call) if message.id in drafts]
    shown, token = listing.page(call, messages, listing.position)
    answer: JSON = {"resultSizeEstimate": len(messages)}
    bare = [{"id": drafts[m.id], "message": {"id": m.id, "threadId": m.thread_id}} for m in shown]
    return answer | ({"drafts": bare} if bare else {}) | ({"nextPageToken": token} if token else {})


def update_draft(call: Call) -> JSON:
    """New content: the message behind the draft is another one afterwards."""
    old = _message(call, call.path["id"])
    call.mailbox.drafts[call.path["id"]] = _filed(call).id
    call.mailbox.delete(old)
    return _brief(call, call.path["id"])


def delete_draft(call: Call) -> None:
    """Gone for ever."""
    call.mailbox.delete(_message(call, call.path["id"]))
    del call.mailbox.drafts[call.path["id"]]


def send_draft(call: Call) -> JSON:
    """Send a draft: it goes, and a message of another id appears under SENT."""
    draft_id = str(call.body.get("id", ""))
    draft = _message(call, draft_id)
    shape = _shape(call)
    raw = content(call, shape)[0] if call.request.media is not None or shape.get("raw") else draft.raw
    thread = call.mailbox.threads[draft.thread_id]
    sent = delivery.send(call.world, call.mailbox, raw, draft.thread_id if len(thread) > 1 else "")
    call.mailbox.delete(draft)
    del call.mailbox.drafts[draft_id]
    return brief(sent)


def _shape(call: Call) -> JSON:
    shape = call.body.get("message", {})
    return shape if isinstance(shape, dict) else {}


def _filed(call: Call) -> Message:
    raw, shape = content(call, _shape(call))
    block, _ = split(raw)
    thread = delivery.joinable(call.mailbox, block, str(shape.get("threadId", "")))
    return call.mailbox.insert(raw, {"DRAFT"}, thread)


def _message(call: Call, draft_id: str) -> Message:
    message_id = call.mailbox.drafts.get(draft_id)
    if message_id is None:
        raise not_found()
    return call.mailbox.get(message_id)


def _brief(call: Call, draft_id: str) -> JSON:
    return {"id": draft_id, "message": brief(_message(call, draft_id))}


METHODS = {
    "drafts.create": create_draft,
    "drafts.get": get_draft,
    "drafts.list": list_drafts,
    "drafts.update": update_draft,
    "drafts.delete": delete_draft,
    "drafts.send": send_draft,
}
