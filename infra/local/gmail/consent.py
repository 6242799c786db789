"""The authorization endpoint as a person sees it: account chooser, consent page, and the way back to the client.

The walk, for programs too (plain HTML forms, no scripts needed):
1. `GET /o/oauth2/v2/auth?client_id&redirect_uri&response_type=code&scope&state...` shows the chooser: a form with a
   button `account` for each Google account (skipped if `login_hint` names one and `prompt` does not ask to choose).
2. `POST /o/oauth2/v2/auth/account` (`flow`, `account`) leads to the consent page: a form with a tick box `scope` for each
   permission, `select_all`, and the buttons `action=continue` and `action=cancel`.
3. `POST /o/oauth2/v2/auth/consent` (`flow`, `account`, `scope`..., `action`) redirects to the client with `code` and
   `state`, or with `error=access_denied`.
Who has granted all of it before, goes from 2 to the redirect at once, unless `prompt=consent`.
"""

import secrets
from collections.abc import Collection, Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from infra.local.gmail.grants import CODE_SECONDS, AuthorizationRequest, Code
from infra.local.gmail.mailbox import Mailbox
from infra.local.gmail.scopes import canonical, tickable
from infra.local.gmail.world import World


class Blocked(Exception):
    """A request that Google answers with an error page rather than a redirect: `error` and why."""

    def __init__(self, error: str, reason: str) -> None:
        self.error = error
        self.reason = reason
        super().__init__(reason)


def authorization_request(world: World, query: Mapping[str, str]) -> AuthorizationRequest:
    """The request that an authorization URL makes; `Blocked` if it is none that Google would show a page for."""
    for name in ("client_id", "redirect_uri", "response_type", "scope"):
        if not query.get(name):
            raise Blocked("invalid_request", f"Missing required parameter: {name}")
    if query["response_type"] != "code":
        raise Blocked("unsupported_response_type", "The simulator gives out codes: response_type=code")
    if world.client_id not in {None, query["client_id"]}:
        raise Blocked("invalid_client", "The OAuth client was not found.")
    if not urlsplit(query["redirect_uri"]).netloc:
        raise Blocked("redirect_uri_mismatch", "redirect_uri must be an absolute URL")
    return AuthorizationRequest(
        client_id=query["client_id"],
        redirect_uri=query["redirect_uri"],
        scopes=canonical(query["scope"]),
        state=query.get("state", ""),
        prompt=frozenset(query.get("prompt", "").split()),
        offline=query.get("access_type") == "offline",
        include_granted=query.get("include_granted_scopes") == "true",
        login_hint=query.get("login_hint", "").lower(),
        challenge=query.get("code_challenge", ""),
        challenge_method=query.get("code_challenge_method", "plain"),
        nonce=query.get("nonce", ""),
    )


def begin(world: World, request: AuthorizationRequest) -> str:
    """Remember a request for the pages to come; answers its flow id."""
    flow = secrets.token_urlsafe(16)
    world.consents[flow] = request
    return flow


def request_of(world: World, flow: str) -> AuthorizationRequest:
    """The request behind a page; `Blocked` if the page is from another day."""
    request = world.consents.get(flow)
    if request is None:
        raise Blocked("invalid_request", "This page has expired: start again from the application")
    return request


def account(world: World, email: str) -> Mailbox:
    """The account that was chosen."""
    mailbox = world.mailboxes.get(email.lower())
    if mailbox is None:
        raise Blocked("invalid_request", f"There is no Google account {email} here")
    return mailbox


def hinted(world: World, request: AuthorizationRequest) -> Mailbox | None:
    """The account that the client hinted at (by address or `sub`), unless the user is to choose."""
    if "select_account" in request.prompt:
        return None
    known = (box for box in world.mailboxes.values() if request.login_hint in {box.account.email, box.account.sub})
    return next(known, None)


def settled(world: World, request: AuthorizationRequest, email: str) -> bool:
    """Whether the account has granted all of it before, so that no page needs to ask."""
    return "consent" not in request.prompt and set(request.scopes) <= world.grants.held(email, request.client_id)


def granted_url(world: World, flow: str, email: str, ticked: Collection[str]) -> str:
    """Consent: where the browser goes with a code for the ticked permissions and for signing in."""
    request = world.consents.pop(flow)
    scopes = frozenset(scope for scope in request.scopes if scope in ticked or not tickable(scope))
    if not scopes:
        return back(request, {"error": "access_denied"})
    code = world.grants.add_code(Code(email, request, scopes, world.clock.now() + CODE_SECONDS))
    workspace = world.mailbox(email).account.workspace
    answer = {"code": code, "scope": " ".join(sorted(scopes)), "authuser": "0"}
    answer |= {"hd": workspace} if workspace else {}
    return back(request, answer | {"prompt": "consent" if "consent" in request.prompt else "none"})


def cancelled_url(world: World, flow: str) -> str:
    """Cancel: where the browser goes with `error=access_denied`."""
    return back(world.consents.pop(flow), {"error": "access_denied"})


def back(request: AuthorizationRequest, answer: Mapping[str, str]) -> str:
    """The client's redirect URI with an answer and its `state`."""
    parts = urlsplit(request.redirect_uri)
    state = {"state": request.state} if request.state else {}
    query = [*parse_qsl(parts.query), *{**state, **answer}.items()]
    return urlunsplit(parts._replace(query=urlencode(query)))
