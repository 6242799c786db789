"""Google's OAuth: the fake and the adapter keep the same promises."""

from urllib.parse import parse_qs, urlsplit

import jwt
import pytest

from mailbridge.adapters.oauth import GoogleOauth
from mailbridge.domain.oauth import READ, REQUESTED, REQUIRED, Grant, code_challenge
from mailbridge.errors import InvalidRequest, NotAuthenticated, Permanent, ReconnectNeeded, Temporary
from tests.contract.adapters.conftest import ANN, VERIFIER, World
from tests.contract.adapters.loopback import NOWHERE, config, http_server
from tests.contract.adapters.simulator import SimulatedGoogle


@pytest.mark.rule("A1")
def test_consent_gives_a_lasting_grant_with_both_permissions(world: World) -> None:
    grant = world.grant()
    assert grant.refresh_token
    assert grant.scopes >= REQUIRED


@pytest.mark.rule("A2")
def test_an_unticked_permission_is_missing_from_the_grant(world: World) -> None:
    grant = world.grant(scopes=("openid", "email", READ))
    assert grant.scopes & REQUIRED == {READ}


@pytest.mark.rule("A1")
def test_a_code_is_good_for_one_use(world: World) -> None:
    code = world.google.consent(world.accounts.authorization_url("s", code_challenge(VERIFIER)), ANN)
    world.accounts.exchange(code, VERIFIER)
    with pytest.raises(InvalidRequest):
        world.accounts.exchange(code, VERIFIER)


@pytest.mark.rule("A1")
def test_a_stolen_code_is_worth_nothing_without_its_verifier(world: World) -> None:
    code = world.google.consent(world.accounts.authorization_url("s", code_challenge(VERIFIER)), ANN)
    with pytest.raises(InvalidRequest):
        world.accounts.exchange(code, "w" * 64)


def test_a_code_that_google_never_gave_is_refused(world: World) -> None:
    with pytest.raises(InvalidRequest):
        world.accounts.exchange("made-up", VERIFIER)


def test_the_grant_names_its_account(world: World) -> None:
    world.google.account("bob@corp.example", "corp.example")
    ann = world.accounts.identify(world.grant())
    bob = world.accounts.identify(world.grant("bob@corp.example"))
    assert (ann.email, ann.hosted_domain) == (ANN, None)
    assert (bob.email, bob.hosted_domain) == ("bob@corp.example", "corp.example")
    assert ann.sub != bob.sub


def test_an_identity_that_google_did_not_sign_is_none(world: World) -> None:
    forged = jwt.encode({"sub": "1", "email": ANN, "email_verified": True}, "k" * 32, headers={"kid": "1"})
    with pytest.raises(NotAuthenticated):
        world.accounts.identify(Grant(access_token="", refresh_token=None, scopes=frozenset(), id_token=forged))


@pytest.mark.rule("A6")
@pytest.mark.parametrize("kept", ["access_token", "refresh_token"])
def test_revoking_any_token_ends_the_whole_grant(world: World, kept: str) -> None:
    grant = world.grant()
    world.accounts.revoke(getattr(grant, kept))
    with pytest.raises(ReconnectNeeded):
        world.gmail.open(world.mailbox(grant)).history_id()


def test_revoking_a_dead_token_is_no_error(world: World) -> None:
    grant = world.grant()
    world.accounts.revoke(grant.access_token)
    world.accounts.revoke(grant.access_token)
    with pytest.raises(ReconnectNeeded):
        world.gmail.open_grant(grant).history_id()


@pytest.mark.rule("A1")
def test_the_consent_page_is_asked_for_all_that_we_need_and_no_more(simulator: SimulatedGoogle) -> None:
    url = GoogleOauth(simulator.config()).authorization_url("st&te", "challenge", ANN)
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    assert query == {
        "client_id": "client",
        "redirect_uri": f"{NOWHERE}/connect_callback",
        "response_type": "code",
        "scope": " ".join(REQUESTED),
        "access_type": "offline",
        "prompt": "consent select_account",
        "state": "st&te",
        "code_challenge": "challenge",
        "code_challenge_method": "S256",
        "login_hint": ANN,
    }


@pytest.mark.parametrize("status", [429, 500, 503])
def test_google_in_trouble_is_no_verdict_on_a_code(status: int) -> None:
    with http_server(lambda _: (status, b"<html>")) as url, pytest.raises(Temporary):
        GoogleOauth(config(OAUTH_TOKEN_URL=url)).exchange("code", VERIFIER)


def test_google_out_of_reach_is_no_verdict_on_a_code_or_a_token() -> None:
    accounts = GoogleOauth(config())
    with pytest.raises(Temporary):
        accounts.exchange("code", VERIFIER)
    with pytest.raises(Temporary):
        accounts.revoke("token")


@pytest.mark.parametrize("error", [b"invalid_client", b"redirect_uri_mismatch", b"unauthorized_client"])
def test_a_refused_client_is_our_fault_and_not_the_callers(error: bytes) -> None:
    body = b'{"error": "%s"}' % error
    with http_server(lambda _: (401, body)) as url, pytest.raises(Permanent):
        GoogleOauth(config(OAUTH_TOKEN_URL=url)).exchange("code", VERIFIER)


def test_an_incomplete_token_answer_is_refused() -> None:
    with http_server(lambda _: (200, b'{"access_token": "a"}')) as url, pytest.raises(Permanent):
        GoogleOauth(config(OAUTH_TOKEN_URL=url)).exchange("code", VERIFIER)
