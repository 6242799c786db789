"""`python -m infra.local.tasks`: the Cloud Tasks simulator as one process, until SIGINT or SIGTERM."""

import argparse
import asyncio
import json
import logging
import signal
import sys
from pathlib import Path

from infra.local.service_tokens import load_or_create_key
from infra.local.tasks.errors import RefusedError
from infra.local.tasks.server import DEDUPE_SECONDS, Endpoints, Options, queue_option, serving

EPILOG = 'A queue\'s options: projects/p/locations/l/queues/q:{"retryConfig": {"minBackoff": "1s", "maxAttempts": -1}}'


def main() -> int:
    """Serve until told to stop; 2 where the options are wrong or a port is taken."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    arguments = _arguments()
    try:
        options = Options(
            key=load_or_create_key(arguments.signing_key),
            queues=[queue_option(text) for text in arguments.queue],
            port=arguments.port,
            control_port=arguments.control_port,
            dedupe_seconds=arguments.dedupe_seconds,
        )
        asyncio.run(_serve(options, arguments.port_file))
    except (ValueError, OSError, RuntimeError, RefusedError) as exc:
        print(f"tasks simulator: {exc}", file=sys.stderr)
        return 2
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.local.tasks", description=__doc__, epilog=EPILOG)
    parser.add_argument("--port", type=int, default=0, help="gRPC; 0 is a free one")
    parser.add_argument("--control-port", type=int, default=0, help="control endpoint (HTTP); 0 is a free one")
    parser.add_argument("--queue", action="append", default=[], metavar="NAME[:JSON]", help="a queue to start with")
    parser.add_argument("--signing-key", type=Path, required=True, help="PEM file of the OIDC key; made if missing")
    parser.add_argument("--port-file", type=Path, help="is written once all is served: JSON {grpc, control}")
    parser.add_argument("--dedupe-seconds", type=float, default=DEDUPE_SECONDS, help="how long a name stays taken")
    return parser.parse_args()


async def _serve(options: Options, port_file: Path | None) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with serving(options) as endpoints:
        _announce(endpoints, port_file)
        await stopped.wait()


def _announce(endpoints: Endpoints, port_file: Path | None) -> None:
    print(f"Cloud Tasks on {endpoints.grpc}, control on {endpoints.control}", flush=True)
    if port_file is not None:
        draft = port_file.with_name(f".{port_file.name}.draft")
        draft.write_text(json.dumps({"grpc": endpoints.grpc, "control": endpoints.control}), "utf-8")
        draft.replace(port_file)


if __name__ == "__main__":
    sys.exit(main())
