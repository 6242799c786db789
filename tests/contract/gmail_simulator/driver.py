"""The simulator as tests drive it: its controls over HTTP, and Gmail through Google's own client."""

import base64
import json
import time
from dataclasses import dataclass
from email.message import EmailMessage
from functools import cache
from pathlib import Path
from typing import Any

import googleapiclient
import jwt
import requests
from googleapiclient.discovery import build_from_document

from tests.contract.gmail_simulator.shapes import CheckedHttp
from tests.contract.gmail_simulator.topic import Topics

FULL = "https://mail.google.com/"
READONLY = "https://www.googleapis.com/auth/gmail.readonly"
SEND = "https://www.googleapis.com/auth/gmail.send"
METADATA = "https://www.googleapis.com/auth/gmail.metadata"
ANN, BOB, CARLA = "ann@gmail.com", "bob@firm.example", "carla@customers.example"
TOPIC = "projects/p/topics/gmail"


@dataclass(frozen=True)
class Simulator:
    """A running simulator; `topics` receives its notifications."""

    url: str
    topics: Topics

    def control(self, verb: str, path: str, body: Any = None, **query: Any) -> Any:
        """One call of `/_sim/...`; bytes are sent as they are, anything else as JSON."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        answer = requests.request(verb, f"{self.url}/_sim{path}", params=query, data=data, timeout=20)
        assert answer.ok, answer.text
        return answer.json()

    def set(self, path: str, **values: Any) -> Any:
        """Set switches: `POST /_sim/<path>`."""
        return self.control("POST", f"/{path}", values)

    def account(self, email: str, **particulars: Any) -> None:
        """A Google account."""
        self.control("POST", "/mailboxes", {"email": email, **particulars})

    def mail(self, to: str, raw: bytes, **query: Any) -> Any:
        """Mail from outside arrives."""
        return self.control("POST", "/mail", raw, to=to, **query)

    def compose(self, sender: str, raw: bytes, **query: Any) -> Any:
        """The user sends from Gmail."""
        return self.control("POST", "/compose", raw, **{"from": sender}, **query)

    def fault(self, method: str, **particulars: Any) -> None:
        """One fault for the script."""
        self.control("POST", "/faults", [{"method": method, **particulars}])

    def stats(self) -> Any:
        """The counts."""
        return self.control("GET", "/stats")

    def messages(self, email: str) -> list[dict[str, Any]]:
        """A mailbox's messages as an auditor sees them."""
        found: list[dict[str, Any]] = self.control("GET", "/mailbox", email=email)["messages"]
        return found

    def token(self, email: str, *scopes: str, project: str = "audit") -> str:
        """An access token, by a service account with domain-wide delegation."""
        issuer = f"tests@{project}.iam.gserviceaccount.com"
        claims = {"iss": issuer, "sub": email, "scope": " ".join(scopes or (FULL,)), "exp": time.time() + 1e9}
        form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer"}
        form["assertion"] = jwt.encode(claims, "any key will do: signatures are not checked", algorithm="HS256")
        answer = requests.post(f"{self.url}/token", data=form, timeout=20)
        assert answer.ok, answer.text
        return str(answer.json()["access_token"])

    def gmail(self, email: str, *scopes: str, **particulars: Any) -> Any:
        """`users()` of Google's client for a mailbox; each answer is checked against the discovery schemas."""
        return gmail(self.url, CheckedHttp(self.token(email, *scopes, **particulars)))

    def get(self, email: str, path: str, **kw: Any) -> requests.Response:
        """A plain GET below a mailbox, for what Google's client hides."""
        headers = {"Authorization": f"Bearer {self.token(email)}"}
        return requests.get(f"{self.url}/gmail/v1/users/me/{path}", headers=headers, timeout=20, **kw)


def service(url: str, http: Any) -> Any:
    """Google's client for Gmail v1 with another root URL."""
    document = {**_document(), "rootUrl": f"{url}/", "baseUrl": f"{url}/"}
    return build_from_document(document, http=http)


@cache
def _document() -> dict[str, Any]:
    path = Path(googleapiclient.__file__).parent / "discovery_cache" / "documents" / "gmail.v1.json"
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def gmail(url: str, http: Any) -> Any:
    """`users()` of that client."""
    return service(url, http).users()


def letter(subject: str = "Offer", text: str = "Dear all", **fields: str) -> bytes:
    """A plain mail; fields are named with underscores, as in `in_reply_to`."""
    message = EmailMessage()
    fields = {"from_": f"Carla <{CARLA}>", "to": ANN, **fields, "subject": subject}
    for name, value in fields.items():
        message[name.strip("_").replace("_", "-").title()] = value
    message.set_content(text)
    return message.as_bytes()


def raw(message: bytes) -> str:
    """A message as `messages.send` wants it."""
    return base64.urlsafe_b64encode(message).decode()


def unraw(text: str) -> bytes:
    """base64url back to bytes."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def header(shape: dict[str, Any], name: str) -> str:
    """A header's value in an auditor's view or in a payload."""
    found = [entry["value"] for entry in shape["headers"] if entry["name"].lower() == name.lower()]
    assert len(found) == 1, f"{name}: {found}"
    return str(found[0])
