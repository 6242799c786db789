"""A mail attached to a mail, taken from the raw copy: Gmail shows its parts, but gives no id to fetch it by."""

from email import message_from_bytes
from email.message import Message
from email.policy import compat32


def attached_mail(raw: bytes, part_id: str) -> bytes | None:
    """The attached mail at this place (`1` or `0.2`) of the raw mail; None where there is none.

    The standard library writes it down again from what it read: same content, line ends and folding may differ.
    """
    part: Message | None = message_from_bytes(raw, policy=compat32)
    for number in filter(None, part_id.split(".")):
        part = _child(part, number) if part is not None else None
    if part is None or part.get_content_maintype() != "message":
        return None
    inner = part.get_payload()
    return inner[0].as_bytes() if isinstance(inner, list) and inner and isinstance(inner[0], Message) else None


def _child(part: Message, number: str) -> Message | None:
    children = part.get_payload()
    if not (part.is_multipart() and isinstance(children, list) and number.isdigit() and int(number) < len(children)):
        return None
    child = children[int(number)]
    return child if isinstance(child, Message) else None
