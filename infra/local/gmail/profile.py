"""`users.getProfile`: the address, the counts, and the history id to begin from."""

from infra.local.gmail.api import Call
from infra.local.gmail.errors import JSON


def get_profile(call: Call) -> JSON:
    """Gmail's `Profile`."""
    mailbox = call.mailbox
    return {
        "emailAddress": mailbox.account.email,
        "messagesTotal": len(mailbox.messages),
        "threadsTotal": len(mailbox.threads),
        "historyId": str(mailbox.history.last),
    }


METHODS = {"getProfile": get_profile}
