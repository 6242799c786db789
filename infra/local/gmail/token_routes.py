"""The token endpoint, revocation, keys and who-is-this over HTTP, with their share of faults and counts."""

from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from infra.local.gmail import tokens
from infra.local.gmail.edge import WORLD, aborted, json_answer
from infra.local.gmail.errors import JSON, ConnectionLost, GmailError
from infra.local.gmail.tokens import OAuthError
from infra.local.gmail.world import World

Act = Callable[[World, Mapping[str, str], str], JSON]


def _endpoint(name: str, act: Act) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handler(request: web.Request) -> web.Response:
        world, form = request.app[WORLD], await _form(request)
        try:
            status, body = await _outcome(world, name, act, form, request.headers.get("Authorization", ""))
        except ConnectionLost:
            world.stats.count(name, "", failed=True, received=0, sent=0)
            return aborted(request)
        answer = json_answer(request, body, status)
        received, sent = request.content_length or 0, answer.content_length or 0
        world.stats.count(name, "", failed=status >= 400, received=received, sent=sent)
        return answer

    return handler


async def _form(request: web.Request) -> dict[str, str]:
    posted = await request.post()
    return {**request.query, **{name: value for name, value in posted.items() if isinstance(value, str)}}


async def _outcome(world: World, name: str, act: Act, form: Mapping[str, str], authorization: str) -> tuple[int, JSON]:
    fault = world.faults.take(name)
    try:
        await fault.before(world.clock.now())
        body = act(world, form, authorization)
        await fault.after(world.clock.now())
    except OAuthError as error:
        return error.status, error.body()
    except GmailError as error:
        return error.code, {"error": error.reason, "error_description": error.message}
    return 200, body


def _given(form: Mapping[str, str], authorization: str) -> str:
    return form.get("access_token") or authorization.partition(" ")[2]


_token = _endpoint("token", tokens.token)
_revoke = _endpoint("revoke", lambda world, form, _: tokens.revoke(world, form.get("token", "")))
_certs = _endpoint("certs", lambda world, _form, _: world.signing.key_set())
_info = _endpoint("tokeninfo", lambda world, form, given: tokens.token_info(world, _given(form, given)))
_user = _endpoint("userinfo", lambda world, form, given: tokens.user_info(world, _given(form, given)))

ROUTES = [
    web.post("/token", _token),
    web.post("/revoke", _revoke),
    web.get("/oauth2/v3/certs", _certs),
    web.get("/oauth2/v3/tokeninfo", _info),
    web.get("/oauth2/v3/userinfo", _user),
]
