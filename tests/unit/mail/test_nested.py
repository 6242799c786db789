"""A mail attached to a mail is found in the raw copy by its place."""

from email.message import EmailMessage

import pytest

from mailbridge.domain.mail.nested import attached_mail


def forwarded() -> bytes:
    inner = EmailMessage()
    inner["Subject"] = "The original"
    inner.set_content("What was said first.")
    outer = EmailMessage()
    outer["Subject"] = "Fwd"
    outer.set_content("See below.")
    outer.add_attachment(inner)
    return outer.as_bytes()


def test_the_attached_mail_is_the_whole_inner_mail() -> None:
    attached = attached_mail(forwarded(), "1")
    assert attached is not None
    assert b"Subject: The original" in attached
    assert b"What was said first." in attached
    assert b"See below." not in attached


@pytest.mark.parametrize("part_id", ["0", "2", "1.7.3", "x", "0.0"])
def test_a_place_that_holds_no_mail_gives_none(part_id: str) -> None:
    assert attached_mail(forwarded(), part_id) is None


def test_garbage_gives_none() -> None:
    assert attached_mail(b"\x00\xff not a mail", "1") is None
