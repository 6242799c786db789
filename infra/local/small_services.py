"""One process for the parts that are mostly idle: token issuer, Pub/Sub relay, scheduler and SMTP server.

What they share with the functions (issuer, audiences, service accounts) they read from the same settings.
"""

import argparse
import asyncio
import logging
import os
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from aiohttp import web

from infra.local import issuer, mail_server, relay, scheduler, service_tokens


def main() -> None:
    """Serve until ended."""
    logging.basicConfig(level=logging.INFO)
    asyncio.run(serve(_parser().parse_args(), os.environ))


async def serve(options: argparse.Namespace, environ: Mapping[str, str]) -> None:
    """Start all four and stay with the scheduler, which never ends."""
    key = service_tokens.load_or_create_key(options.signing_key)
    gateway = environ["PUBLIC_URL"]

    def tokens_of(email: str) -> Callable[[str], str]:
        return lambda audience: service_tokens.service_token(key, email, audience, time.time())

    crm = issuer.Issuer(environ["CRM_ISSUER"], environ["CRM_AUDIENCE"])
    await mail_server.serve(options.smtp_port, options.mail)
    await _listen(options.relay_port, relay.application(gateway, tokens_of(environ["PUSH_SERVICE_ACCOUNT"])))
    await _listen(options.issuer_port, issuer.application(crm, service_tokens.jwks(key)))
    jobs = [scheduler.Job("poll", options.poll_seconds), scheduler.Job("renew", options.renew_seconds)]
    await scheduler.run(f"{gateway}/renew_watches", jobs, tokens_of(environ["SCHEDULER_SERVICE_ACCOUNT"]))


async def _listen(port: int, application: web.Application) -> None:
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.local.small_services", description=__doc__)
    required = partial(parser.add_argument, required=True)
    required("--issuer-port", type=int)
    required("--relay-port", type=int)
    required("--smtp-port", type=int)
    required("--signing-key", type=Path, help="PEM file with the key that stands for Google's")
    required("--mail", type=Path, help="folder for the mail that the SMTP server takes")
    required("--poll-seconds", type=float)
    required("--renew-seconds", type=float)
    return parser


if __name__ == "__main__":
    main()
