"""All that the simulator knows, in one object that `DELETE /_sim` empties."""

import base64
import secrets
from dataclasses import dataclass, field
from random import Random

from infra.local.gmail.accounts import Account, SendAs, route
from infra.local.gmail.clock import Clock
from infra.local.gmail.discovery import Discovery
from infra.local.gmail.errors import JSON, not_found
from infra.local.gmail.faults import Faults
from infra.local.gmail.grants import AuthorizationRequest, Grants
from infra.local.gmail.history_log import Change
from infra.local.gmail.mailbox import Mailbox
from infra.local.gmail.push import Publisher, Push, publish_nowhere
from infra.local.gmail.quota import Meter
from infra.local.gmail.signing import SigningKey
from infra.local.gmail.stats import Stats
from infra.local.gmail.switches import Behaviour, Lag, Tariff


@dataclass(frozen=True)
class OutsideMail:
    """Mail that left for addresses nobody has here; `raw` as the recipients' server gets it."""

    sender: str
    recipients: tuple[str, ...]
    raw: bytes
    at: float
    gmail_message_id: str

    def resource(self) -> JSON:
        """`{from, to[], raw (base64), at (seconds since the epoch), id}`."""
        raw = base64.b64encode(self.raw).decode("ascii")
        return {
            "from": self.sender,
            "to": list(self.recipients),
            "raw": raw,
            "at": self.at,
            "id": self.gmail_message_id,
        }


@dataclass
class World:
    """Accounts with their mailboxes, grants, the weather, and the counts.

    `client_id` and `client_secret` restrict the OAuth client; None accepts any. `seed` makes ids repeatable.
    """

    discovery: Discovery
    client_id: str | None = None
    client_secret: str | None = None
    seed: int | None = None
    publish: Publisher = publish_nowhere
    signing: SigningKey = field(default_factory=SigningKey)

    def __post_init__(self) -> None:
        self._begin()

    def reset(self) -> None:
        """Forget everything but the signing key."""
        self.push.clear()
        self._begin()

    def _begin(self) -> None:
        self.clock = Clock()
        self.random = Random(self.seed if self.seed is not None else secrets.randbits(64))
        self.mailboxes: dict[str, Mailbox] = {}
        self.outbox: list[OutsideMail] = []
        self.consents: dict[str, AuthorizationRequest] = {}
        self.grants = Grants(self.clock)
        self.faults, self.meter, self.stats = Faults(), Meter(), Stats()
        self.behaviour, self.lag, self.tariff = Behaviour(), Lag(), Tariff()
        self.push = Push(self.clock, self.stats, self.publish)

    def add_account(self, email: str, name: str, workspace: str, limit: int, aliases: list[SendAs]) -> Mailbox:
        """A Google account with an empty mailbox; one that exists keeps its mail and takes the new particulars."""
        email = email.lower()
        known = self.mailboxes.get(email)
        sub = known.account.sub if known else str(self.random.randrange(10**20, 10**21))
        account = Account(email, sub, name, workspace, limit, aliases)
        if known:
            known.account = account
            return known
        mailbox = Mailbox(account, self.clock, self.random, self._changed)
        self.mailboxes[email] = mailbox
        return mailbox

    def mailbox(self, email: str) -> Mailbox:
        """The mailbox of a Google account; 404 if there is no such account."""
        mailbox = self.mailboxes.get(email.lower())
        if mailbox is None:
            raise not_found()
        return mailbox

    def receiver(self, address: str) -> Mailbox | None:
        """The mailbox that mail to an address lands in: by its own address, an alias, a +tag."""
        wanted = route(address)
        direct = self.mailboxes.get(wanted) or self.mailboxes.get(address.lower())
        if direct:
            return direct
        return next((mailbox for mailbox in self.mailboxes.values() if mailbox.account.reached_by(address)), None)

    def end_grant(self, email: str, project: str | None, *, end_watch: bool) -> None:
        """End an account's grants (for one project, or all), and its watches with them if so wished."""
        self.grants.end(email, project)
        if end_watch:
            self.push.end(email, project)

    def _changed(self, mailbox: Mailbox, change: Change) -> None:
        self.push.changed(mailbox, change)
