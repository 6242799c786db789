"""The identity provider of the CRM's users on one machine: signs their ID tokens, publishes the keys that verify them.

It also publishes the key that stands for Google's own (Cloud Tasks, Cloud Scheduler, Pub/Sub push) at `/google/certs`.
"""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jwt
import msgspec
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

_KEYS_PUBLISHED = 2


class TokenRequest(msgspec.Struct, rename="camel", forbid_unknown_fields=True, omit_defaults=True):
    """Whose token: the body of `POST /token`. A negative `expiresInSeconds` makes an expired one."""

    sub: str
    locations: list[str] = []
    role: str = "user"
    email: str | None = None
    name: str | None = None
    audience: str | None = None
    expires_in_seconds: int = 3600


@dataclass(frozen=True, slots=True)
class Key:
    """A signing key and its id."""

    id: str
    private: rsa.RSAPrivateKey

    @classmethod
    def new(cls) -> "Key":
        """A fresh RSA key."""
        return cls(secrets.token_hex(8), rsa.generate_private_key(public_exponent=65537, key_size=2048))

    def jwk(self) -> dict[str, Any]:
        """The public half, as RFC 7517 writes it."""
        public = RSAAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        return {**public, "kid": self.id, "use": "sig", "alg": "RS256"}


@dataclass
class Issuer:
    """Signs with the newest key; the one before it still verifies, so that a rotation breaks no live token."""

    url: str
    audience: str
    now: Callable[[], float] = time.time
    keys: list[Key] = field(default_factory=lambda: [Key.new()])

    def token(self, request: TokenRequest) -> str:
        """An ID token (RS256) with the CRM's claims `locations` and `role`."""
        issued = int(self.now())
        claims = {
            "iss": self.url,
            "aud": request.audience or self.audience,
            "sub": request.sub,
            "iat": issued,
            "exp": issued + request.expires_in_seconds,
            "locations": request.locations,
            "role": request.role,
            **self._profile(request),
        }
        return jwt.encode(claims, self.keys[0].private, algorithm="RS256", headers={"kid": self.keys[0].id})

    def rotate(self) -> None:
        """Sign with a new key from now on."""
        self.keys = [Key.new(), *self.keys][:_KEYS_PUBLISHED]

    def jwks(self) -> dict[str, Any]:
        """The key set that verifies the tokens."""
        return {"keys": [key.jwk() for key in self.keys]}

    @staticmethod
    def _profile(request: TokenRequest) -> dict[str, object]:
        email = {"email": request.email, "email_verified": True} if request.email else {}
        return {**email, **({"name": request.name} if request.name else {})}


def application(issuer: Issuer, google_certs: dict[str, Any]) -> web.Application:
    """`POST /token`, `POST /rotate`, the key sets and the discovery document."""

    async def token(request: web.Request) -> web.Response:
        try:
            wanted = msgspec.json.decode(await request.read(), type=TokenRequest)
        except msgspec.DecodeError as error:
            return web.json_response({"title": f"POST {{sub, locations, role}}: {error}"}, status=400)
        return web.json_response({"token": issuer.token(wanted)})

    async def rotate(_: web.Request) -> web.Response:
        issuer.rotate()
        return web.json_response({"kid": issuer.keys[0].id})

    async def jwks(_: web.Request) -> web.Response:
        return web.json_response(issuer.jwks())

    async def google(_: web.Request) -> web.Response:
        return web.json_response(google_certs)

    async def discovery(_: web.Request) -> web.Response:
        return web.json_response(discovery_document(issuer.url))

    app = web.Application()
    app.router.add_post("/token", token)
    app.router.add_post("/rotate", rotate)
    app.router.add_get("/jwks", jwks)
    app.router.add_get("/google/certs", google)
    app.router.add_get("/.well-known/openid-configuration", discovery)
    return app


def discovery_document(url: str) -> dict[str, Any]:
    """OpenID Connect Discovery 1.0, as far as a verifier reads it."""
    return {
        "issuer": url,
        "jwks_uri": f"{url}/jwks",
        "token_endpoint": f"{url}/token",
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }
