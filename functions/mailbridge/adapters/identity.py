"""Who is calling: a CRM's user or backend, or one of Google's services, by ID token."""

from typing import Any

from mailbridge.adapters.oidc import TokenVerifier
from mailbridge.config import Config
from mailbridge.errors import NotAuthenticated
from mailbridge.ports import Caller

BACKEND = "backend"
"""The role of a CRM's backend, which may reach every location."""


class TokenCallers:
    """`ports.Callers` over the CRM's issuer and Google's."""

    def __init__(self, config: Config) -> None:
        self._crm = TokenVerifier(config.crm_jwks_url, [config.crm_issuer])
        self._services = TokenVerifier(config.service_jwks_url, [config.service_issuer])
        self._audience = config.crm_audience

    def crm(self, token: str) -> Caller:
        """The holder of a CRM's ID token: claims `sub`, `role` (default "user") and `locations` (list of ids)."""
        claims = self._crm.claims(token, self._audience)
        role = claims.get("role", "user")
        if not isinstance(role, str):
            raise NotAuthenticated("The ID token's claim `role` is no text.", reason="role")
        return Caller(user_id=claims["sub"], locations=_locations(claims, role), role=role)

    def service(self, token: str, audience: str, email: str) -> None:
        """Returns where the token was made for this audience and for this service account."""
        claims = self._services.claims(token, audience)
        if claims.get("email") != email or claims.get("email_verified") is not True:
            raise NotAuthenticated("The token belongs to another service account.", reason="service_account")


def _locations(claims: dict[str, Any], role: str) -> frozenset[str] | None:
    """Exactly the listed ones; a backend that lists none may reach all."""
    listed = claims.get("locations") or []
    if not isinstance(listed, list) or not all(isinstance(location, str) for location in listed):
        raise NotAuthenticated("The ID token's claim `locations` is no list of ids.", reason="locations")
    return None if role == BACKEND and not listed else frozenset(listed)
