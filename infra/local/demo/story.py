"""Who takes part in the story, and what its steps remember for later ones."""

from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from infra.local.people import People, from_stack
from infra.local.people.contact import Contact
from infra.local.people.crm import CrmUser, Location
from infra.local.people.waiting import eventually, expect

Json = dict[str, Any]


@dataclass(slots=True)
class Story:
    """Mia looks after Anna in one location of the CRM; a stranger knows Mia's address only.

    `letters` are the messages as the CRM showed them, by the step that brought them; `files` their attachments' bytes.
    """

    people: People
    gateway: str
    location: Location
    mia: CrmUser
    gmail: str
    anna: Contact
    stranger: Contact
    letters: dict[str, Json] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    received: list[EmailMessage] = field(default_factory=list)

    @property
    def contact_id(self) -> str:
        """Anna's record in the CRM, and so her conversation."""
        return "anna"

    def conversation(self) -> list[Json]:
        """Anna's conversation, newest first."""
        return self.location.messages(self.contact_id)

    def grown_to(self, count: int) -> Json:
        """The newest message, once the conversation has exactly so many."""

        def look() -> Json:
            found = self.conversation()
            expect(len(found) == count, f"{len(found)} messages instead of {count}: {[m['subject'] for m in found]}")
            return found[0]

        return eventually(look, within=90)


def new_story(stack: Path, run: str) -> Story:
    """The cast on one stack; `run` keeps the names of two walks on the same stack apart."""
    people = from_stack(stack)
    location = people.crm.location(f"demo-{run}")
    return Story(
        people=people,
        gateway=people.crm.gateway,
        location=location,
        mia=location.user(f"mia-{run}"),
        gmail=f"mia.lund.{run}@gmail.com",
        anna=people.contact("Anna Berg", f"anna.berg.{run}@example.com"),
        stranger=people.contact("Sten Ström", f"sten.{run}@elsewhere.example"),
    )
