"""Lists of messages and threads: what they find, in which order, in which pages."""

from typing import Any

import pytest
from googleapiclient.errors import HttpError

from tests.contract.gmail_simulator.driver import ANN, CARLA, METADATA, Simulator, letter


def ids(answer: dict[str, Any]) -> list[str]:
    return [message["id"] for message in answer.get("messages", [])]


def search(sim: Simulator, q: str = "", **query: Any) -> list[str]:
    return ids(sim.gmail(ANN).messages().list(userId="me", q=q, **query).execute())


def test_the_newest_message_comes_first_and_an_empty_list_has_no_messages(sim: Simulator) -> None:
    assert sim.gmail(ANN).messages().list(userId="me").execute() == {"resultSizeEstimate": 0}
    old = sim.mail(ANN, letter())["id"]
    sim.set("clock", advanceSeconds=10)
    new = sim.mail(ANN, letter())["id"]
    assert search(sim) == [new, old]


@pytest.mark.rule("P5")
def test_pages_stay_in_step_while_mail_comes_in(sim: Simulator) -> None:
    mails = [sim.mail(ANN, letter())["id"] for _ in range(5)]
    users = sim.gmail(ANN)
    first = users.messages().list(userId="me", maxResults=3)
    page = first.execute()
    sim.set("clock", advanceSeconds=10)
    sim.mail(ANN, letter())
    rest = users.messages().list_next(first, page).execute()
    assert sorted(ids(page) + ids(rest)) == sorted(mails)
    assert "nextPageToken" not in rest


def test_spam_and_trash_are_left_out_unless_asked_for(sim: Simulator) -> None:
    spam = sim.mail(ANN, letter(), labels="SPAM")["id"]
    assert search(sim) == []
    assert search(sim, includeSpamTrash=True) == [spam]
    assert search(sim, labelIds=["SPAM"]) == search(sim, "in:spam") == search(sim, "in:anywhere") == [spam]


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("from:carla@customers.example", True),
        ("from:dora", False),
        ("to:ann", True),
        ("to:boss", True),
        ("subject:offer", True),
        ('subject:"new offer"', True),
        ("rfc822msgid:<m1@x>", True),
        ("rfc822msgid:m1@x", True),
        ("rfc822msgid:m1", False),
        ("in:inbox is:unread", True),
        ("in:inbox is:read", False),
        ("is:starred", False),
        ("-in:sent", True),
        ("-in:inbox", False),
        ("after:2027/01/14 before:2027/01/16", True),
        ("after:2027/01/16", False),
        ("after:1799999999", True),
        ("before:1799999999", False),
        ("newer_than:2d", True),
        ("older_than:2d", False),
        ("discount", True),
        ("has:attachment", False),
        ("label:hot-leads", True),
        ("from:dora OR from:carla", True),
        ("from:dora OR from:eve in:inbox", False),
    ],
)
def test_the_search_language(sim: Simulator, q: str, found: bool) -> None:
    sim.set("clock", now=1_800_000_000)
    label = sim.set("label", email=ANN, name="Hot leads")["id"]
    mail = letter("New Offer", "a discount", message_id="<m1@x>", cc="boss@gmail.com")
    sim.mail(ANN, mail, labels=f"INBOX,UNREAD,{label}")
    assert bool(search(sim, q)) == found


@pytest.mark.parametrize("q", ["header:x", "{from:a from:b}", "after:soon", "newer_than:2", "has:stars"])
def test_a_search_that_is_not_understood_is_refused_rather_than_ignored(sim: Simulator, q: str) -> None:
    with pytest.raises(HttpError) as refused:
        search(sim, q)
    assert refused.value.status_code == 400


def test_drafts_and_sent_mail_are_found_by_place(sim: Simulator) -> None:
    sent = sim.compose(ANN, letter(from_=ANN, to=CARLA))["id"]
    assert (search(sim, "in:sent"), search(sim, "in:drafts")) == ([sent], [])


def test_a_thread_is_listed_once_with_its_newest_snippet(sim: Simulator) -> None:
    first = sim.mail(ANN, letter("Hi", "first", message_id="<m1@x>"))
    sim.set("clock", advanceSeconds=10)
    sim.mail(ANN, letter("Re: Hi", "second", in_reply_to="<m1@x>"))
    (thread,) = sim.gmail(ANN).threads().list(userId="me").execute()["threads"]
    assert (thread["id"], thread["snippet"]) == (first["threadId"], "second")


def test_the_metadata_scope_can_not_search(sim: Simulator) -> None:
    with pytest.raises(HttpError) as refused:
        sim.gmail(ANN, METADATA).messages().list(userId="me", q="offer").execute()
    assert refused.value.status_code == 403


@pytest.mark.parametrize(("name", "value"), [("maxResults", "many"), ("pageToken", "%%"), ("colour", "red")])
def test_a_parameter_that_makes_no_sense_is_refused(sim: Simulator, name: str, value: str) -> None:
    assert sim.get(ANN, "messages", params={name: value}).status_code == 400
