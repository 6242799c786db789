"""What is asked of Google at consent, what was granted, and the proofs that a connection under way is our own (A1, A2)."""

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

READ = "https://www.googleapis.com/auth/gmail.readonly"
SEND = "https://www.googleapis.com/auth/gmail.send"
REQUESTED = ("openid", "email", READ, SEND)
REQUIRED = frozenset({READ, SEND})

_CONSUMER_DOMAINS = frozenset({"gmail.com", "googlemail.com"})


@dataclass(frozen=True, slots=True, repr=False)
class Grant:
    """Google's token answer; never logged, so it has no readable representation. `refresh_token` is None on a silent repeat."""

    access_token: str
    refresh_token: str | None
    scopes: frozenset[str]
    id_token: str


@dataclass(frozen=True, slots=True)
class Identity:
    """The Google account behind a grant; `hosted_domain` is set for Workspace."""

    sub: str
    email: str
    name: str
    hosted_domain: str | None


def missing(granted: Iterable[str]) -> frozenset[str]:
    """The required permissions that were not ticked (A2)."""
    return REQUIRED - frozenset(granted)


def code_challenge(verifier: str) -> str:
    """PKCE's S256 challenge of a verifier (RFC 7636)."""
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def daily_limit(identity: Identity, consumer: int, workspace: int) -> int:
    """Mails per 24 hours that Google allows this account (D4)."""
    hosted = identity.hosted_domain or identity.email.rpartition("@")[2] not in _CONSUMER_DOMAINS
    return workspace if hosted else consumer


def mailbox_id(email_address: str) -> str:
    """The id of a Google account's mailbox: a notification carries nothing but the address."""
    return hashlib.sha256(email_address.strip().lower().encode()).hexdigest()[:24]
