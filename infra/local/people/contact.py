"""A contact: a person with a mail server of their own, who writes, receives, and answers what was received."""

from dataclasses import dataclass
from email.message import EmailMessage

from infra.local.people import mails
from infra.local.people.google import GmailWorld


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody outside Google."""

    name: str
    email: str
    google: GmailWorld

    @property
    def address(self) -> str:
        """`Name <email>`."""
        return mails.person(self.name, self.email)

    def writes(self, to: str, subject: str, text: str = "Hello.", **fields: str) -> str:
        """A new plain mail to a Gmail user; answers its Gmail id there."""
        return self.google.arrives(to, mails.mail(self.address, to, subject, text, **fields))

    def letter(self, name: str, to: str, **fields: str) -> bytes:
        """A mail of the set as this person sends it to `to`; fields by their names with underscores replace its own."""
        own = {"From": self.address, "To": to, "Message-ID": mails.new_id()}
        given = {field.replace("_", "-"): value for field, value in fields.items()}
        return mails.rewritten(mails.load(name), {**own, **given})

    def received(self) -> list[EmailMessage]:
        """What has come in from Gmail, oldest first."""
        return [mails.parsed(mail.raw) for mail in self.google.outbox() if self.email.lower() in mail.recipients]

    def answer(self, received: EmailMessage, name: str = "reply-gmail", **fields: str) -> bytes:
        """A reply of the set to what was received: its Message-ID in In-Reply-To, References continued, `Re:`."""
        answered = str(received["Message-ID"])
        references = " ".join(filter(None, (received["References"], answered)))
        subject = str(received["Subject"])
        subject = subject if subject.lower().startswith("re:") else f"Re: {subject}"
        threading = {"Subject": subject, "In_Reply_To": answered, "References": references}
        return self.letter(name, str(received["From"]), **{**threading, **fields})
