"""The CRM around Mailbridge: its backend keeps users and contacts in step, its users connect, read and send."""

import time
import uuid
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import parse_qs, quote, urlsplit

import requests

from infra.local.people.browser import Browser, Page
from infra.local.people.http import Client, RefusedError, accepted, patient_session

RETURN_URL = "https://crm.example/settings/gmail"
"""Where a connection ends; nothing is ever fetched from there."""

_PATIENCE_SECONDS = 60.0
T = TypeVar("T")
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Crm:
    """The CRM, with an identity provider of its own."""

    gateway: str
    issuer: str

    def location(self, location_id: str) -> "Location":
        """One of its sub-accounts, as its backend sees it."""
        return Location(self, location_id, self.client("crm-backend", [], "backend"))

    def client(self, sub: str, locations: Sequence[str], role: str = "user") -> Client:
        """A client with that person's ID token."""
        wanted = {"sub": sub, "locations": list(locations), "role": role}
        return Client(self.gateway, Client(self.issuer).call("POST", "token", json=wanted)["token"])


@dataclass(frozen=True, slots=True)
class Location:
    """A location, through the CRM's backend."""

    crm: Crm
    location_id: str
    client: Client

    def call(self, method: str, path: str, json: object = None) -> Any:
        """One resource of this location; RefusedError."""
        return self.client.call(method, self.path(path), json=json)

    def path(self, path: str) -> str:
        """A resource's path."""
        return f"api/locations/{quote(self.location_id, safe='')}/{path}"

    def put_user(self, user_id: str, *, name: str = "", emails: Sequence[str] = ()) -> "CrmUser":
        """Register a user; answers their seat."""
        self.call("PUT", f"users/{user_id}", {"name": name, "emails": list(emails)})
        return self.user(user_id)

    def user(self, user_id: str) -> "CrmUser":
        """A user's seat in this location, with a token of their own."""
        return CrmUser(self, user_id, self.crm.client(user_id, [self.location_id]))

    def put_contact(
        self,
        contact_id: str,
        *,
        emails: Sequence[str],
        name: str = "",
        assigned_to: str | None = None,
        created_at: str | None = None,
    ) -> Json:
        """Create or replace a contact."""
        contact = {"name": name, "emails": list(emails), "assignedTo": assigned_to, "createdAt": created_at}
        answer: Json = self.call("PUT", f"contacts/{contact_id}", contact)
        return answer

    def conversations(self) -> list[Json]:
        """All conversations, newest first."""
        return self._all("conversations")

    def messages(self, contact_id: str) -> list[Json]:
        """All messages of a contact's conversation, newest first, without bodies; none where there is none yet."""
        return self._all(f"conversations/{contact_id}/messages")

    def message(self, message_id: str) -> Json:
        """One message with its body."""
        answer: Json = self.call("GET", f"messages/{message_id}")
        return answer

    def download(self, attachment_id: str) -> bytes:
        """An attachment's bytes, by way of its signed URL; RefusedError while it is not there."""
        return self._fetched(f"attachments/{attachment_id}")

    def raw(self, message_id: str) -> bytes:
        """The raw copy of a message that could not be read."""
        return self._fetched(f"messages/{message_id}/raw")

    def _fetched(self, path: str) -> bytes:
        signed = self.client.response("GET", self.path(path)).headers["Location"]
        with patient_session() as session:
            answer = session.get(signed, timeout=_PATIENCE_SECONDS)
        answer.raise_for_status()
        return answer.content

    def _all(self, path: str) -> list[Json]:
        page: Json = self.call("GET", path)
        items: list[Json] = page["items"]
        while page["nextCursor"]:
            page = self.call("GET", f"{path}?cursor={quote(page['nextCursor'], safe='')}")
            items += page["items"]
        return items


@dataclass(frozen=True, slots=True)
class CrmUser:
    """A user of the CRM in one location."""

    location: Location
    user_id: str
    client: Client

    def begin(self, browser: Browser) -> str:
        """Press Connect: Google's authorization URL, with the browser bound to it."""
        wish = {"locationId": self.location.location_id, "returnUrl": RETURN_URL}
        answer = browser.session.post(
            f"{self.client.base}/connect_mailbox",
            json=wish,
            headers={"Authorization": f"Bearer {self.client.token}"},
            timeout=_PATIENCE_SECONDS,
        )
        url: str = accepted(answer).json()["authorizationUrl"]
        return url

    def connect(self, email: str, *, tick: Collection[str] | None = None, cancel: bool = False) -> str:
        """Walk through Google's pages; the `status` with which the CRM's settings page is opened at the end.

        A step that is lost to a restart of the functions is single-use: the person begins again.
        """
        return _persistently(lambda: self._walk(email, tick, cancel))

    def _walk(self, email: str, tick: Collection[str] | None, cancel: bool) -> str:
        browser = Browser(stays_out_of=RETURN_URL)
        page = browser.choose_account(browser.open(self.begin(browser)), email)
        return status(browser.cancel(page) if cancel else browser.consent(page, tick))

    def disconnect(self) -> None:
        """Disconnect; a repeat is no error."""
        self.client.call("POST", "disconnect_mailbox", json={"locationId": self.location.location_id})

    def mailbox(self) -> Json:
        """The settings page: address, state, since when, allowance, counts; RefusedError 404 where none is linked."""
        answer: Json = self.client.call("GET", self.location.path("mailbox"))
        return answer

    def send(self, contact_id: str, *, idempotency_key: str | None = None, **mail: Any) -> Json:
        """Send a mail (fields as `send_message` names them): `{messageId, state}`; RefusedError."""
        key = idempotency_key or uuid.uuid4().hex
        wish = {"locationId": self.location.location_id, "contactId": contact_id, **mail}
        answer: Json = self.client.call("POST", "send_message", json=wish, headers={"Idempotency-Key": key})
        return answer

    def cancel(self, message_id: str) -> Json:
        """Cancel a mail that has not begun to leave; RefusedError 409 where it is too late."""
        answer: Json = self.client.call("DELETE", self.location.path(f"messages/{message_id}"))
        return answer


def status(page: Page) -> str:
    """The status in the CRM's return URL."""
    if not page.url.startswith(RETURN_URL):
        raise AssertionError(f"the walk ended at {page.url}: {page.text[:500]}")
    return parse_qs(urlsplit(page.url).query)["status"][0]


def _persistently(walk: Callable[[], T]) -> T:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return walk()
        except requests.ConnectionError:
            if time.monotonic() > deadline:
                raise
        except RefusedError as refused:
            if refused.status not in {502, 503} or time.monotonic() > deadline:
                raise
        time.sleep(0.2)
