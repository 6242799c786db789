"""OAuth from the account chooser to the last refresh token: pages, codes, tokens, and how grants end."""

import base64
import hashlib
from typing import Any

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from google.auth.exceptions import RefreshError
from google.auth.transport.requests import Request as GoogleRequest
from google.oauth2.credentials import Credentials
from google.oauth2.id_token import verify_token
from google.oauth2.service_account import Credentials as ServiceAccount

from infra.local.gmail.clock import Clock
from infra.local.gmail.grants import Grants
from tests.contract.gmail_simulator.browser import CALLBACK, Browser
from tests.contract.gmail_simulator.driver import ANN, BOB, READONLY, SEND, Simulator

EMAIL = "https://www.googleapis.com/auth/userinfo.email"
SCOPES = f"openid email {READONLY} {SEND}"
OFFLINE = {"scope": SCOPES, "access_type": "offline", "prompt": "consent", "state": "s1"}
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")


def consent(sim: Simulator, email: str = ANN, ticked: str = f"{READONLY} {SEND}", **query: str) -> str:
    browser = Browser(sim.url).open(**{**OFFLINE, **query}).press("account", email)
    if not browser.callback:
        browser.press("action", "continue", tuple(scope for scope in ticked.split() if scope in browser.offered()))
    return browser.callback["code"]


def ask(sim: Simulator, **form: str) -> tuple[int, dict[str, Any]]:
    answer = requests.post(f"{sim.url}/token", data={"client_id": "crm", "client_secret": "x", **form}, timeout=20)
    return answer.status_code, answer.json()


def exchange(sim: Simulator, code: str, **form: str) -> tuple[int, dict[str, Any]]:
    return ask(sim, **{"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, **form})


def connected(sim: Simulator, email: str = ANN, **query: str) -> dict[str, Any]:
    status, tokens = exchange(sim, consent(sim, email, **query))
    assert status == 200, tokens
    return tokens


def refresh(sim: Simulator, token: str) -> tuple[int, dict[str, Any]]:
    return ask(sim, grant_type="refresh_token", refresh_token=token)


def profile_status(sim: Simulator, access_token: str) -> int:
    headers = {"Authorization": f"Bearer {access_token}"}
    return requests.get(f"{sim.url}/gmail/v1/users/me/profile", headers=headers, timeout=20).status_code


@pytest.mark.rule("A1")
def test_the_walk_leads_from_the_chooser_over_the_tick_boxes_to_a_code(sim: Simulator) -> None:
    browser = Browser(sim.url).open(**OFFLINE)
    assert browser.heading() == "Choose an account"
    browser.press("account", ANN)
    assert browser.offered() == ["yes", READONLY, SEND]
    browser.press("action", "continue", (READONLY, SEND))
    assert browser.callback["state"] == "s1"
    assert set(browser.callback["scope"].split()) == {"openid", EMAIL, READONLY, SEND}
    status, tokens = exchange(sim, browser.callback["code"])
    assert (status, tokens["token_type"], tokens["expires_in"]) == (200, "Bearer", 3599)
    assert set(tokens["scope"].split()) == {"openid", EMAIL, READONLY, SEND}
    assert profile_status(sim, tokens["access_token"]) == 200


@pytest.mark.rule("A2")
def test_an_unticked_permission_is_missing_from_the_granted_scopes(sim: Simulator) -> None:
    _, tokens = exchange(sim, consent(sim, ticked=READONLY))
    assert SEND not in tokens["scope"]
    body = {"raw": base64.urlsafe_b64encode(b"To: a@b.example\r\n\r\n").decode()}
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    answer = requests.post(f"{sim.url}/gmail/v1/users/me/messages/send", json=body, headers=headers, timeout=20)
    assert answer.status_code == 403
    assert answer.json()["error"]["errors"][0]["reason"] == "insufficientPermissions"
    assert 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]


def test_select_all_grants_everything_without_scripts(sim: Simulator) -> None:
    browser = Browser(sim.url).open(**OFFLINE).press("account", ANN).press("action", "continue", ("yes",))
    assert {READONLY, SEND} <= set(browser.callback["scope"].split())


@pytest.mark.rule("A2")
def test_cancel_comes_back_with_access_denied_and_grants_nothing(sim: Simulator) -> None:
    browser = Browser(sim.url).open(**OFFLINE).press("account", ANN).press("action", "cancel")
    assert browser.callback == {"state": "s1", "error": "access_denied"}


def test_a_login_hint_goes_straight_to_the_consent_page(sim: Simulator) -> None:
    browser = Browser(sim.url).open(**OFFLINE, login_hint=BOB)
    assert BOB in browser.html
    assert READONLY in browser.offered()
    chosen = Browser(sim.url).open(**{**OFFLINE, "prompt": "select_account"}, login_hint=BOB)
    assert chosen.heading() == "Choose an account"


def test_who_granted_all_of_it_before_is_not_asked_again(sim: Simulator) -> None:
    connected(sim)
    browser = Browser(sim.url).open(**{**OFFLINE, "prompt": ""}).press("account", ANN)
    assert "code" in browser.callback


@pytest.mark.parametrize(("granted", "hint", "outcome"), [(True, ANN, "code"), (False, ANN, "interaction_required")])
def test_prompt_none_never_shows_a_page(sim: Simulator, granted: bool, hint: str, outcome: str) -> None:
    if granted:
        connected(sim)
    callback = Browser(sim.url).open(**{**OFFLINE, "prompt": "none"}, login_hint=hint).callback
    assert outcome in {*callback, callback.get("error")}


@pytest.mark.parametrize("missing", ["scope", "redirect_uri", "client_id"])
def test_a_request_that_google_would_block_gets_an_error_page(sim: Simulator, missing: str) -> None:
    browser = Browser(sim.url).open(**{**OFFLINE, missing: ""})
    assert (browser.status, browser.callback) == (400, {})
    assert missing in browser.html


def test_a_page_shows_what_the_client_sent_as_text_only(sim: Simulator) -> None:
    browser = Browser(sim.url).open(**OFFLINE, client_id="<script>alert(1)</script>")
    assert "<script>alert" not in browser.html


@pytest.mark.rule("A1")
def test_a_code_needs_the_verifier_of_its_challenge(sim: Simulator) -> None:
    pkce = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
    assert exchange(sim, consent(sim, **pkce), code_verifier=VERIFIER)[0] == 200
    for wrong in ("w" * 43, ""):
        status, refusal = exchange(sim, consent(sim, **pkce), code_verifier=wrong)
        assert (status, refusal["error"]) == (400, "invalid_grant")


def test_a_code_is_good_once_and_for_ten_minutes(sim: Simulator) -> None:
    code = consent(sim)
    assert [exchange(sim, code)[0] for _ in range(2)] == [200, 400]
    late = consent(sim)
    sim.set("clock", advanceSeconds=601)
    assert exchange(sim, late)[1]["error"] == "invalid_grant"


def test_a_code_is_bound_to_its_redirect_uri_and_client(sim: Simulator) -> None:
    assert exchange(sim, consent(sim), redirect_uri=CALLBACK + "/")[1]["error"] == "redirect_uri_mismatch"
    assert exchange(sim, consent(sim), client_id="other")[1]["error"] == "unauthorized_client"


def test_the_id_token_verifies_against_the_published_keys(sim: Simulator) -> None:
    tokens = connected(sim, BOB, nonce="n1")
    key = jwt.PyJWKClient(f"{sim.url}/oauth2/v3/certs").get_signing_key_from_jwt(tokens["id_token"])
    claims = jwt.decode(tokens["id_token"], key, ["RS256"], audience="crm", issuer="https://accounts.google.com")
    assert (claims["email"], claims["email_verified"], claims["hd"]) == (BOB, True, "firm.example")
    assert claims["nonce"] == "n1"
    info = requests.get(f"{sim.url}/oauth2/v3/tokeninfo", params={"access_token": tokens["access_token"]}, timeout=20)
    assert (info.json()["sub"], info.json()["aud"]) == (claims["sub"], "crm")


def test_a_refresh_token_comes_once_and_again_only_with_prompt_consent(sim: Simulator) -> None:
    assert "refresh_token" not in connected(sim, access_type="online")
    assert "refresh_token" in connected(sim, prompt="select_account")
    assert "refresh_token" not in connected(sim, prompt="")
    assert "refresh_token" in connected(sim)


def test_scopes_granted_earlier_are_included_on_request(sim: Simulator) -> None:
    connected(sim, scope=f"openid {READONLY}")
    alone = exchange(sim, consent(sim, ticked=SEND, scope=f"openid {SEND}"))[1]
    joined = exchange(sim, consent(sim, ticked=SEND, scope=f"openid {SEND}", include_granted_scopes="true"))[1]
    assert (READONLY in alone["scope"], READONLY in joined["scope"]) == (False, True)


def test_an_access_token_expires_and_a_refresh_token_brings_another(sim: Simulator) -> None:
    tokens = connected(sim)
    sim.set("clock", advanceSeconds=3600)
    assert profile_status(sim, tokens["access_token"]) == 401
    status, fresh = refresh(sim, tokens["refresh_token"])
    assert (status, profile_status(sim, fresh["access_token"])) == (200, 200)
    assert "refresh_token" not in fresh


@pytest.mark.rule("A6", "P21")
@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
def test_revoking_one_token_ends_the_whole_grant_of_that_account(sim: Simulator, which: str) -> None:
    first, second, other = connected(sim), connected(sim), connected(sim, BOB)
    assert requests.post(f"{sim.url}/revoke", data={"token": first[which]}, timeout=20).status_code == 200
    assert refresh(sim, second["refresh_token"])[1]["error"] == "invalid_grant"
    assert profile_status(sim, second["access_token"]) == 401
    assert refresh(sim, other["refresh_token"])[0] == 200


def test_revoking_what_is_no_token_is_refused(sim: Simulator) -> None:
    answer = requests.post(f"{sim.url}/revoke", data={"token": "nonsense"}, timeout=20)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_token")


@pytest.mark.rule("A7")
@pytest.mark.parametrize("what", ["revoke", "password-change"])
def test_what_the_user_does_in_the_google_account_ends_the_grant(sim: Simulator, what: str) -> None:
    tokens = connected(sim)
    sim.set(what, email=ANN)
    assert refresh(sim, tokens["refresh_token"]) == (
        400,
        {"error": "invalid_grant", "error_description": "Token has been expired or revoked."},
    )


@pytest.mark.rule("A7")
def test_six_months_of_disuse_end_a_refresh_token(sim: Simulator) -> None:
    used, unused = connected(sim)["refresh_token"], connected(sim)["refresh_token"]
    sim.set("clock", advanceSeconds=100 * 86_400)
    assert refresh(sim, used)[0] == 200
    sim.set("clock", advanceSeconds=100 * 86_400)
    assert [refresh(sim, token)[0] for token in (used, unused)] == [200, 400]


def test_in_testing_a_refresh_token_lives_for_seven_days(sim: Simulator) -> None:
    sim.set("behaviour", testing=True)
    token = connected(sim)["refresh_token"]
    sim.set("clock", advanceSeconds=7 * 86_400 + 1)
    assert refresh(sim, token)[0] == 400


def test_past_a_hundred_refresh_tokens_the_oldest_dies_silently() -> None:
    grants = Grants(Clock())
    other = grants.issue_refresh(BOB, "crm", {READONLY})
    first, second, *_, last = [grants.issue_refresh(ANN, "crm", {READONLY}) for _ in range(101)]
    living = [grants.use_refresh(token, "crm") is not None for token in (first, second, last, other)]
    assert living == [False, True, True, True]


def test_googles_own_library_refreshes_and_verifies_tokens(sim: Simulator) -> None:
    tokens = connected(sim)
    credentials = Credentials(
        None, refresh_token=tokens["refresh_token"], token_uri=f"{sim.url}/token", client_id="crm", client_secret="x"
    )
    credentials.refresh(GoogleRequest())
    assert profile_status(sim, credentials.token) == 200
    certs = f"{sim.url}/oauth2/v3/certs"
    claims = verify_token(credentials.id_token, GoogleRequest(), audience="crm", certs_url=certs)
    assert claims["email"] == ANN
    sim.set("revoke", email=ANN)
    with pytest.raises(RefreshError, match="invalid_grant"):
        credentials.refresh(GoogleRequest())


def test_googles_own_library_speaks_for_a_service_account(sim: Simulator) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    info = {"client_email": "robot@p.iam.gserviceaccount.com", "private_key": pem, "token_uri": f"{sim.url}/token"}
    robot = ServiceAccount.from_service_account_info(info, scopes=[READONLY], subject=BOB)
    robot.refresh(GoogleRequest())
    assert profile_status(sim, robot.token) == 200


def test_a_service_account_without_a_mailbox_fails_its_precondition(sim: Simulator) -> None:
    token = sim.token("tests@audit.iam.gserviceaccount.com")
    headers = {"Authorization": f"Bearer {token}"}
    answer = requests.get(f"{sim.url}/gmail/v1/users/me/profile", headers=headers, timeout=20)
    assert (answer.status_code, answer.json()["error"]["status"]) == (400, "FAILED_PRECONDITION")


def test_no_other_mailbox_can_be_read_with_a_token(sim: Simulator) -> None:
    headers = {"Authorization": f"Bearer {sim.token(ANN)}"}
    answer = requests.get(f"{sim.url}/gmail/v1/users/{BOB}/profile", headers=headers, timeout=20)
    assert answer.status_code == 403
