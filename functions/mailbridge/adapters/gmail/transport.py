"""How requests reach Gmail: httplib2's interface for Google's client, over connections that threads may share (P26)."""

from collections.abc import Mapping
from typing import Any

import httplib2
import requests

from mailbridge.adapters.gmail.access import Access
from mailbridge.adapters.http import TIMEOUT
from mailbridge.errors import Temporary

UNAUTHORIZED = requests.codes.unauthorized


class AuthorizedHttp:
    """What googleapiclient takes for an httplib2.Http: one mailbox's requests, over the process's connections.

    A rejected access token is replaced once and the request made again: Gmail has done nothing of it.
    Every request that goes this way may be repeated; sends go their own (`sending`).
    """

    def __init__(self, session: requests.Session, access: Access) -> None:
        self._session = session
        self._access = access

    def request(
        self, uri: str, method: str = "GET", body: Any = None, headers: Mapping[str, str] | None = None
    ) -> tuple[httplib2.Response, bytes]:
        """One request; Temporary where no answer comes."""
        token = self._access.token()
        answer = self._send(method, uri, body, headers, token)
        if answer.status_code == UNAUTHORIZED:
            answer = self._send(method, uri, body, headers, self._access.token(rejected=token))
        return httplib2.Response({**answer.headers, "status": str(answer.status_code)}), answer.content

    def renew(self) -> None:
        """Replace the access token; ReconnectNeeded where the grant is gone."""
        self._access.token(rejected=self._access.token())

    def _send(
        self, method: str, uri: str, body: Any, headers: Mapping[str, str] | None, token: str
    ) -> requests.Response:
        try:
            return self._session.request(
                method,
                uri,
                data=body,
                headers=headers,
                auth=Bearer(token),
                timeout=TIMEOUT,
                allow_redirects=False,
            )
        except requests.RequestException as exc:
            raise Temporary("Gmail cannot be reached; try again.", reason="gmail_unreachable") from exc


class Bearer(requests.auth.AuthBase):
    """The access token as requests' own authentication, so that a .netrc file cannot take its place."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """The request with its token."""
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request
