"""Callers: only a fresh token, signed by the right issuer for the right audience, proves anything."""

import hmac
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from infra.local.service_tokens import jwks
from mailbridge.adapters.identity import TokenCallers
from mailbridge.errors import NotAuthenticated, Temporary
from mailbridge.ports import Caller
from tests.contract.adapters.loopback import Received, config, http_server

CRM = "https://crm.example"
GOOGLE = "https://accounts.google.com"
TASKS = "tasks@example.iam.gserviceaccount.com"
AUDIENCE = "https://bridge.example/deliver_message"


@dataclass
class Issuer:
    """Signs tokens and publishes its keys; `status` other than 200 is an outage."""

    key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))
    status: int = 200
    reads: int = 0

    def respond(self, request: Received) -> tuple[int, bytes]:
        self.reads += 1
        return self.status, json.dumps(jwks(self.key)).encode()

    def token(self, algorithm: str = "RS256", **claims: Any) -> str:
        now = int(time.time())
        whole = {"iss": CRM, "aud": "mailbridge", "sub": "u1", "iat": now, "exp": now + 600, **claims}
        stated = {name: value for name, value in whole.items() if value is not None}
        headers = {"kid": jwks(self.key)["keys"][0]["kid"]}
        if algorithm == "HS256":
            return self._confused(headers | {"alg": algorithm}, stated)
        return jwt.encode(stated, self.key if algorithm != "none" else "", algorithm=algorithm, headers=headers)

    def service_token(self, **claims: Any) -> str:
        return self.token(**{"iss": GOOGLE, "aud": AUDIENCE, "email": TASKS, "email_verified": True, **claims})

    def _confused(self, header: dict[str, str], claims: dict[str, Any]) -> str:
        """Signed with the public key as a shared secret: whoever lets the token choose the algorithm believes it."""
        public = self.key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        signed = b".".join(urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, claims))
        signature = urlsafe_b64encode(hmac.digest(public, signed, "sha256")).rstrip(b"=")
        return b".".join((signed, signature)).decode()


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def callers(issuer: Issuer) -> Iterator[TokenCallers]:
    with http_server(issuer.respond) as url:
        yield TokenCallers(config(CRM_ISSUER=CRM, CRM_JWKS_URL=f"{url}/jwks", SERVICE_JWKS_URL=f"{url}/certs"))


def test_a_user_reaches_exactly_the_locations_of_their_token(issuer: Issuer, callers: TokenCallers) -> None:
    caller = callers.crm(issuer.token(locations=["l1", "l2"]))
    assert caller == Caller("u1", frozenset({"l1", "l2"}), "user")


@pytest.mark.parametrize("claims", [{}, {"locations": []}, {"locations": None}])
def test_a_user_without_locations_reaches_none(issuer: Issuer, callers: TokenCallers, claims: dict[str, Any]) -> None:
    assert callers.crm(issuer.token(**claims)).locations == frozenset()


@pytest.mark.rule("H2")
def test_the_crms_backend_reaches_every_location_unless_it_lists_some(issuer: Issuer, callers: TokenCallers) -> None:
    assert callers.crm(issuer.token(role="backend")).locations is None
    assert callers.crm(issuer.token(role="backend", locations=[])).locations is None
    assert callers.crm(issuer.token(role="backend", locations=["l1"])).locations == frozenset({"l1"})


@pytest.mark.rule("H1")
@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"},
        {"aud": "another-product"},
        {"aud": None},
        {"sub": None},
        {"exp": 1},
        {"exp": None},
        {"locations": "l1"},
        {"locations": [{}]},
        {"role": ["backend"]},
        {"algorithm": "HS256"},
        {"algorithm": "none"},
        {"algorithm": "RS512"},
    ],
)
def test_any_other_token_proves_nothing(issuer: Issuer, callers: TokenCallers, claims: dict[str, Any]) -> None:
    with pytest.raises(NotAuthenticated):
        callers.crm(issuer.token(**claims))


@pytest.mark.parametrize("token", ["", "garbage", "a.b.c", "é.é.é", "eyJhbGciOiJSUzI1NiJ9.e30."])
def test_what_is_no_token_proves_nothing(callers: TokenCallers, token: str) -> None:
    with pytest.raises(NotAuthenticated):
        callers.crm(token)


def test_a_token_signed_with_a_strange_key_proves_nothing(issuer: Issuer, callers: TokenCallers) -> None:
    callers.crm(issuer.token())
    with pytest.raises(NotAuthenticated):
        callers.crm(Issuer().token())


def test_a_clock_a_few_seconds_off_is_forgiven(issuer: Issuer, callers: TokenCallers) -> None:
    assert callers.crm(issuer.token(exp=int(time.time()) - 5)).user_id == "u1"


def test_the_issuers_keys_are_read_once_for_many_callers(issuer: Issuer, callers: TokenCallers) -> None:
    token = issuer.token()
    with ThreadPoolExecutor(8) as pool:
        users = [caller.user_id for caller in pool.map(callers.crm, [token] * 40)]
    assert users == ["u1"] * 40
    assert issuer.reads == 1


def test_made_up_key_ids_do_not_flood_the_issuer(issuer: Issuer, callers: TokenCallers) -> None:
    callers.crm(issuer.token())
    for _ in range(5):
        with pytest.raises(NotAuthenticated):
            callers.crm(Issuer().token())
    assert issuer.reads <= 2


def test_an_issuer_in_trouble_is_no_ones_guilt(issuer: Issuer, callers: TokenCallers) -> None:
    issuer.status = 503
    with pytest.raises(Temporary):
        callers.crm(issuer.token())


def test_a_service_is_known_by_audience_and_account(issuer: Issuer, callers: TokenCallers) -> None:
    callers.service(issuer.service_token(), AUDIENCE, TASKS)


@pytest.mark.parametrize(
    "claims",
    [
        {"email": "other@example.iam.gserviceaccount.com"},
        {"email": None},
        {"email_verified": False},
        {"email_verified": None},
        {"aud": "https://bridge.example/run_task"},
        {"iss": CRM},
        {"exp": 1},
    ],
)
def test_no_other_service_may_call(issuer: Issuer, callers: TokenCallers, claims: dict[str, Any]) -> None:
    with pytest.raises(NotAuthenticated):
        callers.service(issuer.service_token(**claims), AUDIENCE, TASKS)


def test_a_crm_users_token_is_no_services(issuer: Issuer, callers: TokenCallers) -> None:
    with pytest.raises(NotAuthenticated):
        callers.service(issuer.token(aud=AUDIENCE, email=TASKS, email_verified=True), AUDIENCE, TASKS)
