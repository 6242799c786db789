"""The program: `python -m infra.local up` starts the local stack and stays until it is told to end."""

import argparse
import signal
import sys
from pathlib import Path

from infra.local.errors import StackError
from infra.local.stack import DEFAULT_FUNCTIONS, DEFAULT_RUN_DIR, LocalStack

_SHOWN = ("gateway", "gmail", "issuer", "storage", "firestore", "pubsub", "tasks", "smtp")


def main(argv: list[str] | None = None) -> int:
    """Run one command; the exit code is 0 when ended by a signal, else the error's."""
    options = _parser().parse_args(argv)
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, _interrupt)
    try:
        up(options)
    except StackError as error:
        print(f"\n{error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("\nStopped.", flush=True)
    return 0


def up(options: argparse.Namespace) -> None:
    """Start the stack, say where everything is, stay."""
    print("Starting the local stack ...", flush=True)
    stack = LocalStack(run_dir=options.run_dir, gateway_port=options.port, functions_source=options.functions)
    with stack:
        print(table(stack), flush=True)
        stack.wait()


def table(stack: LocalStack) -> str:
    """The endpoints, what took how long, and where to look."""
    described = stack.describe()
    rows = [f"  {name:<10} {described[name]}" for name in _SHOWN]
    times = ", ".join(f"{name} {seconds:.1f}" for name, seconds in stack.took.items())
    return "\n".join(
        [
            "",
            *rows,
            "",
            f"  logs       {stack.run_dir.logs}",
            f"  endpoints  {stack.run_dir.description}",
            f"  ready after (s): {times}",
            "",
            "Ctrl-C ends it.",
        ]
    )


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.local", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    start = commands.add_parser("up", help="start everything and stay until Ctrl-C")
    start.add_argument("--port", type=int, default=8080, help="the gateway's port (default: 8080; 0: a free one)")
    start.add_argument("--run-dir", type=Path, default=DEFAULT_RUN_DIR, help="logs, secrets and stack.json")
    start.add_argument("--functions", type=Path, default=DEFAULT_FUNCTIONS, help="the main.py to serve")
    return parser


if __name__ == "__main__":
    sys.exit(main())
