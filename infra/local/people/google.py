"""Google's side of the story: accounts, what their users do in Gmail, what is in the mailboxes, and the weather."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from infra.local.people.http import Client

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SentOutside:
    """A mail that left Gmail for servers elsewhere, as those received it."""

    sender: str
    recipients: tuple[str, ...]
    raw: bytes
    gmail_message_id: str


@dataclass(frozen=True, slots=True)
class GmailWorld:
    """The simulator's controls (`/_sim`)."""

    url: str

    def create_account(self, email: str, *, name: str = "", aliases: Sequence[str] = (), **particulars: Any) -> None:
        """A new Google account; `workspace`, `sendingLimit`, `signature` as the simulator names them."""
        own = [{"email": alias} for alias in aliases]
        self.control("POST", "mailboxes", {"email": email, "name": name, "aliases": own, **particulars})

    def arrives(self, mailbox: str | Sequence[str], raw: bytes, labels: str = "INBOX,UNREAD") -> str:
        """Mail from outside lands in one or more mailboxes; the Gmail id in the first."""
        to = [mailbox] if isinstance(mailbox, str) else list(mailbox)
        params = [*(("to", email) for email in to), ("labels", labels)]
        answer: Json = self._client.response("POST", "_sim/mail", data=raw, params=params).json()
        return str(answer["id"])

    def compose(self, mailbox: str, raw: bytes, thread_id: str = "") -> Json:
        """The user writes in Gmail itself: `{id, threadId}` of the sent mail."""
        params = {"from": mailbox, "threadId": thread_id}
        answer: Json = self._client.response("POST", "_sim/compose", data=raw, params=params).json()
        return answer

    def label(self, mailbox: str, gmail_id: str, *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> None:
        """The user reads, archives, trashes, marks as spam ... a message."""
        self.control("POST", "labels", {"email": mailbox, "id": gmail_id, "add": list(add), "remove": list(remove)})

    def delete(self, mailbox: str, gmail_id: str) -> None:
        """The user deletes a message for ever."""
        self.control("POST", "delete", {"email": mailbox, "id": gmail_id})

    def mailbox(self, email: str) -> Json:
        """All that is in a mailbox: `messages` (id, threadId, labelIds, headers), `watches`, `sending`."""
        answer: Json = self._client.response("GET", "_sim/mailbox", params={"email": email}).json()
        return answer

    def messages(self, email: str, label: str | None = None) -> list[Json]:
        """A mailbox's messages, oldest first, those with a label if one is named."""
        return [message for message in self.mailbox(email)["messages"] if label is None or label in message["labelIds"]]

    def sent(self, email: str) -> list[Json]:
        """The mailbox's Sent."""
        return self.messages(email, "SENT")

    def outbox(self, sender: str = "") -> list[SentOutside]:
        """What left for servers elsewhere, oldest first."""
        found = self._client.response("GET", "_sim/outbox", params={"from": sender}).json()["messages"]
        return [
            SentOutside(mail["from"], tuple(mail["to"]), base64.b64decode(mail["raw"]), mail["id"]) for mail in found
        ]

    def faults(self, *faults: Json) -> None:
        """Script faults: `{method, email, nth, times, status, reason, reset, delayMs, partial}`."""
        self._client.call("POST", "_sim/faults", json=list(faults))

    def push(self, **travel: Any) -> None:
        """How notifications travel: `duplicate`, `reorder`, `drop`, `delayMs`."""
        self.control("POST", "push", travel)

    def calls(self, email: str, method: str) -> int:
        """How often a method was called for a mailbox."""
        methods = self.control("GET", "stats")["mailboxes"].get(email, {}).get("methods", {})
        return int(methods.get(method, {}).get("calls", 0))

    def fair_weather(self) -> None:
        """No faults, notifications as usual, no lag, Gmail's usual traits."""
        self.control("DELETE", "faults")
        usual = {"duplicate": 0, "reorder": False, "drop": False, "delayMs": 0, "intervalMs": 1000}
        self.push(**usual, surplus="coalesce")
        self.control("POST", "lag", {"ms": 0, "count": 0})
        self.control("POST", "behaviour", {"rewriteMessageId": True, "decodeHeaders": True, "batchConcurrency": 25})
        self.control("POST", "tariff", {"name": "2026", "enforce": True, "status": 403})

    def control(self, method: str, name: str, body: Json | None = None) -> Json:
        """Any other control of design §7."""
        answer: Json = self._client.call(method, f"_sim/{name}", json=body)
        return answer

    @property
    def _client(self) -> Client:
        return Client(self.url)


def header(message: Json, name: str) -> str:
    """A header of a message as `GmailWorld.messages` shows it; "" where it has none."""
    found = (field["value"] for field in message["headers"] if field["name"].lower() == name.lower())
    return str(next(found, ""))
