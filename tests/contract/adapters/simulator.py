"""The Gmail simulator as a test acts on it: the same deeds as `FakeGoogle` knows, and the wire's own weather."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import requests

from mailbridge.config import Config
from mailbridge.domain.oauth import REQUESTED
from tests.contract.adapters.loopback import config

_FLOW = re.compile(r'name="flow" value="([^"]+)"')
_FORM = re.compile(r'action="([^"]+)"')


@dataclass(frozen=True)
class SimulatedGoogle:
    """A running simulator at `url`."""

    url: str

    def config(self, **overrides: str) -> Config:
        """Settings that lead to it."""
        return config(
            **{
                "GMAIL_API_ENDPOINT": self.url,
                "OAUTH_AUTHORIZE_URL": f"{self.url}/o/oauth2/v2/auth",
                "OAUTH_TOKEN_URL": f"{self.url}/token",
                "OAUTH_REVOKE_URL": f"{self.url}/revoke",
                "OAUTH_CERTS_URL": f"{self.url}/oauth2/v3/certs",
                **overrides,
            }
        )

    def account(self, email: str, hosted_domain: str | None = None) -> None:
        """A new Google account."""
        self.control("mailboxes", {"email": email, "name": "Ann", "workspace": hosted_domain or False})

    def consent(self, authorization_url: str, email: str, scopes: Iterable[str] = REQUESTED) -> str:
        """Walk the pages: pick the account, tick, continue; answers the code."""
        with requests.Session() as browser:
            chooser = browser.get(authorization_url, timeout=10)
            page = browser.post(_action(chooser), {**_flow(chooser), "account": email}, timeout=10)
            form = {**_flow(page), "account": email, "scope": list(scopes), "action": "continue"}
            end = browser.post(_action(page), form, timeout=10, allow_redirects=False)
        return parse_qs(urlsplit(end.headers["Location"]).query)["code"][0]

    def arrive(self, email: str, raw: bytes, labels: Iterable[str] = ("INBOX", "UNREAD")) -> str:
        """Mail comes in; answers its Gmail id."""
        return str(self._post("mail", raw, {"to": email, "labels": ",".join(labels)})["id"])

    def compose(self, email: str, raw: bytes) -> str:
        """The user sends from Gmail itself; answers the copy's Gmail id."""
        return str(self._post("compose", raw, {"from": email})["id"])

    def relabel(self, email: str, gmail_id: str, add: Iterable[str] = (), remove: Iterable[str] = ()) -> None:
        """The user moves a message about."""
        self.control("labels", {"email": email, "id": gmail_id, "add": list(add), "remove": list(remove)})

    def delete(self, email: str, gmail_id: str) -> None:
        """The user deletes a message for ever."""
        self.control("delete", {"email": email, "id": gmail_id})

    def expire_history(self, email: str) -> None:
        """Gmail forgets what happened so far."""
        self.control("expire-history", {"email": email})

    def withdraw(self, email: str) -> None:
        """The user takes the permission back in their Google account."""
        self.control("revoke", {"email": email})

    def fault(self, method: str, **particulars: Any) -> None:
        """The next call of this method meets this fault."""
        self.control("faults", [{"method": method, **particulars}])

    def control(self, name: str, body: Any) -> None:
        """Any other call of the control surface."""
        requests.post(f"{self.url}/_sim/{name}", json=body, timeout=10).raise_for_status()

    def reset(self) -> None:
        """As after the start."""
        requests.delete(f"{self.url}/_sim", timeout=10).raise_for_status()

    def calls(self, method: str) -> int:
        """How often a method was called, failures included."""
        return int(self.stats()["methods"].get(method, {"calls": 0})["calls"])

    def stats(self) -> dict[str, Any]:
        """All counts."""
        counts: dict[str, Any] = requests.get(f"{self.url}/_sim/stats", timeout=10).json()
        return counts

    def _post(self, name: str, raw: bytes, query: dict[str, str]) -> dict[str, Any]:
        answer = requests.post(f"{self.url}/_sim/{name}", raw, params=query, timeout=10)
        answer.raise_for_status()
        stored: dict[str, Any] = answer.json()
        return stored


def _flow(page: requests.Response) -> dict[str, str]:
    found = _FLOW.search(page.text)
    return {"flow": found[1]} if found else {}


def _action(page: requests.Response) -> str:
    found = _FORM.search(page.text)
    return str(urljoin(page.url, found[1] if found else ""))
