"""What the adapters' tests talk to: servers on 127.0.0.1 that do as they are told, and settings that lead there."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tink import aead, json_proto_keyset_format, new_keyset_handle, secret_key_access

from mailbridge.config import Config

DEADLINE_SECONDS = 30.0
PROJECT = "mailbridge-test"
NOWHERE = "http://127.0.0.1:1"
"""Nothing listens there: connections are refused."""


@dataclass(frozen=True)
class Received:
    """A request as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


Responder = Callable[[Received], tuple[int, bytes]]
"""Answers a request with a status and a JSON body."""


def environment(**overrides: str) -> dict[str, str]:
    """A whole environment that leads nowhere, except where a test says so."""
    queue = f"projects/{PROJECT}/locations/local/queues"
    return {
        "GOOGLE_CLOUD_PROJECT": PROJECT,
        "PUBLIC_URL": NOWHERE,
        "GMAIL_API_ENDPOINT": NOWHERE,
        "GMAIL_TOPIC": f"projects/{PROJECT}/topics/gmail-notifications",
        "OAUTH_CLIENT_ID": "client",
        "OAUTH_CLIENT_SECRET": "client-secret",
        "OAUTH_TOKEN_URL": f"{NOWHERE}/token",
        "OAUTH_REVOKE_URL": f"{NOWHERE}/revoke",
        "OAUTH_CERTS_URL": f"{NOWHERE}/certs",
        "GRANT_KEYSET": new_keyset(),
        "SIGNING_KEY": "signing-key",
        "DELIVERY_QUEUE": f"{queue}/delivery",
        "BACKGROUND_QUEUE": f"{queue}/background",
        "CONTENT_BUCKET": "content",
        "CRM_ISSUER": "https://crm.example",
        "CRM_JWKS_URL": f"{NOWHERE}/jwks",
        "CRM_AUDIENCE": "mailbridge",
        "RETURN_URLS": "https://crm.example",
        "SERVICE_JWKS_URL": f"{NOWHERE}/certs",
        "PUSH_SERVICE_ACCOUNT": "push@example.iam.gserviceaccount.com",
        "TASKS_SERVICE_ACCOUNT": "tasks@example.iam.gserviceaccount.com",
        "SCHEDULER_SERVICE_ACCOUNT": "scheduler@example.iam.gserviceaccount.com",
        "SEND_TIMEOUT_SECONDS": "8",
        "SENDING_LEASE_SECONDS": "16",
        **overrides,
    }


def config(**overrides: str) -> Config:
    """The settings of `environment`."""
    return Config.from_env(environment(**overrides))


def new_keyset() -> str:
    """A Tink keyset with one fresh key."""
    aead.register()
    handle = new_keyset_handle(aead.aead_key_templates.AES256_GCM)
    return str(json_proto_keyset_format.serialize(handle, secret_key_access.TOKEN))


@contextmanager
def http_server(respond: Responder) -> Iterator[str]:
    """A server that answers by `respond`; gives its URL."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, content = respond(Received(self.command, self.path, dict(self.headers), body))
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = answer  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with running(lambda: server.serve_forever(poll_interval=0.02)):
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            server.server_close()


@contextmanager
def socket_server(serve: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that hands each connection to `serve` and then closes it; gives its URL."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                serve(connection)

    with running(accept):
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()


@contextmanager
def running(work: Callable[[], None]) -> Iterator[None]:
    """Work in a thread of its own, joined at the end."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        thread.join(DEADLINE_SECONDS)


@contextmanager
def program(module: str, options: Sequence[str], log: Path, ready: Callable[[], bool]) -> Iterator[None]:
    """`python -m module` of the local stack, from when it is ready until the block ends."""
    with log.open("wb") as output:
        child = subprocess.Popen([sys.executable, "-m", module, *options], stdout=output, stderr=output)
    try:
        eventually(lambda: ready() or child.poll() is not None)
        if child.poll() is not None:
            raise RuntimeError(f"{module} ended: {log.read_text()}")
        yield
    finally:
        child.terminate()
        child.wait(DEADLINE_SECONDS)


def eventually(holds: Callable[[], bool]) -> None:
    """Wait until it holds."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError("did not come to hold in time")
        time.sleep(0.02)


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def accepts(port: int) -> bool:
    """Whether somebody listens there."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
