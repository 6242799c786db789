"""A mailbox at Gmail: the fake and the adapter keep the same promises."""

import base64
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest

from mailbridge.domain.history import History
from mailbridge.errors import HistoryExpired, NotFound, ReconnectNeeded
from mailbridge.ports import GmailMailbox, Resource
from tests.contract.adapters.conftest import ANN, World


def mail(subject: str = "Hello", **headers: str) -> EmailMessage:
    """A mail between Ann and Carl."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = ANN, "carl@contact.example", subject
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content("Grüße, Ann\n")
    return message


def with_attachment() -> bytes:
    message = mail("Offer")
    message.add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf", filename="offer.pdf")
    return message.as_bytes()


def arrivals(history: History) -> list[str]:
    return [ref.gmail_message_id for record in history.records for ref in record.added]


def part(resource: Resource, mime_type: str) -> dict[str, Any]:
    """The part of this type in a resource with two parts."""
    return next(part for part in resource["payload"]["parts"] if part["mimeType"] == mime_type)


def test_watching_tells_where_history_stands_and_for_how_long_it_notifies(world: World) -> None:
    mailbox = world.ann()
    watch = mailbox.watch()
    assert watch.history_id == mailbox.history_id()
    assert timedelta(days=1) < watch.expires_at - datetime.now(UTC) <= timedelta(days=7, minutes=1)
    mailbox.stop()


@pytest.mark.rule("B1", "P3")
def test_history_brings_what_arrived_and_what_the_user_sent(world: World) -> None:
    mailbox = world.ann()
    since = mailbox.history_id()
    arrived = world.google.arrive(ANN, mail().as_bytes())
    composed = world.google.compose(ANN, mail("Mine").as_bytes())
    history = mailbox.history(since)
    assert arrivals(history) == [arrived, composed]
    (first, second) = (record.added[0] for record in history.records)
    assert first.label_ids == frozenset({"INBOX", "UNREAD"})
    assert second.label_ids == frozenset({"SENT"})
    assert first.thread_id == arrived
    assert since < history.records[0].history_id < history.records[1].history_id == history.history_id


def test_where_nothing_happened_history_is_empty_and_stands_still(world: World) -> None:
    mailbox = world.ann()
    world.google.arrive(ANN, mail().as_bytes())
    since = mailbox.history_id()
    assert mailbox.history(since) == History((), since)


@pytest.mark.rule("B9", "P2")
def test_mail_that_leaves_spam_comes_into_view(world: World) -> None:
    mailbox = world.ann()
    spam = world.google.arrive(ANN, mail().as_bytes(), ["SPAM"])
    since = mailbox.history_id()
    world.google.relabel(ANN, spam, add=["INBOX"], remove=["SPAM"])
    shown = [ref for record in mailbox.history(since).records for ref in record.unhidden]
    assert [(ref.gmail_message_id, ref.label_ids) for ref in shown] == [(spam, frozenset({"INBOX"}))]


@pytest.mark.rule("B9")
def test_reading_a_mail_is_a_change_of_labels_and_nothing_else(world: World) -> None:
    mailbox = world.ann()
    read = world.google.arrive(ANN, mail().as_bytes())
    since = mailbox.history_id()
    world.google.relabel(ANN, read, remove=["UNREAD"])
    (record,) = mailbox.history(since).records
    assert [(ref.gmail_message_id, ref.label_ids) for ref in record.relabelled] == [(read, frozenset({"INBOX"}))]
    assert (record.added, record.deleted, record.unhidden) == ((), (), ())


@pytest.mark.rule("B9")
def test_a_deletion_for_ever_is_in_history(world: World) -> None:
    mailbox = world.ann()
    gone = world.google.arrive(ANN, mail().as_bytes())
    since = mailbox.history_id()
    world.google.delete(ANN, gone)
    (record,) = mailbox.history(since).records
    assert [ref.gmail_message_id for ref in record.deleted] == [gone]


@pytest.mark.rule("P6")
def test_history_that_gmail_no_longer_holds_says_so(world: World) -> None:
    mailbox = world.ann()
    since = mailbox.history_id()
    world.google.arrive(ANN, mail().as_bytes())
    world.google.expire_history(ANN)
    with pytest.raises(HistoryExpired):
        mailbox.history(since)
    now = mailbox.history_id()
    assert mailbox.history(now) == History((), now)


def test_messages_come_whole_and_those_gone_are_named(world: World) -> None:
    mailbox = world.ann()
    ids = [world.google.arrive(ANN, mail(f"Mail {number}").as_bytes()) for number in range(3)]
    world.google.delete(ANN, ids[1])
    fetched = mailbox.messages(ids)
    assert fetched.found.keys() == {ids[0], ids[2]}
    assert fetched.gone == {ids[1]}
    assert not fetched.failed
    headers = {header["name"]: header["value"] for header in fetched.found[ids[0]]["payload"]["headers"]}
    assert headers["Subject"] == "Mail 0"
    assert fetched.found[ids[0]]["labelIds"] == ["INBOX", "UNREAD"]


def test_one_message_and_none_come_as_many_do(world: World) -> None:
    mailbox = world.ann()
    one = world.google.arrive(ANN, mail().as_bytes())
    assert mailbox.messages([one]).found.keys() == {one}
    assert mailbox.messages(["0123456789abcdef"]).gone == {"0123456789abcdef"}
    assert not mailbox.messages([]).found


@pytest.mark.rule("P23")
def test_more_than_a_batch_is_a_programming_error(world: World) -> None:
    with pytest.raises(ValueError, match="25"):
        world.ann().messages([f"{number:016x}" for number in range(26)])


def test_what_arrived_since_is_listed_oldest_first_without_spam_and_trash(world: World) -> None:
    mailbox = world.ann()
    since = datetime.now(UTC)
    ids = [world.google.arrive(ANN, mail(f"Mail {number}").as_bytes()) for number in range(3)]
    world.google.arrive(ANN, mail().as_bytes(), ["SPAM"])
    world.google.arrive(ANN, mail().as_bytes(), ["TRASH"])
    assert [ref.gmail_message_id for ref in mailbox.arrived_since(since)] == ids
    assert mailbox.arrived_since(since + timedelta(hours=1)) == []


@pytest.mark.rule("J6")
def test_the_original_and_its_parts_come_byte_for_byte(world: World) -> None:
    mailbox = world.ann()
    original = with_attachment()
    stored = world.google.arrive(ANN, original)
    assert mailbox.raw(stored) == original
    pdf = part(mailbox.messages([stored]).found[stored], "application/pdf")
    assert mailbox.part(stored, pdf["body"]["attachmentId"]) == b"%PDF-1.7"
    text = part(mailbox.messages([stored]).found[stored], "text/plain")
    assert base64.urlsafe_b64decode(text["body"]["data"]).decode().split() == ["Grüße,", "Ann"]


@pytest.mark.rule("D1", "D3")
def test_a_sent_mail_stands_in_sent_and_is_found_by_our_header(world: World) -> None:
    mailbox = world.ann()
    since = mailbox.history_id()
    copy = mailbox.send(mail(X_Mailbridge_Id="m1.signed").as_bytes(), None)
    (record,) = mailbox.history(since).records
    assert (record.added[0].gmail_message_id, record.added[0].thread_id) == (copy.gmail_message_id, copy.thread_id)
    assert "SENT" in record.added[0].label_ids
    assert mailbox.find_sent("m1.signed", datetime.now(UTC) - timedelta(minutes=1)) == copy


def test_what_was_not_sent_is_not_found(world: World) -> None:
    mailbox = world.ann()
    mailbox.send(mail(X_Mailbridge_Id="m1.signed").as_bytes(), None)
    world.google.arrive(ANN, mail(X_Mailbridge_Id="m2.signed").as_bytes())
    since = datetime.now(UTC) - timedelta(minutes=1)
    assert mailbox.find_sent("m2.signed", since) is None
    assert mailbox.find_sent("m1.signed", datetime.now(UTC) + timedelta(hours=1)) is None


@pytest.mark.rule("D1")
def test_an_answer_joins_its_thread(world: World) -> None:
    mailbox = world.ann()
    asked = world.google.arrive(ANN, mail("Question", Message_ID="<q@contact.example>").as_bytes())
    answer = mail("Re: Question", In_Reply_To="<q@contact.example>", References="<q@contact.example>")
    assert mailbox.send(answer.as_bytes(), asked).thread_id == asked


@pytest.mark.rule("P16")
def test_gmail_gives_a_sent_mail_a_message_id_of_its_own(world: World) -> None:
    mailbox = world.ann()
    copy = mailbox.send(mail(Message_ID="<ours@bridge.example>").as_bytes(), None)
    kept = mailbox.rfc_message_id(copy.gmail_message_id)
    assert kept is not None
    assert kept.endswith("@mail.gmail.com")
    assert "<" not in kept


def test_mail_without_message_id_has_none(world: World) -> None:
    mailbox = world.ann()
    assert mailbox.rfc_message_id(world.google.arrive(ANN, mail().as_bytes())) is None


def test_a_message_that_is_gone_is_not_found(world: World) -> None:
    mailbox = world.ann()
    gone = world.google.arrive(ANN, with_attachment())
    world.google.delete(ANN, gone)
    with pytest.raises(NotFound):
        mailbox.raw(gone)
    with pytest.raises(NotFound):
        mailbox.rfc_message_id(gone)


@pytest.mark.rule("A7")
def test_a_withdrawn_permission_means_connecting_again(world: World) -> None:
    mailbox = world.ann()
    mailbox.history_id()
    world.google.withdraw(ANN)
    for attempt in (
        mailbox.history_id,
        mailbox.watch,
        lambda: mailbox.history(1),
        lambda: mailbox.messages(["1", "2"]),
        lambda: mailbox.send(mail().as_bytes(), None),
    ):
        with pytest.raises(ReconnectNeeded):
            attempt()


def test_a_grant_works_before_it_is_stored(world: World) -> None:
    mailbox: GmailMailbox = world.gmail.open_grant(world.grant())
    assert mailbox.watch().history_id == mailbox.history_id()
