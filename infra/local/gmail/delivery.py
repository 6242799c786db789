"""Mail under way: stamped and filed as SENT, delivered to mailboxes here, handed over for addresses elsewhere."""

import secrets
from collections.abc import Collection
from email.utils import formataddr, getaddresses

from infra.local.gmail import quota
from infra.local.gmail.accounts import Account
from infra.local.gmail.clock import http_date
from infra.local.gmail.errors import invalid
from infra.local.gmail.header_block import HeaderBlock, split
from infra.local.gmail.mailbox import Mailbox, Message
from infra.local.gmail.thread_rules import referenced, subject_key
from infra.local.gmail.world import OutsideMail, World

RECIPIENT_FIELDS = ("To", "Cc", "Bcc")


def send(world: World, mailbox: Mailbox, raw: bytes, thread_id: str = "") -> Message:
    """What `messages.send` does: the message joins `thread_id` only with matching References and subject."""
    block, body = split(raw)
    thread = joinable(mailbox, block, thread_id)
    return _depart(
        world, mailbox, _stamped(world, mailbox, block, rewrite=world.behaviour.rewrite_message_id), body, thread
    )


def compose(world: World, mailbox: Mailbox, raw: bytes, thread_id: str = "") -> Message:
    """What the user does in Gmail: the Message-ID stays, an answer in a thread gets its reply headers from Gmail."""
    block, body = split(raw)
    if thread_id:
        block = _as_reply(block, mailbox.thread(thread_id))
    thread = joinable(mailbox, block, thread_id) if thread_id else known_thread(mailbox, block)
    return _depart(world, mailbox, _stamped(world, mailbox, block, rewrite=False), body, thread)


def receive(mailbox: Mailbox, raw: bytes, labels: Collection[str]) -> Message:
    """Mail from outside: its bytes stay as they are."""
    block, _ = split(raw)
    return mailbox.insert(raw, labels, known_thread(mailbox, block))


def joinable(mailbox: Mailbox, block: HeaderBlock, thread_id: str) -> str:
    """The thread, if the message names one of its messages and has its subject; "" (a new one) if not; 404 unknown."""
    if not thread_id:
        return ""
    messages = mailbox.thread(thread_id)
    known = {rfc_id for message in messages for rfc_id in message.rfc_message_ids}
    subjects = {subject_key(message.head) for message in messages}
    return thread_id if known & set(referenced(block)) and subject_key(block) in subjects else ""


def known_thread(mailbox: Mailbox, block: HeaderBlock) -> str:
    """The thread of a message that this one answers under the same subject; "" if there is none."""
    subject = subject_key(block)
    for rfc_id in referenced(block):
        for message in mailbox.with_rfc_id(rfc_id):
            if subject_key(message.head) == subject:
                return message.thread_id
    return ""


def new_message_id() -> str:
    """A Message-ID as Gmail's own."""
    return f"<CA{secrets.token_urlsafe(32)}@mail.gmail.com>"


def recipients(block: HeaderBlock) -> list[str]:
    """All addresses of To, Cc and Bcc, each once, lower-cased."""
    values = [value for name in RECIPIENT_FIELDS for value in block.values(name)]
    found = [address.lower() for _, address in getaddresses(values) if "@" in address]
    return list(dict.fromkeys(found))


def _as_reply(block: HeaderBlock, thread: list[Message]) -> HeaderBlock:
    answered = [rfc_id for message in thread for rfc_id in message.rfc_message_ids]
    if not answered or referenced(block):
        return block
    return block.having("References", " ".join(answered)).having("In-Reply-To", answered[-1])


def _stamped(world: World, mailbox: Mailbox, block: HeaderBlock, *, rewrite: bool) -> HeaderBlock:
    """The header block as Gmail lets it leave: From, Date and Message-ID are Gmail's business."""
    if not _may_send_as(mailbox.account, block):
        block = block.having("From", formataddr((mailbox.account.name, mailbox.account.email)))
    if not block.values("Date"):
        block = block.having("Date", http_date(world.clock.now()))
    if rewrite or not block.values("Message-ID"):
        block = block.having("Message-ID", new_message_id())
    return block


def _may_send_as(account: Account, block: HeaderBlock) -> bool:
    own = {address.email.lower() for address in account.send_as()}
    senders = [address.lower() for _, address in getaddresses(block.values("From"))]
    return len(senders) == 1 and senders[0] in own


def _depart(world: World, mailbox: Mailbox, block: HeaderBlock, body: bytes, thread: str) -> Message:
    addresses = recipients(block)
    _check(world, mailbox, addresses)
    receivers = {address: world.receiver(address) for address in addresses}
    to_self = mailbox in receivers.values()
    labels = {"SENT", "INBOX", "UNREAD"} if to_self else {"SENT"}
    message = mailbox.insert(block.joined(body), labels, thread)
    mailbox.sent_at.append(world.clock.now())
    world.stats.sent[mailbox.account.email] += 1
    copy = block.without("Bcc").joined(body)
    _deliver(mailbox, list(receivers.values()), copy)
    _hand_over(world, message, mailbox, [address for address, receiver in receivers.items() if receiver is None], copy)
    return message


def _check(world: World, mailbox: Mailbox, addresses: list[str]) -> None:
    if not addresses:
        raise invalid("Recipient address required")
    if len(addresses) > world.behaviour.recipient_limit:
        raise invalid("Too many recipients")
    quota.check_sending(mailbox, world.clock.now())


def _deliver(sender: Mailbox, receivers: list[Mailbox | None], copy: bytes) -> None:
    done = [sender]
    for receiver in receivers:
        if receiver is not None and all(receiver is not other for other in done):
            done.append(receiver)
            receive(receiver, copy, {"INBOX", "UNREAD"})


def _hand_over(world: World, message: Message, mailbox: Mailbox, outside: list[str], copy: bytes) -> None:
    if outside:
        world.stats.sent_outside += 1
        mail = OutsideMail(mailbox.account.email, tuple(outside), copy, world.clock.now(), message.id)
        world.outbox.append(mail)
