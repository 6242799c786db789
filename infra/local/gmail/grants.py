"""What Google accounts granted to clients: codes, access tokens, refresh tokens, and how they die."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass, field

from infra.local.gmail.clock import Clock

ACCESS_SECONDS = 3599
CODE_SECONDS = 600
UNUSED_SECONDS = 182 * 86400
TESTING_SECONDS = 7 * 86400
LIVE_REFRESH_TOKENS = 100


@dataclass(frozen=True)
class AccessToken:
    """A bearer token for an account's mailbox, for one client, within some scopes."""

    email: str
    client_id: str
    scopes: frozenset[str]
    expires_at: float

    @property
    def project(self) -> str:
        """The Google Cloud project behind the client: watches and revocations act per project."""
        return project_of(self.client_id)


@dataclass
class RefreshToken:
    """A refresh token with the scopes that its access tokens get."""

    email: str
    client_id: str
    scopes: frozenset[str]
    issued_at: float
    used_at: float


@dataclass(frozen=True)
class AuthorizationRequest:
    """What a client asks an account's owner for, as the authorization URL says it."""

    client_id: str
    redirect_uri: str
    scopes: tuple[str, ...]
    state: str
    prompt: frozenset[str]
    offline: bool
    include_granted: bool
    login_hint: str
    challenge: str
    challenge_method: str
    nonce: str


@dataclass(frozen=True)
class Code:
    """An authorization code: who granted which scopes on what request."""

    email: str
    request: AuthorizationRequest
    scopes: frozenset[str]
    expires_at: float

    @property
    def client_id(self) -> str:
        """The client that asked."""
        return self.request.client_id


@dataclass
class Grants:
    """All live grants; `testing` shortens refresh tokens to 7 days."""

    clock: Clock
    testing: bool = False
    granted: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)
    access: dict[str, AccessToken] = field(default_factory=dict)
    refresh: dict[str, RefreshToken] = field(default_factory=dict)

    def held(self, email: str, client_id: str) -> frozenset[str]:
        """The scopes that an account has granted to a client so far."""
        return self.granted.get((email, client_id), frozenset())

    def add_code(self, code: Code) -> str:
        """Record the user's consent and give out a code for it."""
        key = (code.email, code.client_id)
        self.granted[key] = self.held(*key) | code.scopes
        value = "4/0A" + secrets.token_urlsafe(48)
        self.codes[value] = code
        return value

    def take_code(self, value: str) -> Code | None:
        """Use a code up; None if it is unknown, used or expired."""
        code = self.codes.pop(value, None)
        return code if code and code.expires_at > self.clock.now() else None

    def issue_access(self, email: str, client_id: str, scopes: Collection[str]) -> str:
        """A new access token."""
        value = "ya29.a0A" + secrets.token_urlsafe(60)
        expires_at = self.clock.now() + ACCESS_SECONDS
        self.access[value] = AccessToken(email, client_id, frozenset(scopes), expires_at)
        return value

    def issue_refresh(self, email: str, client_id: str, scopes: Collection[str]) -> str:
        """A new refresh token; past 100 live ones of that account and client the oldest dies silently."""
        value = "1//0" + secrets.token_urlsafe(48)
        now = self.clock.now()
        self.refresh[value] = RefreshToken(email, client_id, frozenset(scopes), now, now)
        for old in self.refresh_tokens(email, client_id)[:-LIVE_REFRESH_TOKENS]:
            del self.refresh[old]
        return value

    def refresh_tokens(self, email: str, client_id: str) -> list[str]:
        """The live refresh tokens of an account and client, oldest first."""
        return [value for value, token in self.refresh.items() if (token.email, token.client_id) == (email, client_id)]

    def use_refresh(self, value: str, client_id: str) -> RefreshToken | None:
        """The refresh token, if it is this client's, still lives and was used in the last six months."""
        token = self.refresh.get(value)
        now = self.clock.now()
        if token is None or token.client_id != client_id or token.used_at < now - UNUSED_SECONDS:
            return None
        if self.testing and token.issued_at < now - TESTING_SECONDS:
            return None
        token.used_at = now
        return token

    def bearer(self, value: str) -> AccessToken | None:
        """The live access token with this value."""
        token = self.access.get(value)
        return token if token and token.expires_at > self.clock.now() else None

    def owner(self, value: str) -> tuple[str, str] | None:
        """The account and client of a live token of either kind."""
        token = self.bearer(value) or self.refresh.get(value)
        return (token.email, token.client_id) if token else None

    def end(self, email: str, project: str | None = None) -> None:
        """End the grant of an account: for one project with all its clients, or for all."""

        def lives(owner: str, client_id: str) -> bool:
            return owner != email or project not in {None, project_of(client_id)}

        self.granted = {key: scopes for key, scopes in self.granted.items() if lives(*key)}
        self.codes = {k: code for k, code in self.codes.items() if lives(code.email, code.client_id)}
        self.access = {k: token for k, token in self.access.items() if lives(token.email, token.client_id)}
        self.refresh = {k: token for k, token in self.refresh.items() if lives(token.email, token.client_id)}


def project_of(client_id: str) -> str:
    """The project of a client: the number in `<number>-<name>.apps.googleusercontent.com`, or its service account's."""
    if client_id.endswith(".iam.gserviceaccount.com"):
        return client_id.rpartition("@")[2].removesuffix(".iam.gserviceaccount.com")
    number, dash, _ = client_id.partition("-")
    return number if dash and client_id.endswith(".apps.googleusercontent.com") else client_id
