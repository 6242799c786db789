"""The CRM's identity provider: its tokens verify, its keys rotate."""

from typing import Any

import jwt
import pytest
import requests

from infra.local.stack import LocalStack


def token(stack: LocalStack, **wanted: object) -> str:
    answer = requests.post(f"{stack.endpoints.issuer}/token", json=wanted, timeout=10)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["token"])


def verified(stack: LocalStack, signed: str, audience: str = "mailbridge") -> dict[str, Any]:
    key = jwt.PyJWKClient(stack.env["CRM_JWKS_URL"]).get_signing_key_from_jwt(signed)
    return dict(jwt.decode(signed, key, algorithms=["RS256"], audience=audience, issuer=stack.env["CRM_ISSUER"]))


def test_a_users_token_carries_the_locations_and_an_ordinary_role(echo_stack: LocalStack) -> None:
    claims = verified(echo_stack, token(echo_stack, sub="u1", locations=["l1", "l2"], email="u1@crm.example"))
    assert (claims["sub"], claims["locations"], claims["role"]) == ("u1", ["l1", "l2"], "user")
    assert claims["email"] == "u1@crm.example"
    assert claims["exp"] - claims["iat"] == 3600


def test_the_backends_token_carries_its_role(echo_stack: LocalStack) -> None:
    assert verified(echo_stack, token(echo_stack, sub="crm", role="backend"))["role"] == "backend"


def test_a_token_can_be_expired_or_meant_for_somebody_else(echo_stack: LocalStack) -> None:
    with pytest.raises(jwt.ExpiredSignatureError):
        verified(echo_stack, token(echo_stack, sub="u1", expiresInSeconds=-60))
    elsewhere = token(echo_stack, sub="u1", audience="another-product")
    with pytest.raises(jwt.InvalidAudienceError):
        verified(echo_stack, elsewhere)
    assert verified(echo_stack, elsewhere, audience="another-product")["aud"] == "another-product"


def test_after_a_rotation_new_and_live_tokens_verify_and_older_ones_do_not(echo_stack: LocalStack) -> None:
    old = token(echo_stack, sub="u1")
    requests.post(f"{echo_stack.endpoints.issuer}/rotate", timeout=10).raise_for_status()
    new = token(echo_stack, sub="u1")
    assert jwt.get_unverified_header(old)["kid"] != jwt.get_unverified_header(new)["kid"]
    assert verified(echo_stack, old)["sub"] == verified(echo_stack, new)["sub"] == "u1"
    requests.post(f"{echo_stack.endpoints.issuer}/rotate", timeout=10).raise_for_status()
    with pytest.raises(jwt.PyJWKClientError, match="Unable to find a signing key"):
        verified(echo_stack, old)


def test_a_request_without_a_subject_is_told_what_is_missing(echo_stack: LocalStack) -> None:
    answer = requests.post(f"{echo_stack.endpoints.issuer}/token", json={"role": "user"}, timeout=10)
    assert answer.status_code == 400
    assert "sub" in answer.json()["title"]


def test_the_discovery_document_leads_to_the_keys(echo_stack: LocalStack) -> None:
    issuer = echo_stack.endpoints.issuer
    document = requests.get(f"{issuer}/.well-known/openid-configuration", timeout=10).json()
    assert document["issuer"] == issuer
    assert requests.get(document["jwks_uri"], timeout=10).json()["keys"][0]["alg"] == "RS256"
