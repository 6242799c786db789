"""Attachments' bucket and the SMTP server, each through the client that is used for real."""

import email
import smtplib
import socket
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import default

import pytest
from google.cloud import storage

from infra.local.stack import LocalStack
from tests.stack.probes import eventually


@pytest.fixture
def bucket(echo_stack: LocalStack, monkeypatch: pytest.MonkeyPatch) -> storage.Bucket:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", echo_stack.endpoints.storage)
    return storage.Client(project="mailbridge-local").bucket(echo_stack.env["CONTENT_BUCKET"])


@pytest.fixture
def silent_connection(echo_stack: LocalStack) -> Iterator[None]:
    """A connection like a browser's in advance, over which nothing is ever asked."""
    host, port = echo_stack.endpoints.storage.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5):
        yield


def test_an_object_comes_back_as_it_was_stored(bucket: storage.Bucket) -> None:
    blob = bucket.blob("locations/l1/Übersicht.pdf")
    blob.upload_from_string(bytes(range(256)) * 100, content_type="application/pdf")
    assert bucket.blob("locations/l1/Übersicht.pdf").download_as_bytes() == bytes(range(256)) * 100
    assert bucket.get_blob("locations/l1/Übersicht.pdf").content_type == "application/pdf"


def test_the_largest_attachments_fit(bucket: storage.Bucket) -> None:
    content = bytes(25 << 20)
    bucket.blob("large").upload_from_string(content)
    assert len(bucket.blob("large").download_as_bytes()) == len(content)


def test_a_silent_connection_stops_nobody(silent_connection: None, bucket: storage.Bucket) -> None:
    bucket.blob("beside").upload_from_string(b"x")
    assert bucket.blob("beside").exists()


def test_a_mail_is_kept_with_its_envelope(echo_stack: LocalStack) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "Ada <ada@crm.example>", "bo@contact.example", "Grüße"
    mail.set_content("Bis morgen – Ada\n")
    host, port = echo_stack.endpoints.smtp.split(":")
    with smtplib.SMTP(host, int(port), timeout=10) as server:
        server.send_message(mail, to_addrs=["bo@contact.example", "hidden@contact.example"])
    stored = eventually(lambda: list(echo_stack.run_dir.mail.glob("*.eml")))[0]
    kept = email.message_from_bytes(stored.read_bytes(), policy=default)
    assert kept["Subject"] == "Grüße"
    assert kept.get_all("X-Envelope-To") == ["bo@contact.example", "hidden@contact.example"]
    assert kept["Return-Path"] == "<ada@crm.example>"
