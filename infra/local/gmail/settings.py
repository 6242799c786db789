"""`users.settings.sendAs`: the addresses and signatures to send with."""

from infra.local.gmail.accounts import same
from infra.local.gmail.api import Call
from infra.local.gmail.errors import JSON, not_found


def list_send_as(call: Call) -> JSON:
    """All of the account's send-as addresses, the primary one first."""
    return {"sendAs": [alias.resource() for alias in call.mailbox.account.send_as()]}


def get_send_as(call: Call) -> JSON:
    """One of them."""
    for alias in call.mailbox.account.send_as():
        if same(alias.email, call.path["sendAsEmail"]):
            return alias.resource()
    raise not_found()


METHODS = {"settings.sendAs.list": list_send_as, "settings.sendAs.get": get_send_as}
