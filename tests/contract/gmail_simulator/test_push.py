"""Push notifications: one at once, then at most one per mailbox and interval, by whatever way they travel."""

import time
from typing import Any

import pytest
from googleapiclient.errors import HttpError

from tests.contract.gmail_simulator.driver import ANN, BOB, TOPIC, Simulator, letter


def watch(sim: Simulator, email: str = ANN, **body: Any) -> Any:
    return sim.gmail(email).watch(userId="me", body={"topicName": TOPIC, **body}).execute()


def settled(sim: Simulator) -> list[int]:
    """What has come once nothing more comes for a while."""
    time.sleep(0.4)
    return sim.topics.history_ids()


@pytest.mark.rule("A4")
def test_a_watch_announces_the_present_state_and_lasts_seven_days(sim: Simulator) -> None:
    sim.set("clock", now=1_800_000_000)
    answer = watch(sim)
    assert sim.topics.payloads == [{"emailAddress": ANN, "historyId": int(answer["historyId"])}]
    assert int(answer["expiration"]) // 10_000 == (1_800_000_000 + 7 * 86_400) // 10


@pytest.mark.rule("P3")
def test_every_change_is_announced_sent_mail_too(sim: Simulator) -> None:
    sim.set("push", intervalMs=0)
    watch(sim)
    mail = sim.mail(ANN, letter())
    sent = sim.compose(ANN, letter(from_=ANN, to="carla@customers.example"))
    assert set(sim.topics.wait_for(3)[1:]) == {int(mail["historyId"]), int(sent["historyId"])}


def test_a_burst_ends_in_one_late_notification_with_the_last_state(sim: Simulator) -> None:
    sim.set("push", intervalMs=300)
    watch(sim)
    last = [sim.mail(ANN, letter()) for _ in range(10)][-1]
    assert sim.topics.wait_for(2)[-1] == int(last["historyId"])
    assert len(settled(sim)) == 2
    assert sim.stats()["notifications"]["surplus"] == 9


def test_surplus_notifications_can_be_dropped_as_documented(sim: Simulator) -> None:
    sim.set("push", intervalMs=60_000, surplus="drop")
    watch(sim)
    sim.mail(ANN, letter())
    assert len(settled(sim)) == 1
    assert sim.stats()["notifications"]["surplus"] == 1


def test_mailboxes_do_not_slow_each_other(sim: Simulator) -> None:
    sim.set("push", intervalMs=60_000)
    watch(sim)
    watch(sim, BOB)
    assert {payload["emailAddress"] for payload in sim.topics.payloads} == {ANN, BOB}


def test_a_label_filter_lets_only_its_labels_through(sim: Simulator) -> None:
    sim.set("push", intervalMs=0)
    watch(sim, labelIds=["STARRED"])
    watch(sim, BOB, labelIds=["INBOX"], labelFilterBehavior="exclude")
    mail = sim.mail(ANN, letter())
    sim.mail(BOB, letter())
    assert len(settled(sim)) == 2
    sim.set("labels", email=ANN, id=mail["id"], add=["STARRED"])
    assert len(sim.topics.wait_for(3)) == 3


@pytest.mark.rule("P12")
def test_notifications_can_come_twice(sim: Simulator) -> None:
    watch(sim)
    sim.set("push", intervalMs=0, duplicate=2)
    mail = sim.mail(ANN, letter())
    assert sim.topics.wait_for(4)[1:] == [int(mail["historyId"])] * 3


@pytest.mark.rule("P13")
def test_notifications_can_come_in_the_wrong_order(sim: Simulator) -> None:
    watch(sim)
    sim.set("push", intervalMs=0, reorder=True)
    ids = [int(sim.mail(ANN, letter())["historyId"]) for _ in range(2)]
    assert sim.topics.wait_for(3)[1:] == ids[::-1]


def test_notifications_can_be_lost(sim: Simulator) -> None:
    watch(sim)
    sim.set("push", intervalMs=0, drop=1)
    sim.mail(ANN, letter())
    second = sim.mail(ANN, letter())
    assert sim.topics.wait_for(2)[1:] == [int(second["historyId"])]
    assert sim.stats()["notifications"]["dropped"] == 1


@pytest.mark.rule("A6")
def test_stop_ends_the_notifications(sim: Simulator) -> None:
    sim.set("push", intervalMs=0)
    watch(sim)
    sim.gmail(ANN).stop(userId="me").execute()
    sim.mail(ANN, letter())
    assert len(settled(sim)) == 1


def test_stop_can_take_a_while_as_in_real_life(sim: Simulator) -> None:
    sim.set("push", intervalMs=0)
    sim.set("behaviour", stopSeconds=60)
    watch(sim)
    sim.gmail(ANN).stop(userId="me").execute()
    sim.mail(ANN, letter())
    assert len(sim.topics.wait_for(2)) == 2


@pytest.mark.rule("A6", "P21")
def test_a_revoked_grant_ends_the_notifications(sim: Simulator) -> None:
    sim.set("push", intervalMs=0)
    watch(sim)
    sim.set("revoke", email=ANN)
    sim.mail(ANN, letter())
    assert len(settled(sim)) == 1


@pytest.mark.rule("P4")
def test_a_watch_that_nobody_renews_goes_dark(sim: Simulator) -> None:
    sim.set("push", intervalMs=0)
    watch(sim)
    sim.set("clock", advanceSeconds=7 * 86_400 + 1)
    sim.mail(ANN, letter())
    assert len(settled(sim)) == 1


def test_two_projects_watch_one_mailbox_independently(sim: Simulator) -> None:
    sim.set("push", intervalMs=0)
    body = {"topicName": TOPIC}
    for project in ("one", "two"):
        sim.gmail(ANN, project=project).watch(userId="me", body=body).execute()
    sim.gmail(ANN, project="one").stop(userId="me").execute()
    mail = sim.mail(ANN, letter())
    assert sim.topics.wait_for(3)[2:] == [int(mail["historyId"])]
    assert len(settled(sim)) == 3


@pytest.mark.parametrize(("topic", "status"), [("projects/p/topics/missing", 404), ("gmail", 400)])
def test_a_topic_that_can_not_be_published_to_is_refused(sim: Simulator, topic: str, status: int) -> None:
    with pytest.raises(HttpError) as refused:
        sim.gmail(ANN).watch(userId="me", body={"topicName": topic}).execute()
    assert refused.value.status_code == status
    assert sim.control("GET", "/mailbox", email=ANN)["watches"] == []
