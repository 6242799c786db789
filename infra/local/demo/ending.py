"""How it ends: a stranger leaves no trace, Mia disconnects, and the history stays."""

from infra.local.demo.report import Observed
from infra.local.demo.story import Story
from infra.local.people.http import RefusedError
from infra.local.people.waiting import eventually, expect, steadily


def stranger_ignored(story: Story) -> Observed:
    """Mail from nobody the CRM knows: counted, and neither subject nor address is stored (B2, J1)."""
    before = story.mia.mailbox()["skipped"].get("noContact", 0)
    story.stranger.writes(story.gmail, "Ein Geheimnis ohne Empfänger", "Nothing of this is stored.")

    def look() -> None:
        skipped = story.mia.mailbox()["skipped"]
        expect(skipped.get("noContact", 0) == before + 1, f"skipped: {skipped}")

    eventually(look, within=90)
    traces = [
        name
        for text in (story.stranger.email, "Ein Geheimnis ohne Empfänger", "Nothing of this is stored.")
        for name in story.people.database.mentioning(text)
    ]
    expect(not traces, f"found in {traces}")
    conversations = [c["conversationId"] for c in story.location.conversations()]
    expect(conversations == [story.contact_id], f"conversations: {conversations}")
    return Observed(f"counted as noContact ({before + 1}); no document of {_documents(story)} names the stranger")


def disconnected(story: Story) -> Observed:
    """Disconnect: gone at once, the watch ended and the grant given back with the last link (A6)."""
    story.mia.disconnect()
    try:
        mailbox = story.mia.mailbox()
    except RefusedError as refused:
        expect(refused.status == 404, refused)
    else:
        expect(False, f"still linked: {mailbox}")

    def look() -> None:
        watches = story.people.google.mailbox(story.gmail)["watches"]
        expect(not watches, f"Gmail still notifies: {watches}")

    eventually(look, within=90)
    return Observed("no mailbox is linked, Gmail no longer notifies")


def nothing_arrives(story: Story) -> Observed:
    """Anna writes once more: it stays in Gmail (A6)."""
    before = story.conversation()
    story.anna.writes(story.gmail, f"Re: {story.letters['offer']['subject']}", "Are you still there?")

    def look() -> None:
        found = story.conversation()
        expect(found == before, f"the conversation changed: {[m['subject'] for m in found]}")

    steadily(look)
    in_gmail = len(story.people.google.messages(story.gmail, "INBOX"))
    return Observed(f"{len(before)} messages in the CRM as before, {in_gmail} in Gmail's inbox")


def history_intact(story: Story) -> Observed:
    """Everything stored stays readable, bodies and attachments included (A6)."""
    found = {message["messageId"]: message for message in story.conversation()}
    missing = [name for name, letter in story.letters.items() if letter["messageId"] not in found]
    expect(not missing, f"missing: {missing}")
    bodies = [story.location.message(message_id)["body"]["text"] for message_id in found]
    expect(all(bodies), f"bodies: {[len(body) for body in bodies]}")
    for attachment_id, content in story.files.items():
        expect(story.location.download(attachment_id) == content, f"attachment {attachment_id} has changed")
    return Observed(f"{len(bodies)} bodies and {len(story.files)} attachments are as they were")


def _documents(story: Story) -> int:
    return len(story.people.database.documents())
