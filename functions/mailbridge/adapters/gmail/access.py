"""Access tokens: one per mailbox and process, refreshed by one thread at a time."""

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import partial
from typing import Any

import requests
from google.auth.exceptions import RefreshError, TransportError
from google.auth.transport.requests import Request
from google.oauth2.credentials import Credentials

from mailbridge.adapters.http import ANSWER_SECONDS, new_session
from mailbridge.config import Config
from mailbridge.errors import ReconnectNeeded, Temporary

_DEAD = frozenset({"invalid_grant", "admin_policy_enforced", "access_denied", "org_internal"})
"""What the token endpoint says of a grant that no retry brings back (A7); all else is passing trouble (P32)."""


class Access:
    """The access token of one grant."""

    def __init__(self, credentials: Credentials, token_endpoint: "TokenEndpoint") -> None:
        self._credentials = credentials
        self._token_endpoint = token_endpoint
        self._lock = threading.Lock()

    def token(self, rejected: str | None = None) -> str:
        """A token with minutes left to live, and another than the `rejected` one.

        ReconnectNeeded where Google gives none for this grant, Temporary where it cannot be asked.
        """
        with self._lock:
            if not self._credentials.valid or self._credentials.token == rejected:
                self._refresh()
            return str(self._credentials.token)

    def _refresh(self) -> None:
        if not self._credentials.refresh_token:
            raise ReconnectNeeded("Google no longer accepts the mailbox's grant: connect it again.", reason="expired")
        try:
            self._credentials.refresh(self._token_endpoint)
        except (RefreshError, TransportError) as exc:
            raise Temporary("Google gives no access token now; try again.", reason="token_unavailable") from exc


class TokenEndpoint:
    """google-auth's way to the token endpoint; refusals are told apart here, with the whole answer at hand."""

    def __init__(self) -> None:
        self._request = partial(Request(new_session()), timeout=ANSWER_SECONDS)

    def __call__(self, **arguments: Any) -> Any:
        """The endpoint's answer, if it is a token."""
        answer = self._request(**arguments)
        if answer.status == requests.codes.ok:
            return answer
        error = _error(answer.data)
        if error in _DEAD:
            raise ReconnectNeeded("Google no longer accepts the mailbox's grant: connect it again.", reason=error)
        raise Temporary("Google gives no access token now; try again.", reason=error or f"http_{answer.status}")


class AccessCache:
    """The accesses of the mailboxes used last; one connected again has another grant, so another entry."""

    def __init__(self, size: int = 1024) -> None:
        self._size = size
        self._kept: OrderedDict[Hashable, Access] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Access]) -> Access:
        """The access kept under this key, made where there is none."""
        with self._lock:
            access = self._kept.pop(key, None) or make()
            self._kept[key] = access
            if len(self._kept) > self._size:
                self._kept.popitem(last=False)
            return access


def credentials(config: Config, refresh_token: str | None, access_token: str | None = None) -> Credentials:
    """google-auth's credentials for one grant."""
    return Credentials(
        token=access_token or None,
        refresh_token=refresh_token,
        token_uri=config.oauth_token_url,
        client_id=config.oauth_client_id,
        client_secret=config.oauth_client_secret,
    )


def _error(body: bytes) -> str | None:
    try:
        error = json.loads(body).get("error")
    except (ValueError, AttributeError):
        return None
    return error if isinstance(error, str) else None
