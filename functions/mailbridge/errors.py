"""Every error Mailbridge raises on purpose, ordered by who should try again.

    MailbridgeError
    ├── InvalidRequest        400  the caller, with another request
    ├── NotAuthenticated      401  the caller, with a valid token
    ├── NotAllowed            403  nobody
    ├── NotFound              404  nobody (also for what belongs to another location)
    ├── Conflict              409  the caller, after looking at the state
    ├── LimitReached          429  the caller, at `retry_at`
    ├── Permanent             422  nobody, until somebody changes something
    │   └── ReconnectNeeded   409  the mailbox's user, by connecting again
    └── Temporary             503  the platform: Pub/Sub and Cloud Tasks deliver again
        └── Throttled         503  the platform, not before `retry_at`

`mailbridge.web` holds the one table that maps them to HTTP.
"""

from datetime import datetime


class MailbridgeError(Exception):
    """Base of all errors; `str(error)` tells a person what to do and names no address, subject or token."""

    def __init__(self, detail: str, *, reason: str | None = None) -> None:
        super().__init__(detail)
        self.reason = reason


class InvalidRequest(MailbridgeError):
    """The request cannot be understood or breaks a rule that the caller can keep."""


class NotAuthenticated(MailbridgeError):
    """No identity: the bearer token is missing, expired or not ours."""


class NotAllowed(MailbridgeError):
    """An identity that may not do this."""


class NotFound(MailbridgeError):
    """Nothing by that name that this caller may see."""


class Conflict(MailbridgeError):
    """The thing is in a state in which this cannot be done."""


class LimitReached(MailbridgeError):
    """An allowance is used up; there is room again at `retry_at` (D4)."""

    def __init__(self, detail: str, *, retry_at: datetime, reason: str | None = None) -> None:
        super().__init__(detail, reason=reason)
        self.retry_at = retry_at


class Permanent(MailbridgeError):
    """Trying again changes nothing."""


class ReconnectNeeded(Permanent):
    """Google no longer accepts the mailbox's grant (A7)."""


class Temporary(MailbridgeError):
    """Trying the same again, later, can succeed."""


class Throttled(Temporary):
    """Google asked to wait; `retry_at` is the time it named, if it named one (P24)."""

    def __init__(self, detail: str, *, retry_at: datetime | None = None) -> None:
        super().__init__(detail, reason="throttled")
        self.retry_at = retry_at


class HistoryExpired(MailbridgeError):
    """Gmail no longer holds the history from this cursor on: resync from the mailbox itself (P6)."""


class Superseded(MailbridgeError):
    """Somebody else changed the document in between: look again (P12)."""


class OutcomeUnknown(MailbridgeError):
    """The request may or may not have been carried out; find out before trying again (P15)."""
