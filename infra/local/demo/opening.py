"""How it begins: the stack answers, the CRM knows its people, Mia connects her Gmail at the third try."""

import requests

from infra.local.demo.report import Observed
from infra.local.demo.story import Story
from infra.local.people.http import RefusedError
from infra.local.people.waiting import expect


def stack_answers(story: Story) -> Observed:
    """Every function of the product is served, and Google is there."""
    served = requests.get(f"{story.gateway}/", timeout=30).json()["functions"]
    expected = {"connect_mailbox", "connect_callback", "disconnect_mailbox", "sync_mailbox", "send_message"}
    expected |= {"deliver_message", "run_task", "renew_watches", "api"}
    expect(expected <= set(served), f"the gateway serves {sorted(served)}")
    health = story.people.google.control("GET", "health")
    expect(health["status"] == "ok", health)
    return Observed(f"{len(served)} functions at {story.gateway}")


def people_registered(story: Story) -> Observed:
    """The CRM's backend registers user and contact; Google has an account for Mia."""
    story.people.google.create_account(story.gmail, name="Mia Lund")
    story.location.put_user(story.mia.user_id, name="Mia Lund", emails=["mia@firm.example"])
    contact = story.location.put_contact(
        story.contact_id, name=story.anna.name, emails=[story.anna.email], assigned_to=story.mia.user_id
    )
    expect(contact["assignedTo"] == story.mia.user_id and not contact["internal"], contact)
    return Observed(f"user Mia Lund, contact {contact['name']} assigned to her")


def cancelled(story: Story) -> Observed:
    """Cancel on Google's page: back in settings with a reason, nothing linked (A2)."""
    status = story.mia.connect(story.gmail, cancel=True)
    expect(status == "cancelled", status)
    return Observed(f"status={status}; {_unlinked(story)}")


def unticked(story: Story) -> Observed:
    """One permission of two: the same, and Google keeps no grant (A2)."""
    status = story.mia.connect(story.gmail, tick=["gmail.readonly"])
    expect(status == "missing_permissions", status)
    return Observed(f"status={status}; {_unlinked(story)}")


def connected(story: Story) -> Observed:
    """Both permissions: linked, watched, with a full allowance (A1, A3)."""
    status = story.mia.connect(story.gmail)
    expect(status == "connected", status)
    mailbox = story.mia.mailbox()
    expect(mailbox["emailAddress"] == story.gmail and mailbox["state"] == "active", mailbox)
    expect(mailbox["allowance"]["used"] == 0 and mailbox["allowance"]["limit"] == 500, mailbox)
    watches = story.people.google.mailbox(story.gmail)["watches"]
    expect(len(watches) == 1, f"watches: {watches}")
    return Observed(f"status={status}; {mailbox['emailAddress']} is {mailbox['state']}, 0 of 500 mails used")


def _unlinked(story: Story) -> str:
    try:
        mailbox = story.mia.mailbox()
    except RefusedError as refused:
        expect(refused.status == 404, refused)
    else:
        expect(False, f"a mailbox is linked: {mailbox}")
    stored = story.people.database.mentioning(story.gmail)
    expect(not stored, f"the address is stored in {stored}")
    return "nothing linked, nothing stored"
