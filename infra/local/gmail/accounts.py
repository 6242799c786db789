"""Google accounts: who they are, which addresses reach them, and under which they may send."""

from dataclasses import dataclass, field

from infra.local.gmail.errors import JSON

CONSUMER_DOMAINS = {"gmail.com", "googlemail.com"}
SENDING_LIMITS = {False: 500, True: 2000}


@dataclass
class SendAs:
    """An address that the account may put into From."""

    email: str
    name: str = ""
    signature: str = ""
    primary: bool = False

    def resource(self) -> JSON:
        """Gmail's `SendAs`; the primary address has no verification status."""
        shape: JSON = {"sendAsEmail": self.email, "displayName": self.name, "replyToAddress": ""}
        shape |= {"signature": self.signature, "treatAsAlias": True, "isDefault": self.primary}
        return shape | ({"isPrimary": True} if self.primary else {"verificationStatus": "accepted"})


@dataclass
class Account:
    """A Google account; `workspace` is its organisation's domain, empty for gmail.com accounts."""

    email: str
    sub: str
    name: str = ""
    workspace: str = ""
    sending_limit: int = 0
    aliases: list[SendAs] = field(default_factory=list)

    @property
    def limit(self) -> int:
        """Messages in any 24 hours: 500 for gmail.com, 2,000 for Workspace (D4), unless set."""
        return self.sending_limit or SENDING_LIMITS[bool(self.workspace)]

    def send_as(self) -> list[SendAs]:
        """All addresses to send from, the primary one first."""
        primary = [alias for alias in self.aliases if same(alias.email, self.email)]
        others = [alias for alias in self.aliases if not same(alias.email, self.email)]
        first = SendAs(self.email, self.name, primary[0].signature if primary else "", primary=True)
        return [first, *others]

    def reached_by(self, address: str) -> bool:
        """Whether mail to this address lands in the mailbox."""
        return route(address) in {route(alias.email) for alias in self.send_as()}


def same(one: str, other: str) -> bool:
    """Whether two addresses are the same but for their case."""
    return one.lower() == other.lower()


def route(address: str) -> str:
    """The form under which Google delivers: no `+tag`, and at gmail.com no dots either."""
    local, _, domain = address.lower().rpartition("@")
    local = local.split("+", 1)[0]
    if domain in CONSUMER_DOMAINS:
        return f"{local.replace('.', '')}@gmail.com"
    return f"{local}@{domain}"
