"""A send is one POST, on a connection of its own, that is over in bounded time and never repeated (P15)."""

import base64
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from secrets import token_hex

import requests
from requests.exceptions import ConnectionError as ConnectionTrouble
from urllib3.exceptions import MaxRetryError, NewConnectionError

from mailbridge.adapters.gmail import failures
from mailbridge.adapters.gmail.access import Access
from mailbridge.adapters.gmail.transport import UNAUTHORIZED, Bearer
from mailbridge.adapters.http import new_session
from mailbridge.domain.model import Copy
from mailbridge.errors import OutcomeUnknown, Temporary
from mailbridge.ports import Clock

JSON_LIMIT = 3_500_000
"""Bytes of JSON that Gmail surely takes; larger mail goes through `/upload`."""

_JSON_PATH = "/gmail/v1/users/me/messages/send"
_UPLOAD_PATH = "/upload/gmail/v1/users/me/messages/send?uploadType=multipart"
_CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class Post:
    """A request's path, type and body; the body in pieces, so that a mail of 25 MB is not copied."""

    path: str
    content_type: str
    pieces: tuple[bytes, ...]


class Sender:
    """Sends mail through Gmail; safe to share between threads.

    A connection of its own for each send: one that lay idle in a frozen instance is often dead, and the send's outcome
    would be unknown for nothing. Of the timeout a quarter is for connecting, half for handing the mail over (past that
    the body stays incomplete, so that Gmail cannot accept it), all of it for the answer. So an attempt is over after
    twice the timeout, which is the least that SENDING_LEASE_SECONDS may be.
    """

    def __init__(self, endpoint: str, timeout_seconds: float, clock: Clock) -> None:
        self._endpoint = endpoint
        self._seconds = timeout_seconds
        self._clock = clock
        self._session = new_session()
        self._session.headers["Connection"] = "close"

    def send(self, access: Access, mail: bytes, thread_id: str | None) -> Copy:
        """The accepted copy; OutcomeUnknown where Gmail may have accepted the mail without our hearing of it."""
        token = access.token()
        answer = self._post(prepare(mail, thread_id), token)
        if answer.status_code == UNAUTHORIZED:
            access.token(rejected=token)
            raise Temporary(
                "Gmail did not take the access token; there is a new one, try again.", reason="token_expired"
            )
        if answer.status_code >= 500 or answer.status_code == requests.codes.request_timeout:
            raise OutcomeUnknown("Gmail's answer does not say whether it sent.", reason=f"http_{answer.status_code}")
        if not answer.ok:
            headers = {name.lower(): value for name, value in answer.headers.items()}
            raise failures.translate(answer.status_code, headers, answer.content, self._clock())
        return _copy(answer)

    def _post(self, post: Post, token: str) -> requests.Response:
        body = _Body(post.pieces, time.monotonic() + self._seconds / 2)
        try:
            return self._session.post(
                self._endpoint + post.path,
                data=body,
                headers={"Content-Type": post.content_type},
                auth=Bearer(token),
                timeout=(self._seconds / 4, self._seconds),
                allow_redirects=False,
            )
        except requests.RequestException as exc:
            if _never_connected(exc):
                raise Temporary("Gmail cannot be reached; try again.", reason="gmail_unreachable") from exc
            raise OutcomeUnknown("Gmail's answer to a send was lost.", reason="answer_lost") from exc


def prepare(mail: bytes, thread_id: str | None) -> Post:
    """Small mail as JSON, large mail as an upload; both name the thread."""
    metadata = json.dumps({"threadId": thread_id} if thread_id else {}).encode()
    if len(mail) * 4 // 3 + len(metadata) + 64 <= JSON_LIMIT:
        separator = b", " if thread_id else b""
        raw = base64.urlsafe_b64encode(mail)
        return Post(_JSON_PATH, "application/json", (metadata[:-1], separator, b'"raw": "', raw, b'"}'))
    boundary = token_hex(24)
    head = f"--{boundary}\r\nContent-Type: application/json\r\n\r\n".encode() + metadata
    head += f"\r\n--{boundary}\r\nContent-Type: message/rfc822\r\n\r\n".encode()
    tail = f"\r\n--{boundary}--\r\n".encode()
    return Post(_UPLOAD_PATH, f"multipart/related; boundary={boundary}", (head, mail, tail))


class _Body:
    """A request's body that stops short at its deadline: without its end, Gmail accepts nothing."""

    def __init__(self, pieces: tuple[bytes, ...], deadline: float) -> None:
        self._pieces = pieces
        self._deadline = deadline

    def __len__(self) -> int:
        return sum(map(len, self._pieces))

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            for start in range(0, len(piece), _CHUNK):
                if time.monotonic() > self._deadline:
                    raise Temporary("Handing the mail to Gmail took too long; try again.", reason="upload_slow")
                yield piece[start : start + _CHUNK]


def _never_connected(exc: requests.RequestException) -> bool:
    """Nothing can have been sent: no connection was made."""
    if isinstance(exc, requests.ConnectTimeout):
        return True
    cause = exc.args[0] if isinstance(exc, ConnectionTrouble) and exc.args else None
    return isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError)


def _copy(answer: requests.Response) -> Copy:
    try:
        accepted: Mapping[str, str] = answer.json()
        return Copy(gmail_message_id=accepted["id"], thread_id=accepted["threadId"])
    except (requests.JSONDecodeError, KeyError, TypeError) as exc:
        raise OutcomeUnknown("Gmail's answer to a send cannot be read.", reason="answer_unreadable") from exc
