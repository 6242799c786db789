"""The Firestore client, its paths, transactions and errors."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import wraps
from itertools import islice
from typing import Any, ParamSpec, TypeVar

from google.api_core import exceptions as google_errors
from google.cloud import firestore

from mailbridge.adapters.store.codec import D, from_fields
from mailbridge.errors import NotFound, Temporary

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

DISJUNCTIONS = 30
"""Values that one `in` or `array_contains_any` filter takes."""

_ATTEMPTS = 12
_PASSING = (
    google_errors.Aborted,
    google_errors.DeadlineExceeded,
    google_errors.InternalServerError,
    google_errors.ResourceExhausted,
    google_errors.ServiceUnavailable,
    google_errors.RetryError,
)


def guarded(method: Callable[P, R]) -> Callable[P, R]:
    """Firestore's passing troubles as Temporary, so that Pub/Sub and Cloud Tasks deliver again; NotFound as ours."""

    @wraps(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(*args, **kwargs)
        except google_errors.NotFound as exc:
            raise NotFound("What was to be changed is no longer stored.") from exc
        except _PASSING as exc:
            raise Temporary("Firestore does not answer; try again.", reason="store_unavailable") from exc

    return call


def read(reference: Any, kind: type[D], transaction: Any = None) -> D | None:
    """One document."""
    snapshot = reference.get(transaction=transaction)
    return from_fields(snapshot.to_dict(), kind) if snapshot.exists else None


def found(query: Any, kind: type[D]) -> list[D]:
    """All documents that a query finds."""
    return [from_fields(snapshot.to_dict(), kind) for snapshot in query.stream()]


def transact(client: Any, work: Callable[[Any], T]) -> T:
    """Run the work in a transaction; it may run several times, and its reads come before its writes.

    Temporary where others were faster every time: the client says that with a ValueError.
    """
    try:
        result: T = firestore.transactional(work)(client.transaction(max_attempts=_ATTEMPTS))
    except ValueError as exc:
        if isinstance(exc.__cause__, google_errors.Aborted):
            raise Temporary("Too many write the same; try again.", reason="contended") from exc
        raise
    return result


def where(query: Any, path: str, operator: str, value: Any) -> Any:
    """The query, narrowed."""
    return query.where(filter=firestore.FieldFilter(path, operator, value))


def chunks(values: Iterable[T], size: int) -> Iterator[Sequence[T]]:
    """The values in groups of at most `size`."""
    remaining = iter(values)
    while group := list(islice(remaining, size)):
        yield group


def location(client: Any, location_id: str) -> Any:
    """`locations/{locationId}`."""
    return client.collection("locations").document(location_id)


def user(client: Any, location_id: str, user_id: str) -> Any:
    """`locations/{locationId}/users/{userId}`."""
    return location(client, location_id).collection("users").document(user_id)


def contact(client: Any, location_id: str, contact_id: str) -> Any:
    """`locations/{locationId}/contacts/{contactId}`."""
    return location(client, location_id).collection("contacts").document(contact_id)


def conversation(client: Any, location_id: str, conversation_id: str) -> Any:
    """`locations/{locationId}/conversations/{contactId}`."""
    return location(client, location_id).collection("conversations").document(conversation_id)


def message(client: Any, location_id: str, message_id: str) -> Any:
    """`locations/{locationId}/messages/{messageId}`."""
    return location(client, location_id).collection("messages").document(message_id)


def mailbox(client: Any, mailbox_id: str) -> Any:
    """`mailboxes/{mailboxId}`."""
    return client.collection("mailboxes").document(mailbox_id)


def cursor(client: Any, mailbox_id: str) -> Any:
    """`cursors/{mailboxId}`."""
    return client.collection("cursors").document(mailbox_id)


def allowance(client: Any, mailbox_id: str) -> Any:
    """`allowances/{mailboxId}`."""
    return client.collection("allowances").document(mailbox_id)


def outbox(client: Any, message_id: str) -> Any:
    """`outbox/{messageId}`."""
    return client.collection("outbox").document(message_id)


def connect_state(client: Any, state_id: str) -> Any:
    """`connectStates/{stateId}`."""
    return client.collection("connectStates").document(state_id)
