"""`python -m infra.local.gmail`: the Gmail simulator as a process of its own, on 127.0.0.1."""

import argparse
import asyncio
import contextlib
import logging
import signal
from pathlib import Path

from aiohttp import web

from infra.local.gmail.app import create_app


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m infra.local.gmail", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 (default) takes a free one")
    parser.add_argument("--pubsub", metavar="HOST:PORT", help="Pub/Sub emulator to publish notifications to")
    parser.add_argument("--port-file", type=Path, help="write the port here once the simulator answers")
    parser.add_argument("--client-id", help="the one OAuth client that is known (default: any)")
    parser.add_argument("--client-secret", help="that client's secret (default: any)")
    parser.add_argument("--seed", type=int, help="make ids repeatable")
    return parser.parse_args(words)


async def serve(options: argparse.Namespace) -> None:
    """Serve until SIGINT or SIGTERM."""
    app = create_app(
        options.pubsub, client_id=options.client_id, client_secret=options.client_secret, seed=options.seed
    )
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", options.port)
    await site.start()
    port = runner.addresses[0][1]
    if options.port_file:
        _write_whole(options.port_file, str(port))
    print(f"Gmail simulator: http://127.0.0.1:{port}", flush=True)
    await _ended()
    await runner.cleanup()


def _write_whole(path: Path, text: str) -> None:
    part = path.with_suffix(".part")
    part.write_text(text, encoding="ascii")
    part.replace(path)


async def _ended() -> None:
    end = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, end.set)
    await end.wait()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(arguments()))
