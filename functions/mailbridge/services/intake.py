"""One run of the sync: fetch what is new, decide whose it is, store it with the cursor in one write."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from mailbridge import logs
from mailbridge.domain import quota, syncing
from mailbridge.domain.history import BATCH, Changes, MessageRef
from mailbridge.domain.mail.model import Envelope
from mailbridge.domain.mail.reading import read_envelope
from mailbridge.domain.model import Gap, Mailbox, Message, gmail_key
from mailbridge.domain.routing import Home, Routing, addresses, route
from mailbridge.domain.syncing import MessageUpdate, SyncCommit
from mailbridge.errors import MailbridgeError, Permanent, ReconnectNeeded
from mailbridge.ports import Clock, Fetched, GmailMailbox, Resource, Threads, VersionedCursor
from mailbridge.services.contents import Contents
from mailbridge.services.own_mail import OwnMail

UNREADABLE = "unreadable"
"""Counted for a message that Gmail refuses to give, the same way every time (P8)."""


@dataclass(frozen=True, slots=True)
class Intake:
    """Stores runs of changes."""

    threads: Threads
    own_mail: OwnMail
    contents: Contents
    clock: Clock

    def store(
        self,
        mailbox: Mailbox,
        gmail: GmailMailbox,
        seen: VersionedCursor,
        changes: Changes,
        *,
        covered: int,
        gap: Gap | None = None,
    ) -> VersionedCursor:
        """Store one run; the cursor never passes anything that is not stored or counted (P1).

        Where some messages cannot be had now, the complete records before them are stored and that error is raised.
        """
        known = self._known(mailbox, changes)
        fetched = _fetch(gmail, [key for key in changes.new if key not in known])
        passing = {key: exc for key, exc in fetched.failed.items() if not _is_poison(exc)}
        complete = changes.before(passing) if passing else changes
        if complete:
            commit = self._decide(mailbox, gmail, complete, known, fetched)
            commit = replace(commit, covered=0 if passing else covered, gap=gap)
            seen = self.threads.commit(commit, seen)
        for exc in passing.values():
            raise exc
        return seen

    def unknown(self, mailbox: Mailbox, changes: Changes) -> Changes:
        """The changes without the messages that are stored already."""
        stored = self._by_copy(mailbox, changes.new)
        return replace(changes, new={key: ref for key, ref in changes.new.items() if key not in stored})

    def _known(self, mailbox: Mailbox, changes: Changes) -> Mapping[str, list[Message]]:
        """Stored messages that the changes are about: relabelled, deleted, out of the trash, or our own sends coming back."""
        returning = {ref.gmail_message_id for record in changes.records for ref in record.unhidden}
        arriving = {key for key, ref in changes.new.items() if "SENT" not in ref.label_ids} - returning
        mentioned = {*changes.known, *changes.new, *changes.deleted} - arriving
        return self._by_copy(mailbox, mentioned)

    def _by_copy(self, mailbox: Mailbox, gmail_message_ids: Iterable[str]) -> Mapping[str, list[Message]]:
        names = {gmail_key(mailbox.mailbox_id, gmail_id): gmail_id for gmail_id in gmail_message_ids}
        stored: dict[str, list[Message]] = {}
        for message in self.threads.by_copies(list(names)) if names else ():
            for key in message.gmail_keys:
                if key in names:
                    stored.setdefault(names[key], []).append(message)
        return stored

    def _decide(
        self,
        mailbox: Mailbox,
        gmail: GmailMailbox,
        changes: Changes,
        known: Mapping[str, list[Message]],
        fetched: Fetched,
    ) -> SyncCommit:
        now = self.clock()
        resources = {key: fetched.found[key] for key in changes.new if key in fetched.found}
        envelopes = {key: read_envelope(resource) for key, resource in resources.items()}
        foreign = {key: e for key, e in envelopes.items() if not self.own_mail.returned(mailbox, e, now)}
        routings = self._route(mailbox, list(foreign.values()))
        created: list[Message] = []
        skipped: Counter[str] = Counter(UNREADABLE for key in changes.new if key in fetched.failed)
        for (key, envelope), routing in zip(foreign.items(), routings, strict=True):
            created += self.contents.messages(mailbox, gmail, resources[key], envelope, routing.placements)
            skipped.update([routing.skipped.value] if routing.skipped else [])
        _log_failures(mailbox, fetched.failed)
        return SyncCommit(
            mailbox_id=mailbox.mailbox_id,
            history_id=changes.cursor,
            at=now,
            created=syncing.distinct(created),
            updated=tuple(_updates(mailbox, changes, known)),
            skipped=skipped,
            sent_from_gmail=Counter(quota.bucket(e.internal_date) for e in foreign.values() if "SENT" in e.label_ids),
        )

    def _route(self, mailbox: Mailbox, envelopes: Sequence[Envelope]) -> list[Routing]:
        """Whose conversations these mails belong to; a thread opened by one of them is home to the next."""
        homes = self._homes(mailbox, envelopes)
        homeless = [e for e in envelopes if not homes.get(e.thread_id)]
        named = list(dict.fromkeys(email for e in homeless for email in addresses(e)))
        locations = list(dict.fromkeys(link.location_id for link in mailbox.links.values()))
        contacts = self.threads.contacts(locations, named) if named else []
        answered = self._answered(mailbox, homeless)
        routings = []
        for envelope in envelopes:
            held = homes.setdefault(envelope.thread_id, [])
            routing = route(envelope, mailbox, held, contacts, syncing.answered_homes(envelope, answered))
            held += [Home(p.location_id, p.conversation_id) for p in routing.placements if p.opens_thread]
            routings.append(routing)
        return routings

    def _homes(self, mailbox: Mailbox, envelopes: Sequence[Envelope]) -> dict[str, list[Home]]:
        """Where the threads are held already; a message whose id is its thread's begins it, so nobody is asked."""
        older = {e.thread_id for e in envelopes if e.thread_id != e.gmail_message_id}
        names = {gmail_key(mailbox.mailbox_id, thread_id): thread_id for thread_id in older}
        homes: dict[str, list[Home]] = {}
        for message in self.threads.homes(list(names)) if names else ():
            for key in message.thread_homes:
                if key in names:
                    homes.setdefault(names[key], []).append(Home(message.location_id, message.conversation_id))
        return homes

    def _answered(self, mailbox: Mailbox, envelopes: Sequence[Envelope]) -> list[Message]:
        """Stored messages that these mails answer, for when Gmail has begun a new thread (B3, P18)."""
        named = list(dict.fromkeys(name for e in envelopes for name in (*e.in_reply_to, *e.references)))
        return self.threads.by_rfc_ids(mailbox.mailbox_id, named) if named else []


def _fetch(gmail: GmailMailbox, gmail_message_ids: Sequence[str]) -> Fetched:
    found: dict[str, Resource] = {}
    gone: set[str] = set()
    failed: dict[str, MailbridgeError] = {}
    for start in range(0, len(gmail_message_ids), BATCH):
        answer = gmail.messages(gmail_message_ids[start : start + BATCH])
        found |= answer.found
        gone |= answer.gone
        failed |= answer.failed
    return Fetched(found, frozenset(gone), failed)


def _is_poison(exc: MailbridgeError) -> bool:
    """Whether Gmail refuses this one message for good; a mailbox that is refused as a whole is no message's fault (P8)."""
    return isinstance(exc, Permanent) and not isinstance(exc, ReconnectNeeded) and exc.reason != "domainPolicy"


def _updates(mailbox: Mailbox, changes: Changes, known: Mapping[str, list[Message]]) -> Iterable[MessageUpdate]:
    """What happened to stored messages, where their locations are still linked (A6)."""
    linked = {link.location_id for link in mailbox.links.values()}
    for gmail_id, messages in known.items():
        ref: MessageRef | None = changes.known.get(gmail_id)
        for message in (m for m in messages if m.location_id in linked):
            update = (
                syncing.deleted(message) if gmail_id in changes.deleted else ref and syncing.relabelled(message, ref)
            )
            if update:
                yield update


def _log_failures(mailbox: Mailbox, failed: Mapping[str, MailbridgeError]) -> None:
    for gmail_id, exc in failed.items():
        logs.error("message.unreadable", exc, mailboxId=mailbox.mailbox_id, gmailMessageId=gmail_id)
