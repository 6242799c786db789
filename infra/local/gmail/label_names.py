"""The labels that a mailbox knows: Gmail's own and the user's."""

from dataclasses import dataclass, field

from infra.local.gmail.errors import JSON

CATEGORIES = [f"CATEGORY_{name}" for name in ("PERSONAL", "SOCIAL", "PROMOTIONS", "UPDATES", "FORUMS")]
SYSTEM_LABELS = [
    *("CHAT", "SENT", "INBOX", "IMPORTANT", "TRASH", "DRAFT", "SPAM", "STARRED", "UNREAD"),
    *CATEGORIES,
]
FIXED_LABELS = {"CHAT", "SENT", "DRAFT"}


@dataclass
class UserLabel:
    """A label of the user's own; `settings` holds its colours and visibility as Gmail's `Label` does."""

    id: str
    name: str
    settings: JSON = field(default_factory=dict)

    def resource(self) -> JSON:
        """Gmail's `Label` without counts."""
        return {"id": self.id, "name": self.name, "type": "user", **self.settings}
