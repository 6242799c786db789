"""Sync: a notification becomes history, and history, run by run, becomes conversations (B, C, E).

There is no lock: each run is decided first and stored in one atomic write that is guarded by the cursor's version. Whoever
loses that race throws the work away and looks again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mailbridge import logs
from mailbridge.domain import oauth
from mailbridge.domain.history import BATCH, Changes, History, MessageRef, runs
from mailbridge.domain.model import Gap, Mailbox, MailboxState
from mailbridge.errors import HistoryExpired, MailbridgeError, ReconnectNeeded, Superseded, Temporary
from mailbridge.ports import Clock, Gmail, GmailMailbox, Mailboxes, VersionedCursor
from mailbridge.services.intake import Intake

INDEX_LAG = timedelta(minutes=10)
"""How long a notification that history does not show yet is delivered again; later ones still find what it meant."""

RESYNC_MARGIN = timedelta(minutes=15)
"""How far before the last good sync a resync looks, for mail that was under way then."""

_TRIES = 5


@dataclass(frozen=True, slots=True)
class Inbound:
    """Keeps conversations in step with mailboxes."""

    mailboxes: Mailboxes
    gmail: Gmail
    intake: Intake
    clock: Clock

    def notified(self, email_address: str, history_id: int, published_at: datetime) -> None:
        """Handle Gmail's notification. Returning acknowledges it; Temporary has it delivered again.

        A stale or repeated one, or one for a mailbox that nobody links, costs one read.
        """
        mailbox_id = oauth.mailbox_id(email_address)
        for _ in range(_TRIES):
            try:
                return self._catch_up(mailbox_id, history_id, published_at)
            except Superseded:
                logs.info("sync.superseded", mailboxId=mailbox_id)
        raise Temporary("Other runs are storing this mailbox's mail; look again later.", reason="contended")

    def poll_all(self, mailboxes: Sequence[Mailbox]) -> int:
        """Look at mailboxes that have been silent, in case their notifications were lost; answers at how many.

        One mailbox's trouble is its own: it is logged, and the next poll tries again.
        """
        return sum(self._poll(mailbox) for mailbox in mailboxes)

    def _poll(self, mailbox: Mailbox) -> bool:
        seen = self.mailboxes.cursor(mailbox.mailbox_id)
        if seen is None:
            return False
        try:
            self._sync(mailbox, seen)
        except MailbridgeError as exc:
            logs.error("poll.failed", exc, mailboxId=mailbox.mailbox_id)
        return True

    def _catch_up(self, mailbox_id: str, announced: int, published_at: datetime) -> None:
        seen = self.mailboxes.cursor(mailbox_id)
        if seen is None or announced <= max(seen.cursor.history_id, seen.cursor.covered):
            return
        mailbox = self.mailboxes.mailbox(mailbox_id)
        if mailbox is None or mailbox.state is not MailboxState.ACTIVE or not mailbox.links:
            return
        found = self._sync(mailbox, seen)
        if not found and self.clock() - published_at < INDEX_LAG:
            raise Temporary("Gmail's history does not show the change yet.", reason="index_lag")

    def _sync(self, mailbox: Mailbox, seen: VersionedCursor) -> bool:
        """Store everything after the cursor; whether there was anything."""
        try:
            return self._sync_granted(mailbox, self.gmail.open(mailbox), seen)
        except ReconnectNeeded:
            self.mailboxes.require_reconnect(mailbox.mailbox_id, mailbox.grant)
            logs.warning("mailbox.reconnect_needed", mailboxId=mailbox.mailbox_id)
            return True

    def _sync_granted(self, mailbox: Mailbox, gmail: GmailMailbox, seen: VersionedCursor) -> bool:
        try:
            history = gmail.history(seen.cursor.history_id)
        except HistoryExpired:
            self._resync(mailbox, gmail, seen)
            return True
        self._store(mailbox, gmail, seen, history)
        return bool(history.records)

    def _store(self, mailbox: Mailbox, gmail: GmailMailbox, seen: VersionedCursor, history: History) -> None:
        """Run by run; only the last covers what Gmail said, so that a notification that broke off is taken up again."""
        before = seen.cursor.history_id
        for changes in runs(history):
            is_last = changes.cursor == history.records[-1].history_id
            covered = history.history_id if is_last else 0
            seen = self.intake.store(mailbox, gmail, seen, changes, covered=covered)
        logs.info("sync.stored", mailboxId=mailbox.mailbox_id, cursorBefore=before, cursorAfter=seen.cursor.history_id)

    def _resync(self, mailbox: Mailbox, gmail: GmailMailbox, seen: VersionedCursor) -> None:
        """Gmail has forgotten the history: take a new baseline first, then everything since the last good sync (P6).

        The cursor moves with the last write only, so that a crash on the way starts the same work again.
        """
        baseline = gmail.history_id()
        since = seen.cursor.last_sync_at
        refs = gmail.arrived_since(since - RESYNC_MARGIN)
        found = 0
        for group in _groups(refs):
            changes = Changes(cursor=seen.cursor.history_id, new={ref.gmail_message_id: ref for ref in group})
            missing = self.intake.unknown(mailbox, changes)
            seen = self.intake.store(mailbox, gmail, seen, missing, covered=0)
            found += len(missing.new)
        gap = Gap(since=since, until=self.clock(), found=found)
        self.intake.store(mailbox, gmail, seen, Changes(cursor=baseline), covered=baseline, gap=gap)
        logs.warning("sync.gap_filled", mailboxId=mailbox.mailbox_id, since=since, found=found)


def _groups(refs: Sequence[MessageRef]) -> list[Sequence[MessageRef]]:
    return [refs[start : start + BATCH] for start in range(0, len(refs), BATCH)]
