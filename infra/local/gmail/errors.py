"""Refusals in the JSON shape that Google's APIs use, and the loss of a connection."""

from collections.abc import Mapping
from typing import Any

JSON = dict[str, Any]

STATUS_NAMES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    412: "FAILED_PRECONDITION",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
MESSAGES = {
    "authError": "Invalid Credentials",
    "backendError": "Backend Error",
    "dailyLimitExceeded": "Daily Limit Exceeded",
    "domainPolicy": "The domain administrators have disabled Gmail apps.",
    "failedPrecondition": "Precondition check failed.",
    "insufficientPermissions": "Request had insufficient authentication scopes.",
    "notFound": "Requested entity was not found.",
    "rateLimitExceeded": "Resource has been exhausted (e.g. check quota).",
    "userRateLimitExceeded": "User Rate Limit Exceeded",
}
USAGE_REASONS = {"dailyLimitExceeded", "userRateLimitExceeded", "domainPolicy"}


class GmailError(Exception):
    """A refused call: HTTP status, Google's `reason`, a sentence, and headers to answer with."""

    def __init__(
        self, code: int, reason: str, message: str = "", *, domain: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        self.code = code
        self.reason = reason
        self.message = message or MESSAGES.get(reason, f"{reason} (simulated)")
        self.domain = domain or ("usageLimits" if reason in USAGE_REASONS else "global")
        self.headers = dict(headers or {})
        super().__init__(self.message)

    def body(self) -> JSON:
        """`{"error": {code, message, errors: [{message, domain, reason}], status}}`."""
        status = "FAILED_PRECONDITION" if self.reason == "failedPrecondition" else STATUS_NAMES.get(self.code)
        detail = {"message": self.message, "domain": self.domain, "reason": self.reason}
        error = {"code": self.code, "message": self.message, "errors": [detail]}
        return {"error": {**error, "status": status or "UNKNOWN"}}


class ConnectionLost(Exception):
    """The fault script wants the TCP connection to end without an answer."""


def not_found() -> GmailError:
    """404, as for every id that the mailbox does not hold."""
    return GmailError(404, "notFound")


def invalid(message: str) -> GmailError:
    """400: the request itself is wrong."""
    return GmailError(400, "invalidArgument", message)


def unauthenticated() -> GmailError:
    """401: no access token, or one that is unknown, expired or revoked."""
    challenge = 'Bearer realm="https://accounts.google.com/", error="invalid_token"'
    message = "Request had invalid authentication credentials. Expected OAuth 2 access token."
    return GmailError(401, "authError", message, headers={"WWW-Authenticate": challenge})


def insufficient_scope() -> GmailError:
    """403: the access token is good, but the user did not grant what the method needs."""
    challenge = 'Bearer realm="https://accounts.google.com/", error="insufficient_scope"'
    return GmailError(403, "insufficientPermissions", headers={"WWW-Authenticate": challenge})
