"""Whose conversation is a mail? The rules of B, C and E for one message, without input or output.

A thread that a location already holds stays where it is (B5, E2). Otherwise each linked location is asked: the first
address, in the order From, To, Cc, Bcc, that belongs to a contact there (B5) who is assigned to the linked user (B1).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from mailbridge.domain.addresses import Address, normalise
from mailbridge.domain.mail.model import Envelope
from mailbridge.domain.model import Contact, Direction, Link, Mailbox


class Skip(StrEnum):
    """Why a mail is not in a location; the last reason that applies names the one nearest to being stored (J1)."""

    NO_CONTACT = "noContact"
    BEFORE_LINK = "beforeLink"
    INTERNAL = "internal"
    NOT_ASSIGNED = "notAssigned"


_NEARNESS = tuple(Skip)


@dataclass(frozen=True, slots=True)
class Home:
    """A location that holds a thread, and the conversation it is in there."""

    location_id: str
    conversation_id: str


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a mail goes; `opens_thread`: the location did not hold the thread before."""

    location_id: str
    conversation_id: str
    user_id: str
    opens_thread: bool


@dataclass(frozen=True, slots=True)
class Routing:
    """Where a mail goes, or why nowhere."""

    placements: tuple[Placement, ...] = ()
    skipped: Skip | None = None


def direction(envelope: Envelope) -> Direction:
    """The SENT label decides, not the From address (C2)."""
    return Direction.OUTBOUND if "SENT" in envelope.label_ids else Direction.INBOUND


def route(
    envelope: Envelope,
    mailbox: Mailbox,
    homes: Sequence[Home],
    contacts: Sequence[Contact],
    answered: Sequence[Home] = (),
) -> Routing:
    """Where this mail goes.

    `homes`: where its thread is held. `contacts`: all contacts, of any linked location, that it names. `answered`: where
    the mails are that it answers by its headers, for when Gmail has begun a new thread (B3).
    """
    links = [link for link in mailbox.links.values() if envelope.internal_date >= link.linked_at]
    if not links:
        return Routing(skipped=Skip.BEFORE_LINK)
    if homes:
        return _at_home(links, homes)
    outcomes = [
        _answers(location_id, links, envelope, contacts, answered)
        or _place(location_id, links, mailbox.email_address, envelope, contacts)
        for location_id in _locations(links)
    ]
    placements = tuple(outcome for outcome in outcomes if isinstance(outcome, Placement))
    reasons = [outcome for outcome in outcomes if isinstance(outcome, Skip)]
    return Routing(placements, None if placements else max(reasons, key=_NEARNESS.index))


def addresses(envelope: Envelope) -> tuple[str, ...]:
    """Every address that can decide whose mail this is, normalised, in the order of B5."""
    fields: tuple[Iterable[Address], ...] = (envelope.to, envelope.cc, envelope.bcc)
    if direction(envelope) is Direction.INBOUND:
        fields = (envelope.from_, *fields)
    return tuple(dict.fromkeys(normalise(address.email) for group in fields for address in group))


def _at_home(links: Sequence[Link], homes: Sequence[Home]) -> Routing:
    linked = {link.location_id: link for link in reversed(links)}
    placements = tuple(
        Placement(home.location_id, home.conversation_id, linked[home.location_id].user_id, opens_thread=False)
        for home in homes
        if home.location_id in linked
    )
    return Routing(placements, None if placements else Skip.NO_CONTACT)


def _answers(
    location_id: str, links: Sequence[Link], envelope: Envelope, contacts: Sequence[Contact], answered: Sequence[Home]
) -> Placement | None:
    """The conversation it answers, if the user wrote it or that conversation's contact takes part: headers can be copied."""
    taking_part = {contact.contact_id for contact in contacts if contact.location_id == location_id}
    sent = direction(envelope) is Direction.OUTBOUND
    user_id = next(link.user_id for link in links if link.location_id == location_id)
    for home in answered:
        if home.location_id == location_id and (
            sent or home.conversation_id in taking_part & _named(envelope, contacts)
        ):
            return Placement(location_id, home.conversation_id, user_id, opens_thread=True)
    return None


def _named(envelope: Envelope, contacts: Sequence[Contact]) -> frozenset[str]:
    """The contacts that this mail names; the list given may hold those of other mails of the same run."""
    emails = frozenset(addresses(envelope))
    return frozenset(contact.contact_id for contact in contacts if emails.intersection(contact.emails))


def _place(
    location_id: str, links: Sequence[Link], own_address: str, envelope: Envelope, contacts: Sequence[Contact]
) -> Placement | Skip:
    users = [link.user_id for link in links if link.location_id == location_id]
    here = sorted((c for c in contacts if c.location_id == location_id), key=_age)
    reason = Skip.NO_CONTACT
    for contact in _in_order(addresses(envelope), here):
        if contact.internal or own_address in contact.emails:
            reason = max(reason, Skip.INTERNAL, key=_NEARNESS.index)
        elif contact.assigned_to not in users:
            reason = max(reason, Skip.NOT_ASSIGNED, key=_NEARNESS.index)
        else:
            return Placement(location_id, contact.contact_id, contact.assigned_to, opens_thread=True)
    return reason


def _in_order(emails: Sequence[str], contacts: Sequence[Contact]) -> Iterator[Contact]:
    """The owner of each address, the oldest record of an address first and alone (B6)."""
    for email in emails:
        owner = next((contact for contact in contacts if email in contact.emails), None)
        if owner:
            yield owner


def _age(contact: Contact) -> tuple[datetime, str]:
    return (contact.created_at, contact.contact_id)


def _locations(links: Sequence[Link]) -> list[str]:
    return list(dict.fromkeys(link.location_id for link in links))
