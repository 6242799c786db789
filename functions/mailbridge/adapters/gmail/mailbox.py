"""One mailbox at Gmail: `ports.GmailMailbox`."""

from collections.abc import Sequence
from datetime import datetime

from mailbridge.adapters.gmail import records
from mailbridge.adapters.gmail.access import Access
from mailbridge.adapters.gmail.calls import Calls, GmailApi
from mailbridge.adapters.gmail.sending import Sender
from mailbridge.domain.history import BATCH, History, MessageRef
from mailbridge.domain.model import Copy
from mailbridge.errors import HistoryExpired, NotFound
from mailbridge.ports import Fetched, Watch

SIGNED_HEADER = "X-Mailbridge-Id"
"""Our own name of a sent message; Gmail keeps headers that begin with X- (P16)."""

_PAGE = 500


class ApiMailbox:
    """One mailbox through the Gmail API; cheap to make, everything dear is shared."""

    def __init__(self, api: GmailApi, calls: Calls, sender: Sender, access: Access, topic: str) -> None:
        self._api = api
        self._calls = calls
        self._sender = sender
        self._access = access
        self._topic = topic

    def watch(self) -> Watch:
        """Notify of every change, whatever its label (P3)."""
        return records.watch(self._calls.execute(self._api.users.watch(userId="me", body={"topicName": self._topic})))

    def stop(self) -> None:
        """End notifications."""
        self._calls.execute(self._api.users.stop(userId="me"))

    def history_id(self) -> int:
        """Where the mailbox's history stands now."""
        profile = self._calls.execute(self._api.users.getProfile(userId="me", fields="historyId"))
        return int(profile["historyId"])

    def history(self, since: int) -> History:
        """All pages after the cursor, every kind of change; a page may come without records (P5)."""
        try:
            pages = list(
                self._calls.pages(
                    self._api.history.list,
                    startHistoryId=str(since),
                    maxResults=_PAGE,
                    fields=records.HISTORY_FIELDS,
                )
            )
        except NotFound as exc:
            raise HistoryExpired("Gmail no longer holds the history since this cursor.") from exc
        found = tuple(records.history_record(record) for page in pages for record in page.get("history", ()))
        return History(found, int(pages[0]["historyId"]))

    def messages(self, gmail_message_ids: Sequence[str]) -> Fetched:
        """At most 25 messages, whole, in one HTTP call."""
        return self._calls.fetch(gmail_message_ids, format="full")

    def arrived_since(self, since: datetime) -> list[MessageRef]:
        """Every message later than that, oldest first, a second too many rather than one too few."""
        pages = self._calls.pages(self._api.messages.list, q=_after(since), maxResults=_PAGE)
        return [records.message_ref(message) for page in pages for message in page.get("messages", ())][::-1]

    def raw(self, gmail_message_id: str) -> bytes:
        """The RFC 5322 original."""
        get = self._api.messages.get(userId="me", id=gmail_message_id, format="raw", fields="raw")
        return records.content(self._calls.execute(get)["raw"])

    def part(self, gmail_message_id: str, attachment_id: str) -> bytes:
        """A part's decoded content."""
        get = self._api.attachments.get(userId="me", messageId=gmail_message_id, id=attachment_id, fields="data")
        return records.content(self._calls.execute(get).get("data", ""))

    def send(self, mail: bytes, thread_id: str | None) -> Copy:
        """One POST; OutcomeUnknown where Gmail may have sent it unheard (P15)."""
        return self._sender.send(self._access, mail, thread_id)

    def find_sent(self, signed_id: str, since: datetime) -> Copy | None:
        """The newest message in SENT with our header; None only where every candidate was read."""
        pages = self._calls.pages(self._api.messages.list, labelIds=["SENT"], q=_after(since), maxResults=_PAGE)
        for page in pages:
            ids = [message["id"] for message in page.get("messages", ())]
            for start in range(0, len(ids), BATCH):
                copy = self._signed(ids[start : start + BATCH], signed_id)
                if copy:
                    return copy
        return None

    def _signed(self, ids: Sequence[str], signed_id: str) -> Copy | None:
        fetched = self._calls.fetch(
            ids, format="metadata", metadataHeaders=[SIGNED_HEADER], fields="id,threadId,payload/headers"
        )
        for resource in fetched.found.values():
            if records.header(resource, SIGNED_HEADER) == signed_id:
                return Copy(gmail_message_id=resource["id"], thread_id=resource["threadId"])
        for error in fetched.failed.values():
            raise error
        return None

    def rfc_message_id(self, gmail_message_id: str) -> str | None:
        """The Message-ID as Gmail keeps it, without angle brackets."""
        get = self._api.messages.get(
            userId="me",
            id=gmail_message_id,
            format="metadata",
            metadataHeaders=["Message-ID"],
            fields="payload/headers",
        )
        value = records.header(self._calls.execute(get), "Message-ID")
        return value.strip("<>") if value else None


def _after(since: datetime) -> str:
    """Gmail's search for later mail; whether `after:` takes in the second it names is nowhere said, so one earlier."""
    return f"after:{int(since.timestamp()) - 1}"
