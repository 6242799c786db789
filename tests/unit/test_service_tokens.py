"""The local stand-in of Google's OIDC signer."""

import threading
from pathlib import Path

import jwt
import pytest

from infra.local.service_tokens import jwks, load_or_create_key, service_token

NOW = 1_790_000_000


def test_the_key_is_made_once_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "run" / "key.pem"
    assert jwks(load_or_create_key(path)) == jwks(load_or_create_key(path))
    assert [entry.name for entry in path.parent.iterdir()] == ["key.pem"]
    assert path.stat().st_mode & 0o077 == 0


def test_all_who_start_at_once_get_the_same_key(tmp_path: Path) -> None:
    keys: list[str] = []
    threads = [
        threading.Thread(target=lambda: keys.append(str(jwks(load_or_create_key(tmp_path / "key.pem")))))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 4
    assert len(set(keys)) == 1


def test_a_file_that_holds_no_key_is_refused_with_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_text("no key")
    with pytest.raises(ValueError, match="delete it"):
        load_or_create_key(path)


def test_a_token_of_another_key_does_not_verify(tmp_path: Path) -> None:
    ours, theirs = load_or_create_key(tmp_path / "ours.pem"), load_or_create_key(tmp_path / "theirs.pem")
    token = service_token(theirs, "a@b.example", "us", NOW)
    published = jwt.PyJWKSet.from_dict(jwks(ours))
    with pytest.raises(KeyError):
        published[jwt.get_unverified_header(token)["kid"]]
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(token, published.keys[0], algorithms=["RS256"], audience="us")


def test_an_account_keeps_its_subject_and_no_two_share_one(tmp_path: Path) -> None:
    key = load_or_create_key(tmp_path / "key.pem")
    tokens = [service_token(key, email, "us", NOW) for email in ("a@b.example", "a@b.example", "c@b.example")]
    subjects = [jwt.decode(token, options={"verify_signature": False})["sub"] for token in tokens]
    assert subjects[0] == subjects[1]
    assert subjects[1] != subjects[2]
    assert all(len(subject) == 21 for subject in subjects)


def test_the_published_keys_hold_nothing_private(tmp_path: Path) -> None:
    published = jwks(load_or_create_key(tmp_path / "key.pem"))["keys"][0]
    assert set(published) == {"kty", "n", "e", "kid", "use", "alg"}
