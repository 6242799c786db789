"""OIDC tokens as Google signs them for its own callers: Cloud Tasks, Cloud Scheduler and Pub/Sub push.

On one machine one RSA key, kept in a file, stands for Google's; whoever verifies reads `jwks` from the issuer.
"""

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

ISSUER = "https://accounts.google.com"
LIFETIME_SECONDS = 3600


def load_or_create_key(path: Path) -> rsa.RSAPrivateKey:
    """Answer the RSA key of the PEM file at `path`; processes that start at once agree on the one written first.

    Raises `ValueError`, which says what to do, where the file holds something else.
    """
    if not path.exists():
        _create(path)
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except ValueError as exc:
        raise ValueError(f"{path} holds no PEM private key: delete it, and a new one is made") from exc
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError(f"{path} holds no RSA key: delete it, and a new one is made")
    return key


def service_token(key: rsa.RSAPrivateKey, email: str, audience: str, now: float) -> str:
    """Answer the RS256 token that the service account `email` shows to `audience`, valid for an hour from `now` (s)."""
    subject = _subject(email)
    claims = {
        "iss": ISSUER,
        "aud": audience,
        "azp": subject,
        "sub": subject,
        "email": email,
        "email_verified": True,
        "iat": int(now),
        "exp": int(now) + LIFETIME_SECONDS,
    }
    return jwt.encode(claims, key, algorithm="RS256", headers={"kid": _key_id(key)})


def jwks(key: rsa.RSAPrivateKey) -> dict[str, Any]:
    """Answer the JSON Web Key Set (RFC 7517) that verifies the tokens of `key`."""
    public = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    public.pop("key_ops", None)
    return {"keys": [{**public, "kid": _key_id(key), "use": "sig", "alg": "RS256"}]}


def _create(path: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent) as draft:
        draft.write(pem)
        draft.flush()
        _publish(Path(draft.name), path)


def _publish(draft: Path, path: Path) -> None:
    """Give the finished draft its name in one step: nobody reads half a key, the first writer wins."""
    try:
        os.link(draft, path)
    except FileExistsError:
        return


def _key_id(key: rsa.RSAPrivateKey) -> str:
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(public).hexdigest()[:20]


def _subject(email: str) -> str:
    """Google's service accounts have a number of 21 digits as subject."""
    return str(10**20 + int(hashlib.sha256(email.encode()).hexdigest(), 16) % 10**20)
