"""Google's OAuth 2.0: consent page, code exchange, identity and revocation."""

from typing import Any
from urllib.parse import urlencode

import requests

from mailbridge.adapters.http import TIMEOUT, new_session
from mailbridge.adapters.oidc import TokenVerifier
from mailbridge.config import Config
from mailbridge.domain.oauth import REQUESTED, Grant, Identity
from mailbridge.errors import InvalidRequest, NotAuthenticated, Permanent, Temporary

ISSUERS = ("https://accounts.google.com", "accounts.google.com")
"""Google signs ID tokens under either name."""

_BAD_CODE = frozenset({"invalid_grant", "invalid_request"})


class GoogleOauth:
    """`ports.GoogleAccounts`; safe to share between threads."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._session = new_session()
        self._verifier = TokenVerifier(config.oauth_certs_url, ISSUERS)

    def authorization_url(self, state: str, code_challenge: str, login_hint: str | None = None) -> str:
        """Account chooser, then consent; `consent` each time, because only then a repeat brings a refresh token."""
        parameters = {
            "client_id": self._config.oauth_client_id,
            "redirect_uri": self._config.redirect_url,
            "response_type": "code",
            "scope": " ".join(REQUESTED),
            "access_type": "offline",
            "prompt": "consent select_account",
            "state": state,
            "code_challenge": code_challenge,
            "code_challenge_method": "S256",
        }
        if login_hint:
            parameters["login_hint"] = login_hint
        return f"{self._config.oauth_authorize_url}?{urlencode(parameters)}"

    def exchange(self, code: str, code_verifier: str) -> Grant:
        """The grant for a code, asked for once: a code is good for one use.

        InvalidRequest where Google refuses the code, Permanent where it refuses this OAuth client.
        """
        answer = self._post(
            self._config.oauth_token_url,
            {
                "grant_type": "authorization_code",
                "code": code,
                "code_verifier": code_verifier,
                "redirect_uri": self._config.redirect_url,
                "client_id": self._config.oauth_client_id,
                "client_secret": self._config.oauth_client_secret,
            },
        )
        if answer.status_code != requests.codes.ok:
            raise _refusal(_fields(answer).get("error"))
        return _grant(_fields(answer))

    def identify(self, grant: Grant) -> Identity:
        """The account of the grant's ID token; NotAuthenticated where it is not Google's, or its address unverified."""
        claims = self._verifier.claims(grant.id_token, self._config.oauth_client_id)
        if claims.get("email_verified") is not True or not claims.get("email"):
            raise NotAuthenticated("Google has not verified this account's address.", reason="email_unverified")
        return Identity(
            sub=claims["sub"], email=claims["email"], name=claims.get("name", ""), hosted_domain=claims.get("hd")
        )

    def revoke(self, token: str) -> None:
        """Ends the account's whole grant to this project (P21); a token that is dead already is no error."""
        answer = self._post(self._config.oauth_revoke_url, {"token": token})
        if answer.status_code == requests.codes.ok or _fields(answer).get("error") == "invalid_token":
            return
        raise Permanent("Google does not revoke the grant.", reason=f"http_{answer.status_code}")

    def _post(self, url: str, form: dict[str, str]) -> requests.Response:
        try:
            answer = self._session.post(url, data=form, timeout=TIMEOUT, allow_redirects=False)
        except requests.RequestException as exc:
            raise Temporary("Google's OAuth cannot be reached; try again.", reason="oauth_unreachable") from exc
        if answer.status_code >= 500 or answer.status_code == requests.codes.too_many_requests:
            raise Temporary("Google's OAuth is in trouble; try again.", reason=f"http_{answer.status_code}")
        return answer


def _refusal(error: Any) -> InvalidRequest | Permanent:
    if error in _BAD_CODE:
        return InvalidRequest("Google does not accept this code: start the connection again.", reason=str(error))
    return Permanent("Google refuses this OAuth client: check its id, secret and redirect URL.", reason=str(error))


def _grant(answer: dict[str, Any]) -> Grant:
    try:
        return Grant(
            access_token=answer["access_token"],
            refresh_token=answer.get("refresh_token"),
            scopes=frozenset(answer["scope"].split()),
            id_token=answer["id_token"],
        )
    except KeyError as exc:
        raise Permanent("Google's token answer is incomplete.", reason=f"no_{exc.args[0]}") from exc


def _fields(answer: requests.Response) -> dict[str, Any]:
    """The JSON object of an answer; empty where there is none."""
    try:
        fields = answer.json()
    except requests.JSONDecodeError:
        return {}
    return fields if isinstance(fields, dict) else {}
