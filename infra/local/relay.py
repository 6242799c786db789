"""Stands between the Pub/Sub emulator and a function: adds the OIDC token that the emulator does not sign."""

from collections.abc import AsyncIterator, Callable

import aiohttp
from aiohttp import web

# These belong to one connection (RFC 9110, 7.6.1), or are written anew for the next one.
_NOT_FORWARDED = {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "host", "content-length"}
_LARGEST_MESSAGE_BYTES = 16 * 1024 * 1024
_session = web.AppKey("session", aiohttp.ClientSession)


def application(gateway: str, token_for: Callable[[str], str]) -> web.Application:
    """Forward `POST /<function>` to `<gateway>/<function>` and answer what it answers; `token_for` takes the audience.

    A gateway that cannot be reached, or dies in the middle, is 502: Pub/Sub delivers again.
    """

    async def forward(request: web.Request) -> web.Response:
        url = f"{gateway}{request.path}"
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _NOT_FORWARDED}
        headers["Authorization"] = f"Bearer {token_for(url)}"
        try:
            async with request.app[_session].post(url, data=await request.read(), headers=headers) as answer:
                return web.Response(status=answer.status, body=await answer.read())
        except (aiohttp.ClientError, TimeoutError) as error:
            return web.Response(status=502, text=f"{url} cannot be reached: {error!r}")

    app = web.Application(client_max_size=_LARGEST_MESSAGE_BYTES)
    app.cleanup_ctx.append(_open_session)
    app.router.add_post("/{function}", forward)
    return app


async def _open_session(app: web.Application) -> AsyncIterator[None]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=600)) as session:
        app[_session] = session
        yield
