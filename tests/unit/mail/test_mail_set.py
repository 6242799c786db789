"""The mails in `tests/data/mail` and, where the folder is there, of the shared corpus: each is read or says why not."""

import re
from pathlib import Path

import pytest

from mailbridge.domain.mail.model import Body, UnreadableMail
from mailbridge.domain.mail.reading import read_body, read_envelope
from mailbridge.domain.mail.summary import fingerprint, snippet
from tests.unit.mail.factories import CORPUS, MAILS, Resource, resource

OURS = sorted(MAILS.glob("*.eml"))
THEIRS = sorted(path for path in CORPUS.rglob("*") if path.is_file() and path.name not in {"LICENSE", "README.md"})


def as_resource(path: Path) -> Resource:
    raw = path.read_bytes()
    if path.suffix == ".html":
        raw = b"Content-Type: text/html; charset=utf-8\r\n\r\n" + raw
    return resource(raw)


def body_or_reason(source: Resource) -> Body | str | None:
    try:
        return read_body(source)
    except UnreadableMail as unreadable:
        return unreadable.reason


@pytest.mark.rule("P9", "J6")
@pytest.mark.parametrize("path", [*OURS, *THEIRS], ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_mail_is_read_or_says_why_not(path: Path) -> None:
    source = as_resource(path)
    envelope = read_envelope(source)
    outcome = body_or_reason(source)
    if isinstance(outcome, Body):
        assert len(fingerprint(envelope, outcome)) == 64
        assert len(snippet(outcome)) <= 200
        assert "\x00" not in envelope.subject + outcome.text + outcome.html
    else:
        assert outcome


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_no_mail_of_our_own_is_unreadable(path: Path) -> None:
    body = read_body(as_resource(path))
    assert (snippet(body) == "") == (path.name == "empty-body.eml")


def test_the_table_tells_what_each_mail_is_for() -> None:
    named = re.findall(r"^\| `([^`]+\.eml)` \|", (MAILS / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert named == [path.name for path in OURS]


def test_the_set_is_small_and_names_nobody_real() -> None:
    assert sum(path.stat().st_size for path in OURS) < 300_000
    envelopes = [read_envelope(as_resource(path)) for path in OURS]
    named = [address.email for each in envelopes for address in (*each.from_, *each.to, *each.cc, *each.reply_to)]
    assert len(named) > 40
    assert not [email for email in named if not re.search(r"[.@]example\.(?:com|org)$", email)]
