"""What brings new mail in: `messages.send`, `messages.insert`, `messages.import`, and reading their content."""

from email.utils import mktime_tz, parsedate_tz

from infra.local.gmail import changes, delivery
from infra.local.gmail.api import Call
from infra.local.gmail.errors import JSON, GmailError, invalid
from infra.local.gmail.header_block import split
from infra.local.gmail.mailbox import Message
from infra.local.gmail.messages import brief
from infra.local.gmail.rendering import decode


def send_message(call: Call) -> JSON:
    """Accept a message: 200 means filed as SENT and on its way."""
    raw, shape = content(call, call.body)
    return brief(delivery.send(call.world, call.mailbox, raw, str(shape.get("threadId", ""))))


def insert_message(call: Call) -> JSON:
    """File a message as IMAP APPEND does, without delivery."""
    return brief(_filed(call, dates_from_header=call.text("internalDateSource") == "dateHeader"))


def import_message(call: Call) -> JSON:
    """File a message as if it had arrived; its time is the Date header's unless told otherwise."""
    return brief(_filed(call, dates_from_header=call.text("internalDateSource") != "receivedTime"))


def content(call: Call, shape: JSON) -> tuple[bytes, JSON]:
    """The message's bytes, from the upload or from `raw` in Gmail's `Message`, and that `Message`."""
    if call.request.media is not None:
        limit = call.method.upload_limit or 0
        if len(call.request.media) > limit:
            raise GmailError(413, "uploadTooLarge", f"Message is larger than {limit} bytes.")
        return call.request.media, shape
    if not shape.get("raw"):
        raise invalid("'raw' RFC822 payload message string or uploading message via /upload/* URL required")
    return decode(str(shape["raw"])), shape


def _filed(call: Call, *, dates_from_header: bool) -> Message:
    raw, shape = content(call, call.body)
    labels = [str(label) for label in shape.get("labelIds", ())]
    changes.check_known(call.mailbox, labels)
    block, _ = split(raw)
    thread_id = str(shape.get("threadId", ""))
    thread = delivery.joinable(call.mailbox, block, thread_id) or delivery.known_thread(call.mailbox, block)
    parsed = parsedate_tz(block.first("Date") or "") if dates_from_header else None
    return call.mailbox.insert(raw, labels, thread, mktime_tz(parsed) * 1000 if parsed else 0)


METHODS = {
    "messages.send": send_message,
    "messages.insert": insert_message,
    "messages.import": import_message,
}
