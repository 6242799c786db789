"""Uploads: the three ways in, their limits, and resumable ones in pieces."""

import io
import json

import pytest
import requests
from googleapiclient.http import MediaIoBaseUpload

from tests.contract.gmail_simulator.driver import ANN, CARLA, SEND, Simulator, letter, unraw

PATH = "/upload/gmail/v1/users/me/messages/send"
MAIL = letter(from_=ANN, to=CARLA, text="x\n" * 1000)


def headers(sim: Simulator, kind: str = "message/rfc822") -> dict[str, str]:
    return {"Authorization": f"Bearer {sim.token(ANN)}", "Content-Type": kind}


def sent_body(sim: Simulator) -> bytes:
    message_id = sim.messages(ANN)[-1]["id"]
    answer = sim.gmail(ANN).messages().get(userId="me", id=message_id, format="raw").execute()
    return unraw(answer["raw"]).replace(b"\r\n", b"\n").split(b"\n\n", 1)[1]


def test_media_is_the_message_itself(sim: Simulator) -> None:
    answer = requests.post(sim.url + PATH, params={"uploadType": "media"}, data=MAIL, headers=headers(sim), timeout=20)
    assert answer.json()["labelIds"] == ["SENT"]
    assert sent_body(sim) == b"x\n" * 1000


@pytest.mark.rule("D1", "D5")
@pytest.mark.parametrize("resumable", [True, False])
def test_an_uploaded_message_can_name_its_thread(sim: Simulator, resumable: bool) -> None:
    mail = sim.mail(ANN, letter("Offer", message_id="<m1@x>"))
    answer = letter("Re: Offer", from_=ANN, to=CARLA, in_reply_to="<m1@x>")
    media = MediaIoBaseUpload(io.BytesIO(answer), "message/rfc822", resumable=resumable)
    body = {"threadId": mail["threadId"]}
    sent = sim.gmail(ANN).messages().send(userId="me", body=body, media_body=media).execute()
    assert sent["threadId"] == mail["threadId"]


def test_a_resumable_upload_goes_on_where_it_stopped(sim: Simulator) -> None:
    query = {"uploadType": "resumable"}
    start = requests.post(
        sim.url + PATH, params=query, data=b"{}", headers=headers(sim, "application/json"), timeout=20
    )
    where, size = start.headers["Location"], len(MAIL)
    first = {**headers(sim), "Content-Range": f"bytes 0-999/{size}"}
    answer = requests.put(where, data=MAIL[:1000], headers=first, timeout=20)
    assert (answer.status_code, answer.headers["Range"]) == (308, "bytes=0-999")
    asked = requests.put(where, headers={**headers(sim), "Content-Range": f"bytes */{size}"}, timeout=20)
    assert asked.headers["Range"] == "bytes=0-999"
    last = {**headers(sim), "Content-Range": f"bytes 1000-{size - 1}/{size}"}
    assert requests.put(where, data=MAIL[1000:], headers=last, timeout=20).json()["labelIds"] == ["SENT"]
    assert sent_body(sim) == b"x\n" * 1000


def test_an_upload_is_refused_before_it_begins_if_the_scope_is_missing(sim: Simulator) -> None:
    readonly = {"Authorization": f"Bearer {sim.token(ANN, 'https://www.googleapis.com/auth/gmail.readonly')}"}
    query = {"uploadType": "resumable"}
    assert requests.post(sim.url + PATH, params=query, headers=readonly, timeout=20).status_code == 403
    allowed = {"Authorization": f"Bearer {sim.token(ANN, SEND)}"}
    assert requests.post(sim.url + PATH, params=query, headers=allowed, timeout=20).status_code == 200


@pytest.mark.rule("D5")
def test_35_mib_can_be_uploaded_and_no_byte_more(sim: Simulator) -> None:
    limit = 36_700_160
    head = f"To: {CARLA}\r\nContent-Type: application/pdf; name=a.pdf\r\n\r\n".encode()
    query, sizes = {"uploadType": "media"}, (limit, limit + 1)
    answers = [
        requests.post(sim.url + PATH, params=query, data=head.ljust(size, b"x"), headers=headers(sim), timeout=60)
        for size in sizes
    ]
    assert [answer.status_code for answer in answers] == [200, 413]
    assert len(sim.messages(ANN)) == 1


def test_json_is_for_small_messages(sim: Simulator) -> None:
    body = json.dumps({"raw": "A" * 6_000_000})
    url = f"{sim.url}/gmail/v1/users/me/messages/send"
    assert requests.post(url, data=body, headers=headers(sim, "application/json"), timeout=60).status_code == 413


@pytest.mark.parametrize("query", [{}, {"uploadType": "carrier"}, {"uploadType": "multipart"}, {"upload_id": "none"}])
def test_what_is_no_upload_is_refused(sim: Simulator, query: dict[str, str]) -> None:
    answer = requests.post(sim.url + PATH, params=query, data=MAIL, headers=headers(sim), timeout=20)
    assert answer.status_code in {400, 404}
    assert sim.messages(ANN) == []
