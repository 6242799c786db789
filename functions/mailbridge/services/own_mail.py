"""Recognises the mail that we sent ourselves when it comes back through Gmail's history (D3, P14, P16)."""

from dataclasses import dataclass
from datetime import datetime

from itsdangerous import BadSignature, Signer

from mailbridge.domain.mail.model import Envelope
from mailbridge.domain.model import Copy, Mailbox
from mailbridge.ports import Deliveries


@dataclass(frozen=True, slots=True)
class OwnMail:
    """Signs outgoing mail and knows it again."""

    deliveries: Deliveries
    signer: Signer

    def sign(self, message_id: str) -> str:
        """The value of `X-Mailbridge-Id`: our id, which nobody else can make up."""
        return self.signer.sign(message_id).decode()

    def returned(self, mailbox: Mailbox, envelope: Envelope, now: datetime) -> bool:
        """Whether this is a send of ours, from this mailbox; then it is recorded as sent.

        This is the echo that outruns its send's answer, or that outlives a crash before the answer was stored. The SENT
        label is Gmail's own word that the mailbox's user sent it, so a copied header of ours proves nothing (P35).
        """
        message_id = self._signed(envelope)
        outbox = self.deliveries.outbox(message_id) if message_id else None
        if outbox is None or outbox.mailbox_id != mailbox.mailbox_id:
            return False
        copy = Copy(gmail_message_id=envelope.gmail_message_id, thread_id=envelope.thread_id)
        self.deliveries.sent(outbox, copy, now)
        return True

    def _signed(self, envelope: Envelope) -> str | None:
        if "SENT" not in envelope.label_ids or not envelope.our_id:
            return None
        try:
            return self.signer.unsign(envelope.our_id).decode()
        except BadSignature:
            return None
