"""Google's signing key: ID tokens (RS256) and the key set that verifies them."""

from functools import cached_property

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from infra.local.gmail.errors import JSON

KEY_ID = "gmail-simulator"


class SigningKey:
    """An RSA key, made when it is first needed."""

    @cached_property
    def _key(self) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def sign(self, claims: JSON) -> str:
        """A signed JWT."""
        return jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": KEY_ID})

    def key_set(self) -> JSON:
        """The public key as a JWKS."""
        key = RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return {"keys": [{**key, "kid": KEY_ID, "alg": "RS256", "use": "sig"}]}


def claims_of(assertion: str) -> JSON:
    """A JWT's claims, its signature unchecked: the simulator knows no service account's key."""
    return dict(jwt.decode(assertion, options={"verify_signature": False, "verify_exp": False, "verify_aud": False}))
