"""HTTP as a good client speaks it: patient with a server that restarts, plain about refusals."""

from dataclasses import dataclass
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

_TIMEOUT_SECONDS = 60.0
_COMING_BACK = Retry(
    total=60,
    backoff_factor=0.1,
    backoff_max=1.0,
    status_forcelist=(502, 503),
    allowed_methods=None,
    raise_on_status=False,
    respect_retry_after_header=False,
)
"""A refused or reset connection, 502 and 503 are tried again for about a minute: only for calls that may be repeated."""


class RefusedError(Exception):
    """An answer of 400 or more: its status and its problem document (RFC 9457; of a page the text as `detail`)."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(f"{status}: {problem}")
        self.status = status
        self.problem = problem

    @property
    def reason(self) -> str | None:
        """The problem's machine-readable reason."""
        reason: str | None = self.problem.get("reason")
        return reason


def patient_session() -> requests.Session:
    """A session that waits for a server that is away."""
    session = requests.Session()
    session.mount("http://", HTTPAdapter(max_retries=_COMING_BACK))
    return session


@dataclass(frozen=True, slots=True)
class Client:
    """JSON calls below one URL, each repeated until the server is there; so only what may be done twice."""

    base: str
    token: str | None = None

    def call(self, method: str, path: str, *, json: object = None, headers: dict[str, str] | None = None) -> Any:
        """The answer's JSON, None where it is empty; RefusedError."""
        return _content(self.response(method, path, json=json, headers=headers, follow=True))

    def response(
        self,
        method: str,
        path: str,
        *,
        json: object = None,
        data: bytes | None = None,
        params: object = None,
        headers: dict[str, str] | None = None,
        follow: bool = False,
    ) -> requests.Response:
        """The answer itself, be it a redirect unless those are to be followed; RefusedError."""
        bearer = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        with patient_session() as session:
            answer = session.request(
                method,
                f"{self.base}/{path}",
                json=json,
                data=data,
                params=params,  # type: ignore[arg-type]  # requests' own alias for what it takes is private
                headers={**bearer, **(headers or {})},
                timeout=_TIMEOUT_SECONDS,
                allow_redirects=follow,
            )
        return accepted(answer)


def accepted(answer: requests.Response) -> requests.Response:
    """The same answer; RefusedError from 400 on."""
    if answer.status_code >= 400:
        raise RefusedError(answer.status_code, _problem(answer))
    return answer


def _content(answer: requests.Response) -> Any:
    return answer.json() if answer.content else None


def _problem(answer: requests.Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except requests.JSONDecodeError:
        return {"detail": answer.text}
    return found if isinstance(found, dict) else {"detail": found}
