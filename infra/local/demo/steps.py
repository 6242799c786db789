"""The story's steps in their order, each with the steps that it builds on."""

from infra.local.demo import ending, opening, talking
from infra.local.demo.report import Step

STEPS = (
    Step("The stack answers", opening.stack_answers),
    Step("The CRM registers a user and her contact", opening.people_registered, [opening.stack_answers]),
    Step("The user cancels on Google's page", opening.cancelled, [opening.people_registered]),
    Step("The user unticks a permission", opening.unticked, [opening.people_registered]),
    Step("The user grants both permissions: linked", opening.connected, [opening.people_registered]),
    Step("A contact writes, with an attachment", talking.contact_writes, [opening.connected]),
    Step("The attachment is downloaded from the CRM", talking.attachment_downloaded, [talking.contact_writes]),
    Step("The user answers from the CRM", talking.answered_from_crm, [talking.contact_writes]),
    Step("The answer is in Gmail's Sent, threaded", talking.answer_in_gmail, [talking.answered_from_crm]),
    Step("The contact receives it, once", talking.answer_received, [talking.answered_from_crm]),
    Step("The CRM shows it, once", talking.one_answer, [talking.answered_from_crm]),
    Step("The contact replies, quoting: same conversation", talking.contact_replies, [talking.answer_received]),
    Step("The contact sends an inline image", talking.image_arrives, [talking.contact_replies]),
    Step("The contact sends a long non-ASCII subject", talking.long_subject_arrives, [talking.image_arrives]),
    Step("The user answers from Gmail itself", talking.answered_from_gmail, [talking.long_subject_arrives]),
    Step("The allowance shows what was sent", talking.allowance_counts, [talking.answered_from_gmail]),
    Step("A stranger writes: nothing is stored", ending.stranger_ignored, [opening.connected]),
    Step("The user disconnects", ending.disconnected, [opening.connected]),
    Step(
        "The contact writes again: nothing arrives",
        ending.nothing_arrives,
        [ending.disconnected, talking.contact_writes],
    ),
    Step("The history is intact", ending.history_intact, [ending.disconnected, talking.contact_writes]),
)
"""What `make demo` walks through."""
