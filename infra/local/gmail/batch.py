"""`POST /batch`: up to 100 calls in one request, each answered, charged and refused by itself."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import parse_qsl, unquote, urlsplit

from multidict import CIMultiDict, MultiDict

from infra.local.gmail.api import Answer, Api, Request, refusal
from infra.local.gmail.errors import ConnectionLost, GmailError, invalid
from infra.local.gmail.faults import Fault
from infra.local.gmail.header_block import HeaderBlock, split
from infra.local.gmail.mime import pieces_of
from infra.local.gmail.world import World

MOST = 100
_CONCURRENT = "Too many concurrent requests for user."


@dataclass(frozen=True)
class Part:
    """One call of a batch and the Content-ID that its answer carries."""

    content_id: str
    request: Request


async def answer(world: World, api: Api, body: bytes, headers: Mapping[str, str]) -> tuple[bytes, str]:
    """The `multipart/mixed` answer and its content type; `GmailError` if the whole batch is refused."""
    fault = world.faults.take("batch")
    try:
        await fault.before(world.clock.now())
        parts = _parts(body, headers)
        answers = [await _one(world, api, fault, index, part) for index, part in enumerate(parts)]
        await fault.after(world.clock.now())
    except (GmailError, ConnectionLost):
        world.stats.count("batch", "", failed=True, received=len(body), sent=0)
        raise
    boundary = f"batch_{secrets.token_urlsafe(24)}"
    content = b"".join(_written(boundary, part, given) for part, given in zip(parts, answers, strict=True))
    content += f"--{boundary}--".encode()
    world.stats.count("batch", "", failed=False, received=len(body), sent=len(content))
    return content, f"multipart/mixed; boundary={boundary}"


async def _one(world: World, api: Api, fault: Fault, index: int, part: Part) -> Answer:
    """A part's answer: beyond what a user may run at once it is 429, whatever it asks for."""
    if isinstance(fault.partial, int) and fault.status and index >= fault.partial:
        return refusal(fault.error(world.clock.now()))
    most = world.behaviour.batch_concurrency
    if most is not None and index >= most:
        return refusal(GmailError(429, "rateLimitExceeded", _CONCURRENT))
    return await api.answer(part.request)


def _parts(body: bytes, headers: Mapping[str, str]) -> list[Part]:
    pieces = pieces_of(body, headers.get("Content-Type", ""))
    if not pieces:
        raise invalid("Failed to parse batch request, error: 0 items")
    if len(pieces) > MOST:
        raise invalid(f"The batch request has {len(pieces)} calls, the limit is {MOST}")
    return [_part(piece, headers) for piece in pieces]


def _part(piece: bytes, outer: Mapping[str, str]) -> Part:
    envelope, http = split(piece)
    line, _, rest = http.lstrip().partition(b"\n")
    words = line.decode("ascii", "replace").split()
    if len(words) < 2:
        raise invalid("Failed to parse batch request: a part is no HTTP request")
    block, body = split(rest)
    target = urlsplit(words[1])
    query = MultiDict(parse_qsl(target.query, keep_blank_values=True))
    headers = CIMultiDict({"Authorization": outer.get("Authorization", ""), **_headers(block)})
    request = Request(words[0], unquote(target.path), query, headers, body)
    return Part(envelope.first("Content-ID") or "", request)


def _headers(block: HeaderBlock) -> dict[str, str]:
    return {field.name.title(): field.value for field in block.fields}


def _written(boundary: str, part: Part, given: Answer) -> bytes:
    head = [f"--{boundary}", "Content-Type: application/http"]
    head += [f"Content-ID: <response-{part.content_id.lstrip('<')}"] if part.content_id else []
    status = [f"HTTP/1.1 {given.status} {HTTPStatus(given.status).phrase}"]
    status += ["Content-Type: application/json; charset=UTF-8", f"Content-Length: {len(given.content)}"]
    status += [f"{name}: {value}" for name, value in given.headers.items()]
    lines = "\r\n".join([*head, "", *status, "", ""])
    return lines.encode() + given.content + b"\r\n"
