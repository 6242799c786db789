"""`/_sim`, the people: accounts, mail that arrives or is written in Gmail, label clicks, and what an auditor looks at."""

from typing import Any

import msgspec
from aiohttp import web

from infra.local.gmail import changes, delivery, quota
from infra.local.gmail.accounts import SendAs
from infra.local.gmail.control_edge import control, owner, read
from infra.local.gmail.errors import JSON, invalid
from infra.local.gmail.mailbox import Mailbox, Message
from infra.local.gmail.rendering import View, headers, snippet
from infra.local.gmail.world import World


class NewAlias(msgspec.Struct, forbid_unknown_fields=True):
    """A send-as address."""

    email: str
    name: str = ""
    signature: str = ""


class NewMailbox(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """A Google account; `workspace` is true (the address's domain) or a domain; `sendingLimit` 0 is the account type's."""

    email: str
    name: str = ""
    workspace: bool | str = False
    sending_limit: int = 0
    signature: str = ""
    aliases: list[NewAlias] = msgspec.field(default_factory=list)


class LabelClicks(msgspec.Struct, forbid_unknown_fields=True):
    """Labels that the user adds to or removes from a message."""

    email: str
    id: str
    add: list[str] = msgspec.field(default_factory=list)
    remove: list[str] = msgspec.field(default_factory=list)


class NewLabel(msgspec.Struct, forbid_unknown_fields=True):
    """A label that the user makes."""

    email: str
    name: str


class OfMessage(msgspec.Struct, forbid_unknown_fields=True):
    """A message of an account."""

    email: str
    id: str


def add_mailbox(world: World, _request: web.Request, body: bytes) -> JSON:
    """POST mailboxes: a new Google account, or new particulars of one."""
    spec = read(body, NewMailbox)
    if "@" not in spec.email:
        raise invalid(f"{spec.email!r} is no mail address")
    domain = spec.email.rpartition("@")[2].lower()
    workspace = domain if spec.workspace is True else spec.workspace or ""
    own = [SendAs(spec.email, spec.name, spec.signature)] if spec.signature else []
    aliases = own + [SendAs(alias.email, alias.name, alias.signature) for alias in spec.aliases]
    account = world.add_account(spec.email, spec.name, workspace, spec.sending_limit, aliases).account
    shape = {"email": account.email, "name": account.name, "workspace": account.workspace, "sub": account.sub}
    return {**shape, "historyId": str(owner(world, account.email).history.last)}


def list_mailboxes(world: World, _request: web.Request, _body: bytes) -> JSON:
    """GET mailboxes: all accounts."""
    accounts = [mailbox.account for mailbox in world.mailboxes.values()]
    return {"mailboxes": [{"email": a.email, "name": a.name, "workspace": a.workspace} for a in accounts]}


def mail_arrives(world: World, request: web.Request, body: bytes) -> JSON:
    """POST mail?to=&labels=: mail from outside, one message for each `to`; the first is the answer's id."""
    mailboxes = [owner(world, email) for email in request.query.getall("to", [])]
    if not mailboxes:
        raise invalid("Say who gets it: ?to=<mailbox>, as often as you like")
    labels = _labels(request)
    for mailbox in mailboxes:
        changes.check_known(mailbox, labels)
    stored = [(mailbox, delivery.receive(mailbox, body, labels)) for mailbox in mailboxes]
    deliveries = [{"email": mailbox.account.email, **_brief(message)} for mailbox, message in stored]
    return {**_brief(stored[0][1]), "deliveries": deliveries}


def user_composes(world: World, request: web.Request, body: bytes) -> JSON:
    """POST compose?from=&threadId=: the user sends from Gmail itself."""
    mailbox = owner(world, request.query.get("from", ""))
    return _brief(delivery.compose(world, mailbox, body, request.query.get("threadId", "")))


def user_labels(world: World, _request: web.Request, body: bytes) -> JSON:
    """POST labels: the user adds and removes labels, Gmail's own included."""
    spec = read(body, LabelClicks)
    mailbox = owner(world, spec.email)
    changes.check_known(mailbox, [*spec.add, *spec.remove])
    message = mailbox.get(spec.id)
    mailbox.relabel(message, spec.add, spec.remove)
    return {**_brief(message), "labelIds": sorted(message.labels)}


def user_makes_label(world: World, _request: web.Request, body: bytes) -> JSON:
    """POST label: a label of the user's own; answers its id."""
    spec = read(body, NewLabel)
    mailbox = owner(world, spec.email)
    label = next((label for label in mailbox.user_labels.values() if label.name == spec.name), None)
    label = label or mailbox.add_label(spec.name, {})
    return {"id": label.id, "name": label.name}


def user_deletes(world: World, _request: web.Request, body: bytes) -> JSON:
    """POST delete: the user deletes a message for ever."""
    spec = read(body, OfMessage)
    mailbox = owner(world, spec.email)
    mailbox.delete(mailbox.get(spec.id))
    return {"historyId": str(mailbox.history.last)}


def show_mailbox(world: World, request: web.Request, _body: bytes) -> JSON:
    """GET mailbox?email=: all its messages, oldest first, and what it has sent in 24 hours."""
    mailbox = owner(world, request.query.get("email", ""))
    now = world.clock.now()
    return {
        "email": mailbox.account.email,
        "historyId": str(mailbox.history.last),
        "messages": [_audited(message) for message in mailbox.messages.values()],
        "labels": [label.resource() for label in mailbox.user_labels.values()],
        "watches": _watches(world, mailbox),
        "sending": {"used": len(quota.sent_in_a_day(mailbox, now)), "limit": mailbox.account.limit},
    }


def show_outbox(world: World, request: web.Request, _body: bytes) -> JSON:
    """GET outbox?from=: what left for addresses elsewhere, so that a test can be the server there."""
    sender = request.query.get("from", "").lower()
    return {"messages": [mail.resource() for mail in world.outbox if sender in {"", mail.sender}]}


def _labels(request: web.Request) -> set[str]:
    texts = request.query.getall("labels", ["INBOX,UNREAD"])
    return {label for text in texts for label in text.split(",") if label}


def _brief(message: Message) -> JSON:
    return {"id": message.id, "threadId": message.thread_id, "historyId": str(message.history_id)}


def _audited(message: Message) -> JSON:
    view = View()
    shape: JSON = {**_brief(message), "labelIds": sorted(message.labels), "internalDate": str(message.internal_ms)}
    shape |= {"sizeEstimate": len(message.raw), "snippet": snippet(message.part)}
    return {**shape, "headers": headers(message.part.fields, view)}


def _watches(world: World, mailbox: Mailbox) -> list[dict[str, Any]]:
    own = [(project, watch) for (email, project), watch in world.push.watches.items() if email == mailbox.account.email]
    return [{"project": project, "topic": w.topic, "expiration": str(int(w.expires_at * 1000))} for project, w in own]


ROUTES = [
    web.post("/_sim/mailboxes", control(add_mailbox)),
    web.get("/_sim/mailboxes", control(list_mailboxes)),
    web.post("/_sim/mail", control(mail_arrives)),
    web.post("/_sim/compose", control(user_composes)),
    web.post("/_sim/labels", control(user_labels)),
    web.post("/_sim/label", control(user_makes_label)),
    web.post("/_sim/delete", control(user_deletes)),
    web.get("/_sim/mailbox", control(show_mailbox)),
    web.get("/_sim/outbox", control(show_outbox)),
]
