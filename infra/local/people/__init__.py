"""The story's people as small programs: the CRM, Google with its users, contacts' mail servers; over public HTTP only."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.local.people.contact import Contact
from infra.local.people.crm import Crm
from infra.local.people.database import Database
from infra.local.people.google import GmailWorld


@dataclass(frozen=True, slots=True)
class People:
    """Everybody who takes part, at the endpoints of one running stack."""

    crm: Crm
    google: GmailWorld
    database: Database

    def contact(self, name: str, email: str) -> Contact:
        """A person with a mail server of their own, outside Google."""
        return Contact(name, email, self.google)


def from_stack(stack: Path | str | Mapping[str, Any]) -> People:
    """The people at the endpoints that `stack.json` names, given as its path or its content."""
    at = stack if isinstance(stack, Mapping) else json.loads(Path(stack).read_text())
    return People(
        crm=Crm(gateway=at["gateway"], issuer=at["issuer"]),
        google=GmailWorld(at["gmail"]),
        database=Database(f"http://{at['firestore']}", at["project"]),
    )
