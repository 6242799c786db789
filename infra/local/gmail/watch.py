"""`users.watch` and `users.stop`: notifications of a project about a mailbox, for seven days."""

import asyncio
import re

from infra.local.gmail.api import Call
from infra.local.gmail.errors import JSON, invalid
from infra.local.gmail.label_names import SYSTEM_LABELS
from infra.local.gmail.push import WATCH_SECONDS, Watch

_TOPIC = re.compile(r"projects/[^/]+/topics/[^/]+")


async def watch(call: Call) -> JSON:
    """Start or renew; announces the present state at once, and refuses a topic that can't be published to."""
    topic = str(call.body.get("topicName", ""))
    if not _TOPIC.fullmatch(topic):
        raise invalid("Invalid topicName does not match projects/{project}/topics/{topic}")
    labels = frozenset(call.body.get("labelIds", ()))
    unknown = labels - set(SYSTEM_LABELS) - set(call.mailbox.user_labels)
    if unknown:
        raise invalid(f"Invalid label: {sorted(unknown)[0]}")
    exclude = "exclude" in {call.body.get("labelFilterBehavior"), call.body.get("labelFilterAction")}
    expires_at = call.world.clock.now() + WATCH_SECONDS
    await call.world.push.start(call.mailbox, call.token.project, Watch(topic, expires_at, labels, exclude))
    return {"historyId": str(call.mailbox.history.last), "expiration": str(int(expires_at * 1000))}


def stop(call: Call) -> None:
    """End the project's watch, at once or (as in real life) a while later."""
    delay = call.world.behaviour.stop_seconds
    end = call.world.push.end
    asyncio.get_running_loop().call_later(delay, end, call.mailbox.account.email, call.token.project)


METHODS = {"watch": watch, "stop": stop}
