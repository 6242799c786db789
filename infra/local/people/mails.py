"""Mail as bytes: small mails made on the spot, real ones from a file, header fields replaced and all else kept."""

import re
from collections.abc import Mapping
from email.headerregistry import Address
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import SMTP, default
from email.utils import formatdate, make_msgid
from pathlib import Path

MAIL_SET = Path(__file__).resolve().parents[3] / "tests" / "data" / "mail"
"""The project's own set of real mail."""

_LINES = re.compile(rb"[^\n]*\n|[^\n]+\Z")


def load(name: str) -> bytes:
    """A mail of the set, by its file's name without `.eml`."""
    return (MAIL_SET / f"{name}.eml").read_bytes()


def mail(sender: str, to: str, subject: str, text: str, **fields: str) -> bytes:
    """A plain mail; further fields by their names with underscores (`In_Reply_To`), an empty one is left out."""
    message = EmailMessage(policy=SMTP)
    usual = {"From": sender, "To": to, "Subject": subject, "Date": formatdate(), "Message-ID": new_id()}
    given = {name.replace("_", "-"): value for name, value in fields.items()}
    for name, value in {**usual, **given}.items():
        if value:
            message[name] = value
    message.set_content(text)
    return message.as_bytes()


def new_id() -> str:
    """A Message-ID that nobody else has."""
    return make_msgid(domain="mail.example.com")


def person(name: str, email: str) -> str:
    """`Name <email>`, quoted where it has to be."""
    return str(Address(display_name=name, addr_spec=email)) if name else email


def rewritten(raw: bytes, fields: Mapping[str, str]) -> bytes:
    """The same mail with these header fields instead of its own of that name; every other byte stays."""
    head, body = _split(raw)
    unwanted = {name.lower().encode() for name in fields}
    kept = b"".join(field for field in _fields(head) if field.partition(b":")[0].strip().lower() not in unwanted)
    written = EmailMessage(policy=SMTP if b"\r\n" in head else default)
    for name, value in fields.items():
        written[name] = value
    return written.as_bytes().rstrip() + (b"\r\n" if b"\r\n" in head else b"\n") + kept + body


def parsed(raw: bytes) -> EmailMessage:
    """A mail as an object."""
    return BytesParser(policy=default).parsebytes(raw)


def _split(raw: bytes) -> tuple[bytes, bytes]:
    """The header block, and the rest from the empty line on."""
    position = 0
    for line in _LINES.findall(raw):
        if not line.strip(b"\r\n"):
            break
        position += len(line)
    return raw[:position], raw[position:]


def _fields(head: bytes) -> list[bytes]:
    fields: list[bytes] = []
    for line in _LINES.findall(head):
        if fields and line[:1] in b" \t":
            fields[-1] += line
        else:
            fields.append(line)
    return fields
