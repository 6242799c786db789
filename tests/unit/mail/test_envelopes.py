"""An envelope can be read from any message that Gmail names, whatever stands in its headers."""

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbridge.domain.addresses import Address
from mailbridge.domain.mail.model import Envelope
from mailbridge.domain.mail.reading import read_envelope
from tests.unit.mail.factories import mail, message, with_headers


def test_gmail_s_own_fields_become_values() -> None:
    envelope = read_envelope(with_headers())
    assert envelope.gmail_message_id == "18c0000000000001"
    assert envelope.thread_id == "18c0000000000000"
    assert envelope.label_ids == {"INBOX", "UNREAD"}
    assert envelope.history_id == 9007199254740
    assert envelope.internal_date == datetime(2026, 3, 3, 8, 15, tzinfo=UTC)


def test_an_envelope_travels_as_json_in_camel_case() -> None:
    envelope = read_envelope(mail("reply-gmail"))
    encoded = msgspec.json.encode(envelope)
    assert b'"gmailMessageId"' in encoded
    assert b'"from":' in encoded
    assert msgspec.json.decode(encoded, type=Envelope) == envelope


@pytest.mark.rule("B4")
def test_all_recipients_are_kept() -> None:
    envelope = read_envelope(
        with_headers(
            ("To", "a@example.com"), ("To", "b@example.com"), ("cc", "c@example.com"), ("BCC", "d@example.com")
        )
    )
    assert [address.email for address in envelope.to] == ["a@example.com", "b@example.com"]
    assert envelope.cc == (Address("c@example.com"),)
    assert envelope.bcc == (Address("d@example.com"),)


@pytest.mark.rule("B5", "P29")
def test_several_authors_and_groups_of_recipients_are_read() -> None:
    assert [address.name for address in read_envelope(mail("several-from")).from_] == ["Anna Berg", "Peter Holm"]
    group = read_envelope(mail("group-address"))
    assert [address.name for address in group.to] == ["Mia Lund", "Holm, Peter"]
    assert group.cc == (Address("carl.stone@example.com", "Carl Stone (stock)"),)


@pytest.mark.rule("P9")
@pytest.mark.parametrize(
    "payload", [None, {}, "text", {"headers": None}, {"headers": [None, {}, {"name": 1, "value": 2}]}]
)
def test_a_message_without_readable_headers_still_has_an_envelope(payload: object) -> None:
    envelope = read_envelope({"id": "1", "threadId": "1", "payload": payload})
    assert (envelope.gmail_message_id, envelope.rfc_message_id, envelope.from_, envelope.subject) == ("1", None, (), "")


@pytest.mark.rule("P9")
@pytest.mark.parametrize("value", ["", "<>", "garbage", "< >", "Tue, 3 Mar 2026"])
def test_a_missing_or_meaningless_message_id_is_none(value: str) -> None:
    assert read_envelope(with_headers(("Message-ID", value))).rfc_message_id is None
    assert read_envelope(mail("no-message-id")).rfc_message_id is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("<a@example.com>", "a@example.com"),
        (" <a@example.com> (by phone)", "a@example.com"),
        ("<a\r\n b@example.com>", "ab@example.com"),
        ("a@example.com", "a@example.com"),
        ("<[abc]-1@Example.com>", "[abc]-1@Example.com"),
    ],
)
def test_a_message_id_is_read_without_its_brackets(value: str, expected: str) -> None:
    assert read_envelope(with_headers(("Message-Id", value))).rfc_message_id == expected


@pytest.mark.rule("B3", "P18")
def test_every_id_of_the_threading_headers_is_read() -> None:
    envelope = read_envelope(
        with_headers(
            ("References", "<1@example.com>\r\n\t<2@example.com><3@example.com>,<1@example.com>"),
            ("In-Reply-To", 'Your message of "Monday" <3@example.com> <x@example.com>'),
        )
    )
    assert envelope.references == ("1@example.com", "2@example.com", "3@example.com")
    assert envelope.in_reply_to == ("3@example.com", "x@example.com")


@pytest.mark.rule("P18")
def test_of_endless_references_the_newest_hundred_are_kept() -> None:
    references = read_envelope(mail("long-lines")).references
    assert references == tuple(f"ref-{i}@mail.example.com" for i in range(50, 150))


@pytest.mark.rule("P27")
@pytest.mark.parametrize(
    ("name", "subject"),
    [
        ("subject-utf8-q", "Angebot für Büromöbel"),
        ("subject-utf8-b-words", "Zusammenfassung unseres Gesprächs über die Lieferung nach Zürich – 日本語も大丈夫"),
        ("subject-iso-2022-jp", "お見積もりの件について"),
        ("subject-koi8-r", "Предложение о поставке"),
        ("subject-windows-1252", "Price in € – “final”"),
        ("emoji", "🎉 Party 👩‍💻"),
        ("broken-encoded-words", "Angebotfür a"),
    ],
)
def test_a_subject_is_decoded_as_a_whole(name: str, subject: str) -> None:
    assert read_envelope(mail(name)).subject == subject


@pytest.mark.rule("P27")
@pytest.mark.parametrize(
    ("header", "subject"),
    [
        ("Grüße", "Grüße"),
        ("A\x00B\x07C", "ABC"),
        ("first\r\n second", "first second"),
        ("=?utf-8?Q?one=0D=0ABcc=3A_two?=", "one Bcc: two"),
        ("\ud83d", "\ufffd"),
        ("=?utf-8?Q?a?= plain =?utf-8?Q?b?=", "a plain b"),
        ("=?unicode_escape?Q?=5Cx41?=", "\\x41"),
        ("=?utf-16?B?//5oAGkA?=", "hi"),
        ("=?x?q?", "=?x?q?"),
    ],
)
def test_a_subject_is_one_line_of_clean_text(header: str, subject: str) -> None:
    assert read_envelope(with_headers(("Subject", header))).subject == subject


@pytest.mark.rule("P30")
@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("Auto-Submitted", "auto-replied"),
        ("Auto-Submitted", "auto-generated; owner-email=x@example.com"),
        ("Precedence", "Bulk"),
        ("Precedence", "auto_reply"),
        ("X-Autoreply", "yes"),
    ],
)
def test_mail_sent_by_a_program_is_recognised(header: str, value: str) -> None:
    assert read_envelope(with_headers((header, value))).auto_submitted


@pytest.mark.rule("P30")
def test_mail_sent_by_people_is_not_taken_for_automatic() -> None:
    assert not read_envelope(with_headers(("Auto-Submitted", "no"), ("Precedence", "first-class"))).auto_submitted
    assert not read_envelope(mail("reply-outlook")).auto_submitted
    assert read_envelope(mail("auto-reply")).auto_submitted


@pytest.mark.rule("P19")
def test_a_mailing_list_s_mail_names_the_list_and_the_real_author() -> None:
    envelope = read_envelope(mail("mailing-list"))
    assert envelope.list_id == "garden.lists.example.com"
    assert envelope.reply_to == (Address("garden@lists.example.com", "Garden"),)
    assert envelope.original_from == (Address("olga.smirnova@example.com", "Olga Smirnova"),)


def test_our_own_header_is_read_as_it_stands() -> None:
    assert read_envelope(with_headers(("x-mailbridge-id", " m-1.sig "))).our_id == "m-1.sig"
    assert read_envelope(with_headers()).our_id is None


@pytest.mark.parametrize(
    ("internal", "date", "expected"),
    [
        (None, "Tue, 3 Mar 2026 09:15:00 +0100", datetime(2026, 3, 3, 8, 15, tzinfo=UTC)),
        ("x", "Tue, 3 Mar 2026 09:15:00", datetime(2026, 3, 3, 9, 15, tzinfo=UTC)),
        ("9" * 30, "yesterday", datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_without_gmail_s_time_the_header_s_time_stands(internal: object, date: str, expected: datetime) -> None:
    resource = with_headers(("Date", date)) | {"internalDate": internal}
    assert read_envelope(resource).internal_date == expected


_NAMES = st.sampled_from(
    ["From", "To", "Subject", "Message-ID", "References", "Date", "Content-Type", "List-Id", "Auto-Submitted"]
)


@pytest.mark.rule("P9", "P29")
@given(
    st.lists(st.tuples(_NAMES, st.text(max_size=60)), max_size=6),
    st.one_of(st.none(), st.text(max_size=8), st.integers()),
)
@settings(deadline=None)
def test_no_headers_make_reading_fail(headers: list[tuple[str, str]], internal_date: object) -> None:
    payload = {"headers": [{"name": name, "value": value} for name, value in headers]}
    envelope = read_envelope(message(payload, internalDate=internal_date, historyId=internal_date))
    assert msgspec.json.decode(msgspec.json.encode(envelope), type=Envelope) == envelope
