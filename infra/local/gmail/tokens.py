"""The token endpoint and its kin: codes and refresh tokens into access tokens, revocation, ID tokens."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Collection, Mapping

import jwt

from infra.local.gmail.errors import JSON
from infra.local.gmail.grants import ACCESS_SECONDS, AccessToken, Code, project_of
from infra.local.gmail.scopes import SIGN_IN, canonical
from infra.local.gmail.signing import claims_of
from infra.local.gmail.world import World

ISSUER = "https://accounts.google.com"
Form = Mapping[str, str]


class OAuthError(Exception):
    """A refusal in OAuth's shape: status, `error`, `error_description`."""

    def __init__(self, status: int, error: str, description: str) -> None:
        self.status = status
        self.error = error
        self.description = description
        super().__init__(description)

    def body(self) -> JSON:
        """`{error, error_description}`."""
        return {"error": self.error, "error_description": self.description}


def token(world: World, form: Form, authorization: str) -> JSON:
    """Answer a token request of any grant type that the simulator knows."""
    grant = _GRANTS.get(form.get("grant_type", ""))
    if grant is None:
        raise OAuthError(400, "unsupported_grant_type", f"Invalid grant_type: {form.get('grant_type', '')}")
    return grant(world, form, authorization)


def revoke(world: World, value: str) -> JSON:
    """End the whole grant that a token belongs to, watches included; 400 for a token that is not live."""
    owner = world.grants.owner(value)
    if owner is None:
        raise OAuthError(400, "invalid_token", "Token expired or revoked")
    email, client_id = owner
    world.end_grant(email, project_of(client_id), end_watch=True)
    return {}


def token_info(world: World, value: str) -> JSON:
    """Whose access token this is, for whom and for how long."""
    live = _bearer(world, value)
    seconds = int(live.expires_at - world.clock.now())
    shape: JSON = {"azp": live.client_id, "aud": live.client_id, "scope": _listed(live.scopes)}
    shape |= {"exp": str(int(live.expires_at)), "expires_in": str(seconds), "access_type": "offline"}
    return shape | _identity(world, live.email, live.scopes)


def user_info(world: World, value: str) -> JSON:
    """OpenID Connect's user info."""
    live = _bearer(world, value)
    return _identity(world, live.email, live.scopes)


def _bearer(world: World, value: str) -> AccessToken:
    live = world.grants.bearer(value)
    if live is None or live.email not in world.mailboxes:
        raise OAuthError(400, "invalid_token", "Invalid Value")
    return live


def _exchange(world: World, form: Form, authorization: str) -> JSON:
    """authorization_code."""
    client_id = _client(world, form, authorization)
    code = world.grants.take_code(form.get("code", ""))
    if code is None:
        raise OAuthError(400, "invalid_grant", "Malformed auth code.")
    _check_code(code, client_id, form)
    held = world.grants.held(code.email, client_id)
    scopes = held if code.request.include_granted else code.scopes
    fresh = not world.grants.refresh_tokens(code.email, client_id) or "consent" in code.request.prompt
    answer = _access(world, code.email, client_id, scopes, code.request.nonce)
    if code.request.offline and fresh:
        answer["refresh_token"] = world.grants.issue_refresh(code.email, client_id, scopes)
    return answer


def _check_code(code: Code, client_id: str, form: Form) -> None:
    if code.client_id != client_id:
        raise OAuthError(401, "unauthorized_client", "The code was issued to another client.")
    if form.get("redirect_uri", "") != code.request.redirect_uri:
        raise OAuthError(400, "redirect_uri_mismatch", "Bad Request")
    if code.request.challenge and not _proves(code, form.get("code_verifier", "")):
        sentence = "Invalid code verifier." if form.get("code_verifier") else "Missing code verifier."
        raise OAuthError(400, "invalid_grant", sentence)


def _proves(code: Code, verifier: str) -> bool:
    digest = hashlib.sha256(verifier.encode()).digest()
    hashed = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    given = hashed if code.request.challenge_method == "S256" else verifier
    return hmac.compare_digest(given.encode(), code.request.challenge.encode())


def _refresh(world: World, form: Form, authorization: str) -> JSON:
    """refresh_token."""
    client_id = _client(world, form, authorization)
    world.grants.testing = world.behaviour.testing
    live = world.grants.use_refresh(form.get("refresh_token", ""), client_id)
    if live is None:
        raise OAuthError(400, "invalid_grant", "Token has been expired or revoked.")
    return _access(world, live.email, client_id, live.scopes, "")


def _service_account(world: World, form: Form, _authorization: str) -> JSON:
    """JWT bearer: a service account for itself, or (`sub`) for a mailbox by domain-wide delegation."""
    try:
        claims = claims_of(form.get("assertion", ""))
    except jwt.InvalidTokenError as exc:
        raise OAuthError(400, "invalid_grant", "Invalid JWT.") from exc
    issuer, subject = str(claims.get("iss", "")), str(claims.get("sub", claims.get("iss", ""))).lower()
    if claims.get("exp", 0) < world.clock.now():
        raise OAuthError(400, "invalid_grant", "Invalid JWT: Token must be a short-lived token (60 minutes).")
    if subject != issuer.lower() and subject not in world.mailboxes:
        raise OAuthError(400, "invalid_grant", "Invalid email or User ID")
    value = world.grants.issue_access(subject, issuer, canonical(str(claims.get("scope", ""))))
    return {"access_token": value, "expires_in": ACCESS_SECONDS, "token_type": "Bearer"}


_GRANTS: dict[str, Callable[[World, Form, str], JSON]] = {
    "authorization_code": _exchange,
    "refresh_token": _refresh,
    "urn:ietf:params:oauth:grant-type:jwt-bearer": _service_account,
}


def _client(world: World, form: Form, authorization: str) -> str:
    """The client that asks, from the form or HTTP Basic; 401 unless it is the one that is known here."""
    client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
    if authorization.lower().startswith("basic "):
        client_id, secret = _basic(authorization[6:])
    if not client_id or world.client_id not in {None, client_id}:
        raise OAuthError(401, "invalid_client", "The OAuth client was not found.")
    if world.client_secret not in {None, secret}:
        raise OAuthError(401, "invalid_client", "Unauthorized")
    return client_id


def _basic(credentials: str) -> tuple[str, str]:
    try:
        client_id, _, secret = base64.b64decode(credentials).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as exc:
        raise OAuthError(401, "invalid_client", "Unauthorized") from exc
    return client_id, secret


def _access(world: World, email: str, client_id: str, scopes: Collection[str], nonce: str) -> JSON:
    value = world.grants.issue_access(email, client_id, scopes)
    answer: JSON = {
        "access_token": value,
        "expires_in": ACCESS_SECONDS,
        "scope": _listed(scopes),
        "token_type": "Bearer",
    }
    if "openid" in scopes:
        answer["id_token"] = world.signing.sign(_id_claims(world, email, client_id, scopes, nonce))
    return answer


def _id_claims(world: World, email: str, client_id: str, scopes: Collection[str], nonce: str) -> JSON:
    now = int(world.clock.now())
    claims: JSON = {"iss": ISSUER, "azp": client_id, "aud": client_id, "iat": now, "exp": now + 3600}
    claims |= {"nonce": nonce} if nonce else {}
    return claims | _identity(world, email, scopes)


def _identity(world: World, email: str, scopes: Collection[str]) -> JSON:
    account = world.mailbox(email).account
    shape: JSON = {"sub": account.sub}
    if SIGN_IN["email"] in scopes:
        shape |= {"email": account.email, "email_verified": True}
    if SIGN_IN["profile"] in scopes:
        shape |= {"name": account.name}
    return shape | ({"hd": account.workspace} if account.workspace else {})


def _listed(scopes: Collection[str]) -> str:
    return " ".join(sorted(scopes))
