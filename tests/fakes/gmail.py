"""Gmail in memory: `ports.Gmail` over the accounts of `FakeGoogle`."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email import message_from_bytes
from email.message import Message
from typing import Any

from mailbridge.domain.history import BATCH, History, MessageRef
from mailbridge.domain.model import Copy, Mailbox
from mailbridge.domain.oauth import Grant
from mailbridge.errors import HistoryExpired, NotFound, ReconnectNeeded
from mailbridge.ports import Fetched, Resource, Sealer, Watch
from tests.fakes.google import Account, FakeGoogle, StoredMail


@dataclass(frozen=True)
class FakeGmail:
    """Opens mailboxes by their refresh tokens, as the real adapter does."""

    google: FakeGoogle
    sealer: Sealer

    def open(self, mailbox: Mailbox) -> "FakeMailbox":
        """With the stored grant."""
        return FakeMailbox(self.google, mailbox.email_address, self.sealer.open(mailbox.grant, mailbox.mailbox_id))

    def open_grant(self, grant: Grant) -> "FakeMailbox":
        """With a grant that is not stored yet."""
        return FakeMailbox(self.google, grant.id_token.removeprefix("id:"), grant.access_token)


@dataclass(frozen=True)
class FakeMailbox:
    """One mailbox; each method first raises the fault that waits for it, if there is one."""

    google: FakeGoogle
    email: str
    token: str

    def watch(self) -> Watch:
        """Notifications, for a week."""
        account = self._account("watch")
        account.watched = True
        return Watch(account.history_id, self.google.clock() + timedelta(days=7))

    def stop(self) -> None:
        """No more notifications."""
        self._account("stop").watched = False

    def history_id(self) -> int:
        """Where history stands."""
        return self._account("history_id").history_id

    def history(self, since: int) -> History:
        """The records after the cursor."""
        account = self._account("history")
        if since < account.oldest_history_id:
            raise HistoryExpired("No longer held.")
        records = tuple(record for record in account.records if record.history_id > since)
        return History(records, account.history_id)

    def messages(self, gmail_message_ids: Sequence[str]) -> Fetched:
        """Those that exist, and those that do not."""
        if len(gmail_message_ids) > BATCH:
            raise ValueError(f"at most {BATCH} messages at once")
        known = self._account("messages").messages
        found = {key: _resource(known[key]) for key in gmail_message_ids if key in known}
        return Fetched(found, frozenset(gmail_message_ids) - found.keys(), {})

    def arrived_since(self, since: datetime) -> list[MessageRef]:
        """Ids without labels, oldest first."""
        stored = self._account("arrived_since").messages.values()
        recent = [mail for mail in stored if mail.arrived_at >= since.replace(microsecond=0)]
        return [
            MessageRef(mail.gmail_message_id, mail.thread_id) for mail in recent if not mail.labels & {"SPAM", "TRASH"}
        ]

    def raw(self, gmail_message_id: str) -> bytes:
        """The exact bytes."""
        return self._mail("raw", gmail_message_id).raw

    def part(self, gmail_message_id: str, attachment_id: str) -> bytes:
        """The decoded content of a part that came as an attachment id."""
        parts = list(message_from_bytes(self._mail("part", gmail_message_id).raw).walk())
        return _decoded(parts[int(attachment_id)])

    def send(self, mail: bytes, thread_id: str | None) -> Copy:
        """The mail with a Message-ID of Gmail's own, in SENT."""
        account = self._account("send")
        head = message_from_bytes(mail)
        del head["Message-ID"]
        head["Message-ID"] = f"<{self.google.new_id('CA')}@mail.gmail.com>"
        stored = self.google.store(account, head.as_bytes(), ["SENT"], thread_id)
        return Copy(gmail_message_id=stored.gmail_message_id, thread_id=stored.thread_id)

    def find_sent(self, signed_id: str, since: datetime) -> Copy | None:
        """The newest in SENT with our header."""
        for mail in reversed(self._account("find_sent").messages.values()):
            ours = message_from_bytes(mail.raw)["X-Mailbridge-Id"] == signed_id
            if "SENT" in mail.labels and mail.arrived_at >= since.replace(microsecond=0) and ours:
                return Copy(gmail_message_id=mail.gmail_message_id, thread_id=mail.thread_id)
        return None

    def rfc_message_id(self, gmail_message_id: str) -> str | None:
        """The Message-ID, bare."""
        value = message_from_bytes(self._mail("rfc_message_id", gmail_message_id).raw)["Message-ID"]
        return value.strip(" <>") if value else None

    def _account(self, method: str) -> Account:
        if self.google.faults[method]:
            raise self.google.faults[method].pop(0)
        account = self.google.accounts[self.email]
        if self.token not in account.tokens:
            raise ReconnectNeeded("The grant is gone.", reason="invalid_grant")
        return account

    def _mail(self, method: str, gmail_id: str) -> StoredMail:
        mail = self._account(method).messages.get(gmail_id)
        if mail is None:
            raise NotFound("No message by that id.")
        return mail


def _resource(mail: StoredMail) -> Resource:
    """`format=full`: text comes with its data, anything else as an attachment id (its place in the message)."""
    head = message_from_bytes(mail.raw)
    parts = list(head.walk())
    return {
        "id": mail.gmail_message_id,
        "threadId": mail.thread_id,
        "labelIds": sorted(mail.labels),
        "internalDate": str(int(mail.arrived_at.timestamp() * 1000)),
        "snippet": "",
        "sizeEstimate": len(mail.raw),
        "payload": _part(head, "", parts),
    }


def _part(part: Message, part_id: str, parts: list[Message]) -> dict[str, Any]:
    common = {
        "partId": part_id,
        "mimeType": part.get_content_type(),
        "filename": part.get_filename() or "",
        "headers": [{"name": name, "value": str(value)} for name, value in part.items()],
    }
    if part.is_multipart():
        inner = enumerate(part.get_payload())
        nested = [_part(child, f"{part_id}.{n}".strip("."), parts) for n, child in inner if isinstance(child, Message)]
        return {**common, "body": {"size": 0}, "parts": nested}
    content = _decoded(part)
    if part.get_content_maintype() == "text" and not part.get_filename():
        data = base64.urlsafe_b64encode(content).decode()
        return {**common, "body": {"size": len(content), "data": data}}
    return {**common, "body": {"size": len(content), "attachmentId": str(parts.index(part))}}


def _decoded(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""
