"""Google accounts in memory: consent, grants, mail and its history; a test acts on them as users and the world do."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes
from urllib.parse import parse_qs, urlencode, urlsplit

from mailbridge.domain.history import HistoryRecord, MessageRef
from mailbridge.domain.oauth import REQUESTED, Grant, Identity, code_challenge
from mailbridge.errors import InvalidRequest, MailbridgeError, NotAuthenticated


@dataclass
class StoredMail:
    """A message at Gmail; `raw` are its exact bytes."""

    gmail_message_id: str
    thread_id: str
    raw: bytes
    labels: set[str]
    arrived_at: datetime

    def ref(self) -> MessageRef:
        """As history names it."""
        return MessageRef(self.gmail_message_id, self.thread_id, frozenset(self.labels))


@dataclass
class Account:
    """A Google account: its mail, its history, and the tokens that open it."""

    email: str
    hosted_domain: str | None = None
    messages: dict[str, StoredMail] = field(default_factory=dict)
    records: list[HistoryRecord] = field(default_factory=list)
    history_id: int = 1000
    oldest_history_id: int = 0
    watched: bool = False
    tokens: set[str] = field(default_factory=set)

    def record(self, *, step: int = 7, **changes: tuple[MessageRef, ...]) -> None:
        """One more entry of history; ids are ascending, not contiguous."""
        self.history_id += step
        self.records.append(HistoryRecord(self.history_id, **changes))


@dataclass
class FakeGoogle:
    """All accounts; `faults` holds, by port method, errors that the next calls raise instead of doing their work."""

    clock: Callable[[], datetime]
    accounts: dict[str, Account] = field(default_factory=dict)
    faults: dict[str, list[MailbridgeError]] = field(default_factory=lambda: defaultdict(list))
    codes: dict[str, tuple[Account, str, frozenset[str]]] = field(default_factory=dict)
    _count: int = 0

    def account(self, email: str, hosted_domain: str | None = None) -> None:
        """A new Google account with an empty mailbox."""
        self.accounts[email] = Account(email, hosted_domain)

    def consent(self, authorization_url: str, email: str, scopes: Iterable[str] = REQUESTED) -> str:
        """The user picks an account, ticks these permissions and continues; answers the code."""
        challenge = parse_qs(urlsplit(authorization_url).query)["code_challenge"][0]
        code = self.new_id("code")
        self.codes[code] = (self.accounts[email], challenge, frozenset(scopes))
        return code

    def arrive(self, email: str, raw: bytes, labels: Iterable[str] = ("INBOX", "UNREAD")) -> str:
        """Mail comes in; answers its Gmail id."""
        return self.store(self.accounts[email], raw, labels).gmail_message_id

    def compose(self, email: str, raw: bytes) -> str:
        """The user sends from Gmail itself; answers the copy's Gmail id."""
        return self.store(self.accounts[email], raw, ["SENT"]).gmail_message_id

    def relabel(self, email: str, gmail_id: str, add: Iterable[str] = (), remove: Iterable[str] = ()) -> None:
        """The user moves a message about."""
        account = self.accounts[email]
        mail, gone = account.messages[gmail_id], frozenset(remove)
        mail.labels = (mail.labels | set(add)) - gone
        shown = (mail.ref(),) if gone & {"SPAM", "TRASH", "DRAFT"} else ()
        account.record(relabelled=(mail.ref(),), unhidden=shown)

    def delete(self, email: str, gmail_id: str) -> None:
        """The user deletes a message for ever."""
        account = self.accounts[email]
        account.record(deleted=(account.messages.pop(gmail_id).ref(),))

    def expire_history(self, email: str) -> None:
        """Gmail forgets what happened so far."""
        account = self.accounts[email]
        account.records.clear()
        account.oldest_history_id = account.history_id

    def withdraw(self, email: str) -> None:
        """The user takes the permission back in their Google account."""
        self.accounts[email].tokens.clear()

    def store(self, account: Account, raw: bytes, labels: Iterable[str], thread_id: str | None = None) -> StoredMail:
        """A message in its thread: the given one, that of an ancestor, or its own."""
        gmail_id = self.new_id("m")
        thread = thread_id or _thread(account, raw) or gmail_id
        mail = StoredMail(gmail_id, thread, raw, set(labels), self.clock())
        account.messages[gmail_id] = mail
        account.record(added=(mail.ref(),))
        return mail

    def new_id(self, kind: str) -> str:
        """A new name, ascending."""
        self._count += 1
        return f"{kind}{self._count:06}"


@dataclass
class FakeGoogleAccounts:
    """`ports.GoogleAccounts` over the accounts in memory."""

    google: FakeGoogle

    def authorization_url(self, state: str, code_challenge: str, login_hint: str | None = None) -> str:
        """A URL for `FakeGoogle.consent`."""
        query = {"state": state, "code_challenge": code_challenge, "login_hint": login_hint or ""}
        return f"https://accounts.invalid/auth?{urlencode(query)}"

    def exchange(self, code: str, code_verifier: str) -> Grant:
        """A grant, once for each code and only with its verifier."""
        account, challenge, scopes = self.google.codes.pop(code, (None, "", frozenset[str]()))
        if account is None or challenge != code_challenge(code_verifier):
            raise InvalidRequest("Unknown code.", reason="invalid_grant")
        access, refresh = self.google.new_id("access"), self.google.new_id("refresh")
        account.tokens |= {access, refresh}
        return Grant(access_token=access, refresh_token=refresh, scopes=scopes, id_token=f"id:{account.email}")

    def identify(self, grant: Grant) -> Identity:
        """The account of the ID token; NotAuthenticated where there is none."""
        account = self.google.accounts.get(grant.id_token.removeprefix("id:"))
        if account is None:
            raise NotAuthenticated("Unknown account.")
        return Identity(sub=f"sub-{account.email}", email=account.email, name="", hosted_domain=account.hosted_domain)

    def revoke(self, token: str) -> None:
        """Ends all of an account's tokens and its watch."""
        for account in self.google.accounts.values():
            if token in account.tokens:
                account.tokens.clear()
                account.watched = False


def _thread(account: Account, raw: bytes) -> str | None:
    """The thread of the message that this one answers."""
    head = message_from_bytes(raw)
    ancestors = f"{head['In-Reply-To'] or ''} {head['References'] or ''}".split()
    for mail in account.messages.values():
        if (message_from_bytes(mail.raw)["Message-ID"] or "") in ancestors:
            return mail.thread_id
    return None
