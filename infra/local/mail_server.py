"""A real SMTP server that takes every mail and keeps it as a file."""

import asyncio
import itertools
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

LARGEST_MAIL_BYTES = 50 * 1024 * 1024


class MailFolder:
    """Keeps each mail as `<n>.eml` in a folder, under lines that tell its envelope: Return-Path, X-Envelope-To."""

    def __init__(self, folder: Path):
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._numbers = itertools.count(1)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 (aiosmtpd's name)
        """Store, then accept: what was answered 250 is there to be read."""
        self._store(envelope)
        return "250 OK"

    def _store(self, envelope: Envelope) -> None:
        name = f"{next(self._numbers):06}"
        partial = self._folder / f".{name}.partial"
        partial.write_bytes(_envelope_lines(envelope) + (envelope.original_content or b""))
        partial.replace(self._folder / f"{name}.eml")


async def serve(port: int, folder: Path) -> asyncio.Server:
    """Listen on the loopback port until closed."""
    loop = asyncio.get_running_loop()
    mails = MailFolder(folder)
    return await loop.create_server(
        lambda: SMTP(mails, loop=loop, data_size_limit=LARGEST_MAIL_BYTES, enable_SMTPUTF8=True, hostname="localhost"),
        host="127.0.0.1",
        port=port,
    )


def _envelope_lines(envelope: Envelope) -> bytes:
    lines = [f"Return-Path: <{envelope.mail_from or ''}>"]
    lines += [f"X-Envelope-To: {recipient}" for recipient in envelope.rcpt_tos]
    return "".join(f"{line}\r\n" for line in lines).encode()
