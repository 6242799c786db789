"""Calls through Google's own client, with its errors translated; every method is built once for the process."""

import json
from collections.abc import Callable, Iterator, Sequence
from importlib.resources import files
from typing import Any

from googleapiclient.discovery import build_from_document
from googleapiclient.errors import BatchError, HttpError

from mailbridge.adapters.gmail import failures
from mailbridge.adapters.gmail.transport import AuthorizedHttp
from mailbridge.domain.history import BATCH
from mailbridge.errors import MailbridgeError, NotFound, ReconnectNeeded, Temporary
from mailbridge.ports import Clock, Fetched, Resource


class GmailApi:
    """Gmail's resources at one endpoint; safe to share between threads: each call brings its mailbox's own HTTP."""

    def __init__(self, endpoint: str) -> None:
        # Only rootUrl moves batch and upload along; client_options.api_endpoint leaves both at Google.
        document = json.loads(files("googleapiclient.discovery_cache").joinpath("documents/gmail.v1.json").read_bytes())
        document |= {"rootUrl": f"{endpoint}/", "baseUrl": f"{endpoint}/", "mtlsRootUrl": f"{endpoint}/"}
        self._service = build_from_document(document, http=_NoHttp())
        self.users = self._service.users()
        self.history = self.users.history()
        self.messages = self.users.messages()
        self.attachments = self.messages.attachments()

    def batch(self, answered: Callable[..., None]) -> Any:
        """An empty batch of calls; `answered` gets each part's (request id, answer, error)."""
        return self._service.new_batch_http_request(callback=answered)


class _NoHttp:
    """Stands where the client keeps a connection of its own: every call brings its mailbox's."""

    request = None


class Calls:
    """One mailbox's calls: `execute` runs one, `fetch` gets many messages in one HTTP call."""

    def __init__(self, api: GmailApi, http: AuthorizedHttp, clock: Clock) -> None:
        self._api = api
        self._http = http
        self._clock = clock

    def execute(self, request: Any) -> Any:
        """The answer's JSON; the errors of `failures`."""
        try:
            answer = request.execute(http=self._http)
        except HttpError as exc:
            raise self._translated(exc) from exc
        except ValueError as exc:
            raise _unreadable() from exc
        # Google's client hands over what is no JSON as text, and no content as an empty one.
        if answer and isinstance(answer, str):
            raise _unreadable()
        return answer

    def pages(self, method: Any, **arguments: Any) -> Iterator[Any]:
        """The answers of all pages, each fetched when it is asked for."""
        token = None
        while True:
            page = self.execute(method(userId="me", pageToken=token, **arguments))
            yield page
            token = page.get("nextPageToken")
            if not token:
                return

    def fetch(self, ids: Sequence[str], **arguments: Any) -> Fetched:
        """At most 25 messages in one HTTP call (P23); a single one as a plain call."""
        if len(ids) > BATCH:
            raise ValueError(f"at most {BATCH} messages at once")
        if len(ids) == 1:
            return self._fetch_one(ids[0], arguments)
        fetched = self._fetch_batch(ids, arguments)
        refused = [key for key, error in fetched.failed.items() if isinstance(error, ReconnectNeeded)]
        if not refused:
            return fetched
        # Gmail checks the access token for each part: a new one, once, as for any other call.
        self._http.renew()
        return _merged(fetched, self._fetch_batch(refused, arguments))

    def _fetch_one(self, key: str, arguments: dict[str, Any]) -> Fetched:
        try:
            resource = self.execute(self._api.messages.get(userId="me", id=key, **arguments))
        except NotFound:
            return Fetched({}, frozenset({key}), {})
        return Fetched({key: resource}, frozenset(), {})

    def _fetch_batch(self, ids: Sequence[str], arguments: dict[str, Any]) -> Fetched:
        answers: dict[str, tuple[Resource | None, HttpError | None]] = {}

        def answered(key: str, found: Resource | None, error: HttpError | None) -> None:
            answers[key] = (found, error)

        batch = self._api.batch(answered)
        for key in dict.fromkeys(ids):
            batch.add(self._api.messages.get(userId="me", id=key, **arguments), request_id=key)
        try:
            batch.execute(http=self._http)
        except (BatchError, LookupError, ValueError) as exc:
            raise _unreadable() from exc
        except HttpError as exc:
            raise self._translated(exc) from exc
        return self._sorted(answers)

    def _sorted(self, answers: dict[str, tuple[Resource | None, HttpError | None]]) -> Fetched:
        errors = {key: self._translated(error) for key, (_, error) in answers.items() if error}
        errors |= {key: _unreadable() for key, (found, _) in answers.items() if isinstance(found, str)}
        return Fetched(
            found={key: found for key, (found, _) in answers.items() if found is not None and key not in errors},
            gone=frozenset(key for key, error in errors.items() if isinstance(error, NotFound)),
            failed={key: error for key, error in errors.items() if not isinstance(error, NotFound)},
        )

    def _translated(self, exc: HttpError) -> MailbridgeError:
        return failures.translate(exc.resp.status, exc.resp, exc.content, self._clock())


def _merged(first: Fetched, second: Fetched) -> Fetched:
    """The second answer replaces what the first refused."""
    asked = second.found.keys() | second.gone | second.failed.keys()
    remaining = {key: error for key, error in first.failed.items() if key not in asked}
    return Fetched({**first.found, **second.found}, first.gone | second.gone, {**remaining, **second.failed})


def _unreadable() -> Temporary:
    return Temporary("Gmail's answer cannot be read; try again.", reason="answer_unreadable")
