"""A fingerprint knows a mail again in any mailbox; a snippet shows what is new in it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbridge.domain.mail.model import Body
from mailbridge.domain.mail.reading import read_body, read_envelope
from mailbridge.domain.mail.summary import fingerprint, snippet
from tests.unit.mail.factories import MAILS, Resource, mail, resource, text_mail


def of(source: Resource) -> str:
    return fingerprint(read_envelope(source), read_body(source))


def snippet_of(text: str) -> str:
    return snippet(Body(text=text, html=""))


@pytest.mark.rule("B11", "P36")
@pytest.mark.parametrize("name", ["reply-gmail", "attachment-pdf", "inline-image", "forwarded-message"])
def test_a_mail_has_one_fingerprint_whoever_received_it(name: str) -> None:
    raw = (MAILS / f"{name}.eml").read_bytes()
    elsewhere = b"Received: by other.example.com\r\nBcc: carl@example.com\r\nDelivered-To: x@example.com\r\n" + raw
    assert of(resource(raw)) == of(resource(elsewhere))
    assert of(resource(raw)) == of(resource(raw.replace(b"To: Mia Lund <mia.lund@example.org>", b"To: x@example.org")))


@pytest.mark.rule("B11")
def test_line_ends_trailing_spaces_and_the_spelling_of_the_author_do_not_count() -> None:
    one = text_mail("one  \r\ntwo\r\n", {"From": "Anna <Anna@Example.com>", "Subject": "A  b"})
    other = text_mail("one\ntwo", {"From": "anna@example.com", "Subject": "A b"})
    assert of(one) == of(other)


@pytest.mark.rule("B11", "P35")
@pytest.mark.parametrize(
    ("text", "headers"),
    [
        ("other words", {"From": "a@example.com", "Subject": "S"}),
        ("words", {"From": "b@example.com", "Subject": "S"}),
        ("words", {"From": "a@example.com, b@example.com", "Subject": "S"}),
        ("words", {"From": "a@example.com", "Subject": "T"}),
    ],
)
def test_other_content_under_the_same_message_id_has_another_fingerprint(text: str, headers: dict[str, str]) -> None:
    original = text_mail("words", {"From": "a@example.com", "Subject": "S", "Message-ID": "<1@example.com>"})
    assert of(text_mail(text, headers | {"Message-ID": "<1@example.com>"})) != of(original)


@pytest.mark.rule("P35")
def test_another_attachment_makes_another_fingerprint() -> None:
    raw = (MAILS / "attachment-pdf.eml").read_bytes()
    assert of(resource(raw)) != of(resource(raw.replace(b"filename*0*=utf-8''A", b"filename*0*=utf-8''B")))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("reply-gmail", "Hello Mia, thank you, the 14th suits us. Could we begin at nine? Anna"),
        ("reply-outlook", "Dear Mia, the price is fine – please send the contract. Best regards Peter Holm"),
        ("reply-iphone", "Yes, that’s fine. See you on Friday! Sent from my iPhone"),
        ("empty-body", ""),
    ],
)
def test_a_snippet_shows_what_is_new(name: str, expected: str) -> None:
    assert snippet(read_body(mail(name))) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("> Shall we meet?\nYes, at nine.\n> Where?\nIn my office.", "Yes, at nine. In my office."),
        ("My answers:\n> one\nyes", "My answers: yes"),
        ("Ja, gern.\n\nAm 3. März 2026 schrieb Anna:\n> one", "Ja, gern."),
        ("> only\n> quoted", "only quoted"),
        ("new\n-----Original Message-----\nold", "new"),
        ("---------- Forwarded message ---------\nold", "---------- Forwarded message --------- old"),
        ("a \u200c\u00ad\u200c \u00a0 b\tc", "a b c"),
        ("the shop <https://example.com/very/long> is open", "the shop is open"),
    ],
)
def test_quotes_attributions_padding_and_addresses_of_links_are_left_out(text: str, expected: str) -> None:
    assert snippet_of(text) == expected


def test_a_long_text_is_cut_between_words() -> None:
    found = snippet_of("word " * 100)
    assert found.endswith("word…")
    assert len(found) <= 200


@given(st.text(max_size=600))
@settings(deadline=None)
def test_a_snippet_is_one_line_of_at_most_200_characters(text: str) -> None:
    found = snippet_of(text)
    assert len(found) <= 200
    assert len(found.splitlines()) <= 1


@pytest.mark.parametrize("unit", ["> \nx\n", "x:\n", "- ", "-", "1:\n>\n"])
def test_a_snippet_of_a_long_text_takes_linear_time(unit: str) -> None:
    assert len(snippet_of(unit * 200_000)) <= 200
