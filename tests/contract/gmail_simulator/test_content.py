"""What mail looks like in each format; any bytes at all become a message."""

import json
from pathlib import Path
from typing import Any

import pytest
from googleapiclient.errors import HttpError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.local.gmail import mime
from infra.local.gmail.mailbox import Message
from infra.local.gmail.rendering import FORMATS, View, message_resource
from tests.contract.gmail_simulator.driver import ANN, METADATA, READONLY, Simulator, header, letter, unraw
from tests.contract.gmail_simulator.shapes import check

REPOSITORY = Path(__file__).parents[3]
FOLDERS = (REPOSITORY / "tests" / "data" / "mail", REPOSITORY.parent / "shared" / "corpus")
MAILS = sorted(path for folder in FOLDERS for path in folder.rglob("*.eml"))
NESTED = b"\r\n".join(
    [
        b"From: carla@customers.example",
        b"Subject: =?utf-8?q?Gr=C3=BC?= =?utf-8?q?=C3=9Fe?=",
        b"Content-Type: multipart/mixed; boundary=out",
        b"",
        b"preamble",
        b"--out",
        b"Content-Type: multipart/alternative; boundary=in",
        b"",
        b"--in",
        b"Content-Type: text/plain; charset=iso-8859-1",
        b"Content-Transfer-Encoding: quoted-printable",
        b"",
        b"Sch=F6n & gut",
        b"--in",
        b"Content-Type: text/html",
        b"",
        b"<p>Schoen</p>",
        b"--in--",
        b"--out",
        b"Content-Type: message/rfc822",
        b'Content-Disposition: attachment; filename="old.eml"',
        b"",
        b"Subject: old",
        b"",
        b"older text",
        b"--out",
        b"Content-Type: application/pdf",
        b"Content-Transfer-Encoding: base64",
        b"Content-Disposition: attachment; filename*=utf-8''r%C3%A9sum%C3%A9.pdf",
        b"",
        b"JVBERg==",
        b"--out--",
        b"epilogue",
    ]
)


def get(sim: Simulator, message_id: str, form: str = "full", **query: Any) -> dict[str, Any]:
    answer: dict[str, Any] = sim.gmail(ANN).messages().get(userId="me", id=message_id, format=form, **query).execute()
    return answer


def shown(raw: bytes, form: str) -> dict[str, Any]:
    """A message as it would be served, without HTTP."""
    return message_resource(Message("1a", "1a", raw, {"INBOX"}, 1), View(form))


@pytest.fixture
def payload(sim: Simulator) -> dict[str, Any]:
    found: dict[str, Any] = get(sim, sim.mail(ANN, NESTED)["id"])["payload"]
    return found


def test_parts_are_numbered_from_nothing_downwards(payload: dict[str, Any]) -> None:
    alternative, forwarded, pdf = payload["parts"]
    numbers = [payload["partId"], *(part["partId"] for part in alternative["parts"]), forwarded["partId"]]
    assert numbers == ["", "0.0", "0.1", "1"]
    assert (pdf["partId"], payload["mimeType"], payload["body"]) == ("2", "multipart/mixed", {"size": 0})


@pytest.mark.rule("P27")
def test_text_is_utf8_whatever_its_part_declares(payload: dict[str, Any]) -> None:
    text = payload["parts"][0]["parts"][0]
    assert unraw(text["body"]["data"]).decode() == "Schön & gut"
    assert text["body"]["size"] == len("Schön & gut".encode())
    assert header(text, "Content-Type") == "text/plain; charset=iso-8859-1"


@pytest.mark.rule("P27")
def test_a_forwarded_message_is_a_part_with_its_own_parts(payload: dict[str, Any]) -> None:
    forwarded = payload["parts"][1]
    assert (forwarded["filename"], forwarded["parts"][0]["partId"]) == ("old.eml", "1.0")
    assert header(forwarded["parts"][0], "Subject") == "old"
    assert "attachmentId" in forwarded["body"]


@pytest.mark.rule("P27", "P29")
def test_headers_and_file_names_are_decoded(payload: dict[str, Any]) -> None:
    assert header(payload, "Subject") == "Grüße"
    assert payload["parts"][2]["filename"] == "résumé.pdf"


def test_headers_can_be_left_encoded_because_nobody_is_certain(sim: Simulator) -> None:
    sim.set("behaviour", decodeHeaders=False)
    found = get(sim, sim.mail(ANN, NESTED)["id"])["payload"]
    assert header(found, "Subject") == "=?utf-8?q?Gr=C3=BC?= =?utf-8?q?=C3=9Fe?="


@pytest.mark.rule("P29")
def test_a_decoded_display_name_stays_one_name(sim: Simulator) -> None:
    raw = b"From: =?utf-8?q?M=C3=BCller=2C_Eva?= <eva@x.example>\r\n\r\n"
    assert header(get(sim, sim.mail(ANN, raw)["id"])["payload"], "From") == '"Müller, Eva" <eva@x.example>'


@pytest.mark.rule("P27")
def test_attachments_come_by_an_id_that_changes_and_stays_good(sim: Simulator) -> None:
    mail = sim.mail(ANN, NESTED)
    bodies = [get(sim, mail["id"])["payload"]["parts"][2]["body"] for _ in range(2)]
    assert bodies[0]["attachmentId"] != bodies[1]["attachmentId"]
    attachments = sim.gmail(ANN).messages().attachments()
    for body in bodies:
        found = attachments.get(userId="me", messageId=mail["id"], id=body["attachmentId"]).execute()
        assert (unraw(found["data"]), found["size"]) == (b"%PDF", 4)


@pytest.mark.rule("P27")
def test_a_large_text_can_come_as_an_attachment_id_without_data(sim: Simulator) -> None:
    sim.set("behaviour", textInlineLimit=10)
    mail = sim.mail(ANN, letter(text="a longer text"))
    body = get(sim, mail["id"])["payload"]["body"]
    assert "data" not in body
    found = sim.gmail(ANN).messages().attachments().get(userId="me", messageId=mail["id"], id=body["attachmentId"])
    assert unraw(found.execute()["data"]) == b"a longer text\n"


def test_metadata_shows_the_headers_asked_for_and_no_body(sim: Simulator) -> None:
    found = get(sim, sim.mail(ANN, NESTED)["id"], "metadata", metadataHeaders=["subject"])["payload"]
    assert found == {"mimeType": "multipart/mixed", "headers": [{"name": "Subject", "value": "Grüße"}]}


def test_the_snippet_is_the_escaped_beginning_of_the_text(sim: Simulator) -> None:
    assert get(sim, sim.mail(ANN, NESTED)["id"], "minimal")["snippet"] == "Schön &amp; gut"
    html = b"Content-Type: text/html\r\n\r\n<style>p{}</style><p>It&#39;s <b>fine</b></p>"
    assert get(sim, sim.mail(ANN, html)["id"], "minimal")["snippet"] == "It&#x27;s fine"


@pytest.mark.parametrize("raw", [NESTED, b"", b"\x00\xff\r\n\x80", b"no header at all", b"Subject: x\n\nbare\nlines"])
def test_what_arrives_is_served_raw_to_the_byte(sim: Simulator, raw: bytes) -> None:
    assert unraw(get(sim, sim.mail(ANN, raw)["id"], "raw")["raw"]) == raw


def test_only_the_fields_asked_for_are_answered(sim: Simulator) -> None:
    mail = sim.mail(ANN, NESTED)
    fields = "id,payload(mimeType,parts/body/size)"
    found = get(sim, mail["id"], fields=fields)
    assert found["id"] == mail["id"]
    assert found["payload"]["parts"][2] == {"body": {"size": 4}}
    assert set(found) == {"id", "payload"}


@pytest.mark.rule("P5")
@pytest.mark.parametrize("mask", ["id,lables", "payload(body", "payload/", "(id)", "id)"])
def test_a_mask_that_names_no_field_is_refused(sim: Simulator, mask: str) -> None:
    mail = sim.mail(ANN, NESTED)
    assert sim.get(ANN, f"messages/{mail['id']}", params={"fields": mask}).status_code == 400


def test_large_answers_are_compressed_and_small_ones_not(sim: Simulator) -> None:
    mail = sim.mail(ANN, letter(text="again and again " * 500))
    answers = [sim.get(ANN, path) for path in (f"messages/{mail['id']}", "profile")]
    assert [answer.headers.get("Content-Encoding") for answer in answers] == ["gzip", None]
    assert answers[0].json()["id"] == mail["id"]


def test_the_metadata_scope_shows_no_content(sim: Simulator) -> None:
    mail = sim.mail(ANN, NESTED)
    users = sim.gmail(ANN, METADATA)
    assert users.messages().get(userId="me", id=mail["id"], format="metadata").execute()["id"] == mail["id"]
    with pytest.raises(HttpError, match="Metadata scope"):
        users.messages().get(userId="me", id=mail["id"], format="full").execute()
    assert sim.gmail(ANN, READONLY).messages().get(userId="me", id=mail["id"]).execute()["id"] == mail["id"]


HEADER_LIKE = st.sampled_from(
    [
        b"Content-Type: multipart/mixed; boundary=b\r\n",
        b"Content-Type: message/rfc822\r\n",
        b"Content-Type: text/html; charset=utf-7\r\n",
        b"Content-Type: text/plain; charset=unicode_escape\r\n",
        b"Content-Type: text/plain; name*0*=utf-9''%zz; name*x=1\r\n",
        b"Content-Transfer-Encoding: base64\r\n",
        b"Content-Transfer-Encoding: x-uuencode\r\n",
        b"Subject: =?utf-8?b?!!!?= =?nope?q?=ZZ?=\r\n",
        b"From: =?utf-7?q?+2AA-?= <a@b>\r\n",
        b'Content-Disposition: attachment; filename="=?utf-8?q?=00?="\r\n',
        b"\r\n",
        b"--b\r\n",
        b"--b--\r\n",
        b"begin 644 x\r\n",
    ]
)


@given(st.lists(st.one_of(HEADER_LIKE, st.binary(max_size=30)), max_size=25))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@pytest.mark.rule("P9", "P27")
def test_any_bytes_are_a_message_in_every_format(pieces: list[bytes]) -> None:
    for form in FORMATS:
        answer = shown(b"".join(pieces), form)
        check("Message", json.loads(json.dumps(answer, ensure_ascii=False).encode()))


@pytest.mark.parametrize("depth", [30, 5000])
def test_nesting_of_any_depth_is_read(depth: int) -> None:
    raw = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(depth))
    assert shown(raw, "full")["payload"]["mimeType"] == "multipart/mixed"


def test_a_multitude_of_parts_is_read_in_bounded_time() -> None:
    raw = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\n" * 50_000
    assert 0 < len(mime.parse(raw).parts) <= mime.MAX_PARTS + 1


@pytest.mark.parametrize("path", MAILS, ids=lambda path: path.name)
def test_every_mail_of_the_collections_is_served_in_all_formats(sim: Simulator, path: Path) -> None:
    mail = sim.mail(ANN, path.read_bytes())
    for form in sorted(FORMATS):
        assert get(sim, mail["id"], form)["threadId"]
