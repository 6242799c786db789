"""The program: walk the story on a stack of its own, or on one that runs already, and say what failed."""

import argparse
import secrets
import signal
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from infra.local.demo.kills import Kills
from infra.local.demo.report import Report
from infra.local.demo.steps import STEPS
from infra.local.demo.story import new_story
from infra.local.errors import StackError
from infra.local.stack import DEFAULT_RUN_DIR, LocalStack


def main(argv: list[str] | None = None) -> int:
    """Walk the story; 0 when every step was seen to hold, 1 otherwise, 130 when interrupted."""
    options = _parser().parse_args(argv)
    signal.signal(signal.SIGTERM, _interrupt)
    began = time.monotonic()
    report = Report(sys.stdout)
    try:
        with ExitStack() as exits:
            stack = _running_stack(options.stack) if options.stack else _own_stack(exits, options.run_dir)
            _walk(stack, options, report)
    except StackError as error:
        report.not_started(error, len(STEPS))
    except KeyboardInterrupt:
        print("\nInterrupted.", flush=True)
        return 130
    return report.conclude(time.monotonic() - began)


def _own_stack(exits: ExitStack, run_dir: Path) -> Path:
    print("Starting the local stack ...", flush=True)
    stack = exits.enter_context(LocalStack(run_dir=run_dir))
    print(f"Ready after {stack.took['everything']:.1f} s; logs in {stack.run_dir.logs}\n", flush=True)
    return stack.run_dir.description


def _running_stack(description: Path) -> Path:
    if not description.is_file():
        raise StackError(f"No stack runs that is described in {description}: start one with `make up`.")
    return description


def _walk(stack: Path, options: argparse.Namespace, report: Report) -> None:
    if options.kill_functions:
        print(f"The functions will be killed {options.kill_functions} times; repeat with --seed {options.seed}\n")
    kills = Kills.planned(stack, options.kill_functions, len(STEPS), options.seed, report.remark)
    report.walk(STEPS, new_story(stack, secrets.token_hex(3)), kills.step_begins)
    kills.finish()


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.local.demo", description=__doc__)
    parser.add_argument("--stack", type=Path, metavar="FILE", help="the stack.json of a stack that runs already")
    parser.add_argument(
        "--run-dir", type=Path, default=DEFAULT_RUN_DIR / "demo", help="where an own stack keeps its logs"
    )
    parser.add_argument(
        "--kill-functions", type=int, default=0, metavar="N", help="kill the functions' process N times"
    )
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10_000), help="repeats the moments of the kills")
    return parser


if __name__ == "__main__":
    sys.exit(main())
