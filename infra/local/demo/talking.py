"""The conversation: Anna writes, Mia answers from the CRM and from Gmail, real mail comes through whole."""

import time

from infra.local.demo.report import Observed
from infra.local.demo.story import Json, Story
from infra.local.people import mails
from infra.local.people.google import header
from infra.local.people.waiting import eventually, expect

OFFER = "Angebot für Büromöbel – 契約書"
ANSWER = "Vielen Dank, wir melden uns bis Freitag – 了解しました."


def contact_writes(story: Story) -> Observed:
    """A mail with a non-ASCII subject and a PDF stands in the conversation (B1)."""
    began = time.monotonic()
    story.people.google.arrives(story.gmail, story.anna.letter("attachment-pdf", story.gmail, Subject=OFFER))
    message = story.grown_to(1)
    took = time.monotonic() - began
    expect(message["direction"] == "inbound" and message["subject"] == OFFER, message)
    expect("the signed offer is attached" in _body(story, message)["text"], message)
    story.letters["offer"] = message
    return Observed(f"“{message['subject']}” from {message['from'][0]['name']}", took)


def attachment_downloaded(story: Story) -> Observed:
    """The PDF is what was sent, byte by byte (D5)."""
    wanted = _part("attachment-pdf", "application/pdf")
    attachment = _downloaded(story, story.letters["offer"], wanted)
    return Observed(f"{attachment['name']}, {attachment['size']} bytes, all equal")


def answered_from_crm(story: Story) -> Observed:
    """Mia answers from the CRM: accepted at once, sent soon (D2)."""
    began = time.monotonic()
    accepted = story.mia.send(
        story.contact_id, replyTo=story.letters["offer"]["messageId"], text=ANSWER, html=f"<p>{ANSWER}</p>"
    )
    answered = time.monotonic() - began

    def look() -> Json:
        message = story.location.message(accepted["messageId"])
        expect(message["delivery"]["state"] == "sent", f"delivery: {message['delivery']}")
        return message

    story.letters["answer"] = eventually(look, within=90)
    return Observed(f"202 after {answered:.2f} s, {accepted['state']} → sent", time.monotonic() - began)


def answer_in_gmail(story: Story) -> Observed:
    """It is in Gmail's Sent, in the thread of Anna's mail (D1)."""
    [sent] = story.people.google.sent(story.gmail)
    [offer] = [m for m in story.people.google.messages(story.gmail, "INBOX") if header(m, "Subject") == OFFER]
    expect(sent["threadId"] == offer["threadId"], f"threads {sent['threadId']} and {offer['threadId']}")
    expect(header(sent, "Subject") == f"Re: {OFFER}", header(sent, "Subject"))
    return Observed(f"Sent holds “{header(sent, 'Subject')}” in thread {sent['threadId']}")


def answer_received(story: Story) -> Observed:
    """Anna's server got one mail, from Mia by name, that answers hers (D1, D3)."""
    story.received = story.anna.received()
    expect(len(story.received) == 1, f"{len(story.received)} mails were received")
    [mail] = story.received
    offer = f"<{story.letters['offer']['rfcMessageId']}>"
    expect(mail["In-Reply-To"] == offer and offer in mail["References"], f"threading: {mail.items()}")
    expect(mail["From"].addresses[0].display_name == "Mia Lund", mail["From"])
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    contents = [part.get_content() for part in (text, html) if part]
    expect(len(contents) == 2 and all(ANSWER in content for content in contents), contents)
    return Observed(f"one mail from {mail['From']}, In-Reply-To hers, text and HTML")


def one_answer(story: Story) -> Observed:
    """What comes back through Gmail's history is the same message, not a second one (D3)."""
    found = story.conversation()
    expect([m["direction"] for m in found] == ["outbound", "inbound"], [(m["direction"], m["subject"]) for m in found])
    expect(found[0]["messageId"] == story.letters["answer"]["messageId"], found[0])
    return Observed("the conversation has 2 messages: inbound, outbound")


def contact_replies(story: Story) -> Observed:
    """Anna answers what she received: multi-part, with quotes; the same conversation (B3)."""
    began = time.monotonic()
    story.people.google.arrives(story.gmail, story.anna.answer(story.received[0]))
    message = story.grown_to(3)
    took = time.monotonic() - began
    body = _body(story, message)
    expect(message["direction"] == "inbound" and message["subject"] == f"Re: {OFFER}", message)
    expect("the 14th suits us" in body["text"] and "here is the offer" in body["text"], body["text"])
    expect("<blockquote" in body["html"], body["html"])
    story.letters["reply"] = message
    return Observed(f"message 3 of the same conversation: “{message['snippet'][:40]}…”", took)


def image_arrives(story: Story) -> Observed:
    """A mail with an image in its text: shown, and the image is whole."""
    began = time.monotonic()
    story.people.google.arrives(story.gmail, story.anna.letter("inline-image", story.gmail))
    message = story.grown_to(4)
    took = time.monotonic() - began
    story.letters["image"] = message
    attachment = _downloaded(story, message, _part("inline-image", "image/png"))
    expect(attachment["inline"] and attachment["contentId"] == "room-1@mail.example.com", attachment)
    return Observed(f"{attachment['name']}, inline, {attachment['size']} bytes, all equal", took)


def long_subject_arrives(story: Story) -> Observed:
    """A subject in four encoded words, cut in the middle of a letter (P27)."""
    began = time.monotonic()
    story.people.google.arrives(story.gmail, story.anna.letter("subject-utf8-b-words", story.gmail))
    message = story.grown_to(5)
    took = time.monotonic() - began
    wanted = "Zusammenfassung unseres Gesprächs über die Lieferung nach Zürich – 日本語も大丈夫"
    expect(message["subject"] == wanted, message["subject"])
    story.letters["subject"] = message
    return Observed(f"“{message['subject']}”", took)


def answered_from_gmail(story: Story) -> Observed:
    """Mia answers in Gmail itself: it stands in the CRM as outbound (C1)."""
    thread = story.people.google.sent(story.gmail)[0]["threadId"]
    mail = mails.mail(mails.person("Mia Lund", story.gmail), story.anna.address, f"Re: {OFFER}", "Written in Gmail.")
    began = time.monotonic()
    composed = story.people.google.compose(story.gmail, mail, thread)
    message = story.grown_to(6)
    took = time.monotonic() - began
    expect(composed["threadId"] == thread, f"Gmail began thread {composed['threadId']}")
    expect(message["direction"] == "outbound" and message["snippet"] == "Written in Gmail.", message)
    story.letters["gmail"] = message
    return Observed(f"outbound to {message['to'][0]['email']}: “{message['snippet']}”", took)


def allowance_counts(story: Story) -> Observed:
    """Both mails count, the CRM's and Gmail's own (D4)."""
    allowance = story.mia.mailbox()["allowance"]
    expect(allowance["used"] == 2, allowance)
    sending = story.people.google.mailbox(story.gmail)["sending"]
    expect(sending["used"] == 2, f"Gmail counts {sending}")
    return Observed(f"{allowance['used']} of {allowance['limit']} used, as Gmail counts")


def _downloaded(story: Story, message: Json, wanted: bytes) -> Json:
    [attachment] = message["attachments"]

    def look() -> Json:
        [settled] = story.location.message(message["messageId"])["attachments"]
        expect(settled["state"] == "stored", f"the attachment is {settled['state']}")
        found: Json = settled
        return found

    settled = eventually(look, within=90)
    content = story.location.download(attachment["attachmentId"])
    expect(content == wanted, f"{len(content)} bytes that differ from the {len(wanted)} sent")
    story.files[attachment["attachmentId"]] = content
    return settled


def _body(story: Story, message: Json) -> Json:
    body: Json = story.location.message(message["messageId"])["body"]
    return body


def _part(name: str, content_type: str) -> bytes:
    """The bytes of a part of a mail of the set."""
    for part in mails.parsed(mails.load(name)).walk():
        if part.get_content_type() == content_type:
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            return content
    raise LookupError(f"{name}.eml has no part {content_type}")
