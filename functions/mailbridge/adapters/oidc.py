"""ID tokens: signature (RS256 only), issuer, audience and expiry, with the issuer's keys kept for a while."""

from collections.abc import Sequence
from http.client import HTTPException
from typing import Any

import jwt

from mailbridge.errors import NotAuthenticated, Temporary

_LEEWAY_SECONDS = 30
_KEYS_LIFE_SECONDS = 600
_COOLDOWN_SECONDS = 5
"""Between two looks for a key that is not known: tokens with made-up key ids cannot flood the issuer."""

_REQUIRED = ("iss", "aud", "sub", "exp", "iat")


class TokenVerifier:
    """Verifies the ID tokens of one issuer (which may sign under several names); safe to share between threads."""

    def __init__(self, jwks_url: str, issuers: Sequence[str]) -> None:
        self._issuers = list(issuers)
        self._keys = jwt.PyJWKClient(
            jwks_url, lifespan=_KEYS_LIFE_SECONDS, timeout=10, cooldown_duration=_COOLDOWN_SECONDS
        )

    def claims(self, token: str, audience: str) -> dict[str, Any]:
        """The token's claims; NotAuthenticated where it proves nothing, Temporary where the keys cannot be read."""
        try:
            return jwt.decode(
                token,
                self._key(token),
                algorithms=["RS256"],
                audience=audience,
                issuer=self._issuers,
                leeway=_LEEWAY_SECONDS,
                options={"require": list(_REQUIRED)},
            )
        except jwt.PyJWTError as exc:
            raise NotAuthenticated("The ID token is not valid: get a new one.", reason=type(exc).__name__) from exc

    def _key(self, token: str) -> jwt.PyJWK:
        key_id = jwt.get_unverified_header(token).get("kid")
        if not isinstance(key_id, str):
            raise jwt.InvalidTokenError("no key id")
        try:
            return self._keys.get_signing_key(key_id)
        except (jwt.PyJWKClientConnectionError, jwt.PyJWKSetError, OSError, HTTPException, ValueError) as exc:
            raise Temporary("The issuer's keys cannot be read; try again.", reason="keys_unavailable") from exc
