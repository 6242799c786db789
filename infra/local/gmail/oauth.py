"""The authorization endpoint over HTTP: the walk of `consent`, page by page."""

import functools
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jinja2
from aiohttp import web

from infra.local.gmail import consent
from infra.local.gmail.edge import WORLD
from infra.local.gmail.grants import AuthorizationRequest
from infra.local.gmail.scopes import description, tickable
from infra.local.gmail.world import World

AUTH = "/o/oauth2/v2/auth"
Page = Callable[[web.Request], Awaitable[web.StreamResponse]]


@functools.cache
def _pages() -> jinja2.Environment:
    folder = Path(__file__).parent / "templates"
    return jinja2.Environment(loader=jinja2.FileSystemLoader(folder), autoescape=True)


def _app_name(client_id: str) -> str:
    """Google shows the app's registered name; here that is the first label of its client id."""
    return client_id.partition(".")[0]


def _page(name: str, status: int = 200, **values: Any) -> web.Response:
    text = _pages().get_template(name).render(auth=AUTH, **values)
    return web.Response(text=text, status=status, content_type="text/html", headers={"Cache-Control": "no-store"})


def _guarded(handler: Page) -> Page:
    @functools.wraps(handler)
    async def guarded(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except consent.Blocked as blocked:
            return _page("blocked.html", 400, error=blocked.error, reason=blocked.reason)

    return guarded


@_guarded
async def authorize(request: web.Request) -> web.StreamResponse:
    """The account chooser, or the next step if the client's hint makes it needless."""
    world = request.app[WORLD]
    asked = consent.authorization_request(world, request.query)
    hinted = consent.hinted(world, asked)
    if "none" in asked.prompt:
        return _silently(world, asked, hinted.account.email if hinted else "")
    flow = consent.begin(world, asked)
    if hinted:
        return _onwards(world, flow, hinted.account.email)
    accounts = [mailbox.account for mailbox in world.mailboxes.values()]
    return _page("chooser.html", flow=flow, accounts=accounts, client=_app_name(asked.client_id), hint=asked.login_hint)


@_guarded
async def choose(request: web.Request) -> web.StreamResponse:
    """The chooser's form."""
    world, form = request.app[WORLD], await request.post()
    flow, email = str(form.get("flow", "")), str(form.get("account", ""))
    consent.request_of(world, flow)
    return _onwards(world, flow, consent.account(world, email).account.email)


@_guarded
async def ask(request: web.Request) -> web.StreamResponse:
    """The consent page."""
    world, flow = request.app[WORLD], request.query.get("flow", "")
    asked = consent.request_of(world, flow)
    chosen = consent.account(world, request.query.get("account", "")).account
    held = world.grants.held(chosen.email, asked.client_id)
    boxes = [(scope, description(scope), scope in held) for scope in asked.scopes if tickable(scope)]
    return _page("consent.html", flow=flow, account=chosen, client=_app_name(asked.client_id), boxes=boxes)


@_guarded
async def answer(request: web.Request) -> web.StreamResponse:
    """The consent page's form."""
    world, form = request.app[WORLD], await request.post()
    flow = str(form.get("flow", ""))
    asked = consent.request_of(world, flow)
    if form.get("action") != "continue":
        return _redirect(consent.cancelled_url(world, flow))
    email = consent.account(world, str(form.get("account", ""))).account.email
    ticked = asked.scopes if "select_all" in form else [str(scope) for scope in form.getall("scope", [])]
    return _redirect(consent.granted_url(world, flow, email, ticked))


def _onwards(world: World, flow: str, email: str) -> web.StreamResponse:
    asked = consent.request_of(world, flow)
    if consent.settled(world, asked, email):
        return _redirect(consent.granted_url(world, flow, email, asked.scopes))
    return _redirect(f"{AUTH}/consent?{urlencode({'flow': flow, 'account': email})}")


def _silently(world: World, asked: AuthorizationRequest, email: str) -> web.StreamResponse:
    """`prompt=none`: a code without any page, or the error that says which page would be needed."""
    if not email or not consent.settled(world, asked, email):
        error = "interaction_required" if email else "login_required"
        return _redirect(consent.back(asked, {"error": error}))
    return _redirect(consent.granted_url(world, consent.begin(world, asked), email, asked.scopes))


def _redirect(url: str) -> web.Response:
    return web.Response(status=302, headers={"Location": url, "Cache-Control": "no-store"})


ROUTES = [
    web.get(AUTH, authorize),
    web.post(f"{AUTH}/account", choose),
    web.get(f"{AUTH}/consent", ask),
    web.post(f"{AUTH}/consent", answer),
]
