"""The errors of Google's client libraries, as errors named by who should try again."""

from collections.abc import Iterator
from contextlib import contextmanager

import requests
from google.api_core import exceptions as google
from google.auth.exceptions import GoogleAuthError

from mailbridge.errors import NotFound, Permanent, Temporary

PASSING = (google.ServerError, google.TooManyRequests, google.Aborted, google.RetryError)
"""What the same call, later, can overcome: 5xx (deadlines included), 429, collisions, own retries used up."""


@contextmanager
def translated(service: str) -> Iterator[None]:
    """Raise errors of `service` (its name for people) as NotFound, Temporary or Permanent."""
    try:
        yield
    except google.NotFound as exc:
        raise NotFound(f"{service} knows nothing by that name.") from exc
    except (*PASSING, requests.RequestException, GoogleAuthError) as exc:
        raise Temporary(f"{service} does not answer; try again.", reason=type(exc).__name__) from exc
    except google.GoogleAPICallError as exc:
        raise Permanent(f"{service} refuses: check its name and our role there.", reason=type(exc).__name__) from exc
