"""Uploads: `uploadType` media, multipart and resumable, each ending as one ordinary call with the message's bytes."""

import re
import secrets
from dataclasses import dataclass, field, replace

from infra.local.gmail.api import Answer, Api, Request
from infra.local.gmail.errors import invalid, not_found
from infra.local.gmail.header_block import split
from infra.local.gmail.mime import pieces_of

_RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)")
_PREFIX = re.compile(r"^(/resumable)?/upload")


@dataclass
class Session:
    """A resumable upload under way: the call it will be, and what has come so far."""

    request: Request
    received: bytearray = field(default_factory=bytearray)


class Uploads:
    """The upload surface in front of the API."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._sessions: dict[str, Session] = {}

    async def answer(self, request: Request, url: str) -> Answer:
        """The answer to a request below `/upload`; `url` is where a resumable upload goes on."""
        call = replace(request, path=_PREFIX.sub("", request.path))
        if "upload_id" in request.query:
            return await self._continue(request)
        kind = request.query.get("uploadType")
        if kind == "resumable":
            return self._begin(call, url)
        if kind == "multipart":
            return await self._api.answer(_multipart(call))
        if kind == "media":
            return await self._api.answer(replace(call, body=b"", media=call.body))
        raise invalid("uploadType must be media, multipart or resumable")

    def _begin(self, call: Request, url: str) -> Answer:
        self._api.admit(call)
        upload_id = secrets.token_urlsafe(24)
        self._sessions[upload_id] = Session(call)
        joint = "&" if "?" in url else "?"
        return Answer(200, None, {"Location": f"{url}{joint}upload_id={upload_id}", "X-GUploader-UploadID": upload_id})

    async def _continue(self, request: Request) -> Answer:
        session = self._sessions.get(request.query["upload_id"])
        if session is None:
            raise not_found()
        total = _append(session, request)
        if total is None or len(session.received) < total:
            return _incomplete(session)
        del self._sessions[request.query["upload_id"]]
        authorization = {"Authorization": request.headers.get("Authorization", "")}
        headers = {**session.request.headers, **authorization}
        return await self._api.answer(replace(session.request, headers=headers, media=bytes(session.received)))


def _append(session: Session, request: Request) -> int | None:
    """Take a chunk; answers the total size, None as long as the client has not said it."""
    span = _RANGE.fullmatch(request.headers.get("Content-Range", ""))
    if span is None:
        session.received[:] = request.body
        return len(request.body)
    if span[1] and int(span[1]) == len(session.received):
        session.received += request.body
    return None if span[3] == "*" else int(span[3])


def _incomplete(session: Session) -> Answer:
    have = len(session.received)
    return Answer(308, None, {"Range": f"bytes=0-{have - 1}"} if have else {})


def _multipart(call: Request) -> Request:
    """A `multipart/related` upload: the JSON first, then the message."""
    pieces = pieces_of(call.body, call.headers.get("Content-Type", ""))
    if len(pieces) != 2:
        raise invalid("A multipart upload has two parts: the JSON and the message")
    (_, shape), (_, media) = split(pieces[0]), split(pieces[1])
    return replace(call, body=shape, media=media)
