"""Where HTTP begins and ends: JSON answers, compression, and connections that the fault script ends."""

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from infra.local.gmail.world import World

WORLD: web.AppKey[World] = web.AppKey("world", World)
COMPRESS_FROM = 1400


def body_answer(
    request: web.Request, status: int, content: bytes, content_type: str, headers: Mapping[str, str] | None = None
) -> web.Response:
    """An answer with a body, compressed if the caller asked for it and it is worth it."""
    response = web.Response(status=status, body=content or None, headers=headers)
    if content:
        response.headers["Content-Type"] = content_type
    if len(content) >= COMPRESS_FROM and "gzip" in request.headers.get("Accept-Encoding", ""):
        response.enable_compression(web.ContentCoding.gzip)
    return response


def json_answer(request: web.Request, value: Any, status: int = 200) -> web.Response:
    """An answer in JSON."""
    content = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
    return body_answer(request, status, content, "application/json; charset=UTF-8")


def aborted(request: web.Request) -> web.Response:
    """The TCP connection ends here and now: nothing of this answer reaches the caller."""
    if request.transport:
        request.transport.abort()
    return web.Response(status=500)
