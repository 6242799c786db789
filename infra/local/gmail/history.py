"""`users.history.list`: what happened since an id, page by page, as far as the index has come."""

from infra.local.gmail.api import Call
from infra.local.gmail.errors import JSON, invalid, not_found
from infra.local.gmail.history_log import KINDS, Change
from infra.local.gmail.label_names import SYSTEM_LABELS


def list_history(call: Call) -> JSON:
    """Gmail's `ListHistoryResponse`: no `history` on an empty page, 404 for an id too old or never given (P5, P6)."""
    log = call.mailbox.history
    start = _id(call)
    if not log.floor <= start <= log.last:
        raise not_found()
    label, kinds = _label(call), _kinds(call)
    changes = _visible(call, start)
    answer: JSON = {"historyId": str(_known_until(call, start, changes))}
    chosen = [change for change in changes if not label or label in change.touched]
    records = [(change.id, record) for change in chosen if (record := change.resource(kinds))]
    page = records[: call.number("maxResults", 100, 500)]
    if page:
        answer["history"] = [record for _, record in page]
    if len(page) < len(records):
        answer["nextPageToken"] = str(page[-1][0])
    return answer


def _id(call: Call) -> int:
    text = call.text("startHistoryId")
    if not text.isdigit():
        raise invalid("Missing or invalid startHistoryId")
    return int(text)


def _visible(call: Call, start: int) -> list[Change]:
    """What the index shows; it can lag behind the mailbox and so behind its notifications."""
    token = call.text("pageToken")
    if token and not token.isdigit():
        raise invalid("Invalid pageToken")
    lag = call.world.lag
    if lag.count > 0 and not token:
        lag.count -= 1
        return []
    until = call.world.clock.now() - lag.ms / 1000
    return call.mailbox.history.since(max(start, int(token or 0)), until)


def _known_until(call: Call, start: int, visible: list[Change]) -> int:
    """The mailbox's history id as the index knows it."""
    log = call.mailbox.history
    behind = log.changes and log.changes[-1].id > (visible[-1].id if visible else start)
    return (visible[-1].id if visible else start) if behind else log.last


def _label(call: Call) -> str:
    label = call.text("labelId")
    if label and label not in SYSTEM_LABELS and label not in call.mailbox.user_labels:
        raise invalid(f"Invalid label: {label}")
    return label


def _kinds(call: Call) -> frozenset[str]:
    wanted = call.texts("historyTypes")
    if unknown := set(wanted) - set(KINDS):
        raise invalid(f"Invalid value at 'history_types': {sorted(unknown)[0]}")
    return frozenset(KINDS[name] for name in wanted or KINDS)


METHODS = {"history.list": list_history}
