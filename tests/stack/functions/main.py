"""Functions that tell what reached them: enough to try the local stack without the product."""

import base64
import json
import os
import threading
import time
from pathlib import Path

import flask
import functions_framework
from cloudevents.http import CloudEvent

everybody = threading.Barrier(8, timeout=20)


@functions_framework.http  # type: ignore[untyped-decorator]  # it has no types
def echo(request: flask.Request) -> flask.typing.ResponseReturnValue:
    """Answer what was asked, and by which process."""
    return {
        "pid": os.getpid(),
        "path": request.path,
        "authorization": request.headers.get("Authorization"),
        "bytes": len(request.get_data()),
        "project": os.environ["GOOGLE_CLOUD_PROJECT"],
    }


@functions_framework.http  # type: ignore[untyped-decorator]  # it has no types
def meet(request: flask.Request) -> flask.typing.ResponseReturnValue:
    """Answer once eight requests are here at the same time."""
    everybody.wait()
    return "", 204


@functions_framework.cloud_event  # type: ignore[untyped-decorator]  # it has no types
def sync_mailbox(event: CloudEvent) -> None:
    """Keep the notification and the caller's token; refuse it first as often as it says in `refuse`."""
    data = json.loads(base64.b64decode(event.get_data()["message"]["data"]))
    if len(list(Path(os.environ["KEPT"]).glob("refusal-*"))) < data.get("refuse", 0):
        Path(os.environ["KEPT"], f"refusal-{time.time_ns()}").touch()
        raise RuntimeError("refused, as the notification says")
    _keep("notifications", {"data": data, "authorization": flask.request.headers.get("Authorization")})


@functions_framework.http  # type: ignore[untyped-decorator]  # it has no types
def renew_watches(request: flask.Request) -> flask.typing.ResponseReturnValue:
    """Keep the job and the caller's token."""
    _keep("jobs", {**request.get_json(), "authorization": request.headers.get("Authorization")})
    return "", 204


def _keep(name: str, thing: dict[str, object]) -> None:
    with Path(os.environ["KEPT"], name).open("a") as kept:
        kept.write(json.dumps(thing) + "\n")
