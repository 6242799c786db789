"""`python -m tests.rules [PREFIX]`: one line a rule: its number, the tests that prove it, its text.

Only acceptance tests prove a rule of the product (A to J); a pitfall (P) is held by any test of the product. Other
tests that name a rule, those of the local stack and its simulators above all, are shown as supporting.
Exits with 1 where a test can't be collected or names a rule that is not registered.
"""

import argparse
import io
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
REGISTER = Path("tests/rules.yaml")
PITFALLS = "P"
SHOWN_TESTS = 3


class CollectionError(Exception):
    """The tests could not be collected, or they name rules that do not exist; the message holds every reason."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule and the tests (shortened node ids) that prove and that support it."""

    number: str
    text: str
    proofs: tuple[str, ...] = ()
    supporting: tuple[str, ...] = ()


@dataclass
class Marks:
    """A pytest plugin that notes which test names which rule."""

    tests: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Read the `rule` marks of everything collected."""
        for item in session.items:
            for mark in item.iter_markers("rule"):
                for number in mark.args or ("(none)",):
                    self.tests[str(number)].append(item.nodeid)


def registered(root: Path) -> list[tuple[str, dict[str, str]]]:
    """Answer the register's groups: title and text by number, in its order; `ValueError` where a number is repeated."""
    groups: list[dict[str, Any]] = yaml.safe_load((root / REGISTER).read_text("utf-8"))
    entries = [(group["title"], [pair for rule in group["rules"] for pair in rule.items()]) for group in groups]
    numbers = [number for _, pairs in entries for number, _ in pairs]
    repeated = sorted({number for number in numbers if numbers.count(number) > 1})
    if repeated:
        raise ValueError(f"{REGISTER}: {', '.join(repeated)} stands there more than once")
    return [(title, dict(pairs)) for title, pairs in entries]


def marked(root: Path) -> Mapping[str, Sequence[str]]:
    """Answer the node ids by the rule that they name, as pytest itself collects them."""
    marks, output = Marks(), io.StringIO()
    arguments = ["--collect-only", "-q", "-p", "no:cacheprovider", "--rootdir", str(root)]
    with redirect_stdout(output), redirect_stderr(output):
        code = pytest.main([*arguments, "-c", str(root / "pyproject.toml"), str(root / "tests")], plugins=[marks])
    if code not in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}:
        raise CollectionError(f"{output.getvalue()}\nThe tests above could not be collected: mend them first.")
    return marks.tests


def rules(root: Path) -> list[Rule]:
    """Answer every rule of the working copy with its tests."""
    texts = {number: text for _, group in registered(root) for number, text in group.items()}
    return assigned(texts, marked(root))


def assigned(texts: Mapping[str, str], tests: Mapping[str, Sequence[str]]) -> list[Rule]:
    """Put the tests (node ids by rule) to the rules; `CollectionError` where one names a rule without a text."""
    strangers = [f"{number}: {', '.join(_short(tests[number]))}" for number in sorted(tests.keys() - texts.keys())]
    if strangers:
        raise CollectionError("\n".join(["These tests name rules that the register does not hold:", *strangers]))
    return [_rule(number, text, tests.get(number, ())) for number, text in texts.items()]


def line(rule: Rule, shown: int | None = SHOWN_TESTS) -> str:
    """Answer the rule's line; of its tests only the first `shown`."""
    proofs = _listed(rule.proofs, shown) if rule.proofs else "no test yet"
    supporting = f"; supporting: {_listed(rule.supporting, shown)}" if rule.supporting else ""
    return f"{rule.number:<3} | {proofs}{supporting} | {rule.text}"


def summary(chosen: Sequence[Rule]) -> str:
    """Answer the last line."""
    return f"{len(chosen)} rules, {sum(bool(rule.proofs) for rule in chosen)} with tests"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the rules that the prefix chooses."""
    options = _options(arguments)
    try:
        chosen = [rule for rule in rules(options.root) if rule.number.startswith(options.prefix)]
    except CollectionError as exc:
        print(exc, file=sys.stderr)
        return 1
    if not chosen:
        print(f"no rule begins with {options.prefix!r}", file=sys.stderr)
        return 2
    for rule in chosen:
        print(line(rule, None if options.all else SHOWN_TESTS))
    print(summary(chosen))
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.rules", description="Which test proves which rule.")
    parser.add_argument("prefix", nargs="?", default="", help="show only the rules that begin so: A, D3, P")
    parser.add_argument("--all", action="store_true", help=f"name all tests of a rule, not the first {SHOWN_TESTS}")
    parser.add_argument("--root", type=Path, default=ROOT, help="the working copy to look at")
    return parser.parse_args(arguments)


def _rule(number: str, text: str, tests: Iterable[str]) -> Rule:
    proving = [test for test in tests if _proves(test, number)]
    others = [test for test in tests if test not in proving]
    return Rule(number, text, tuple(_short(proving)), tuple(_short(others)))


def _proves(test: str, number: str) -> bool:
    folders = Path(test.partition("::")[0]).parts[1:-1]
    if number.startswith(PITFALLS):
        return not any(folder == "stack" or folder.endswith("_simulator") for folder in folders)
    return folders[:1] == ("acceptance",)


def _short(tests: Iterable[str]) -> list[str]:
    """Shorten node ids to `test_file::what_it_says`, each test once whatever its parameters."""
    ids = [test.partition("[")[0].split("::") for test in tests]
    return list(dict.fromkeys(f"{Path(path[0]).stem}::{path[-1].removeprefix('test_')}" for path in ids))


def _listed(tests: Sequence[str], shown: int | None) -> str:
    more = len(tests) - len(tests[:shown])
    return ", ".join(tests[:shown]) + (f" and {more} more" if more else "")


if __name__ == "__main__":
    sys.exit(main())
