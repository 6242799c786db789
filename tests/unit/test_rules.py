"""The rules' register is complete and well-formed, and every test names rules that it holds."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.rules import ROOT, assigned, line, registered, summary

COUNTS = {"A": 8, "B": 11, "C": 2, "D": 9, "E": 5, "F": 5, "G": 4, "H": 6, "J": 9, "P": 36}
REGISTER = """
- title: Sending
  rules:
    - D1: It is sent.
    - D2: It is seen.
- title: Pitfalls
  rules:
    - P1: Nothing is lost.
"""


TEXTS = {"D1": "It is sent.", "D3": "It is sent once.", "P1": "Nothing is lost."}
PROOF = "tests/acceptance/test_sending.py::test_it_is_so"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small project: a register and one acceptance test of D1."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "tests" / "acceptance").mkdir(parents=True)
    (tmp_path / "tests" / "rules.yaml").write_text(REGISTER)
    add(tmp_path, "test_sending.py", '@pytest.mark.rule("D1")\ndef test_it_is_so():\n    assert True\n')
    return tmp_path


def add(project: Path, name: str, content: str) -> None:
    (project / "tests" / "acceptance" / name).write_text(f"import pytest\n\n{content}")


def run(project: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tests.rules", "--root", str(project), *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=100)


def lines(**tests: list[str]) -> list[str]:
    return [line(rule) for rule in assigned(TEXTS, tests)]


def test_the_register_holds_every_rule_in_order_without_gaps() -> None:
    numbers = [number for _, group in registered(ROOT) for number in group]
    assert numbers == [f"{letter}{number + 1}" for letter, count in COUNTS.items() for number in range(count)]


def test_each_group_has_a_title_and_rules_of_one_letter() -> None:
    for title, group in registered(ROOT):
        assert title.strip()
        assert len({number[0] for number in group}) == 1


def test_each_rule_is_one_or_two_sentences() -> None:
    for _, group in registered(ROOT):
        for number, text in group.items():
            assert text == text.strip(), number
            assert text.endswith("."), number
            assert 30 <= len(text) <= 320, number
            assert "\n" not in text, number


def test_every_test_can_be_collected_and_names_rules_that_exist() -> None:
    done = run(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].startswith(f"{sum(COUNTS.values())} rules, ")


def test_the_command_shows_what_pytest_collects(project: Path) -> None:
    done = run(project, "D")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "D1  | test_sending::it_is_so | It is sent.",
        "D2  | no test yet | It is seen.",
        "2 rules, 1 with tests",
    ]


def test_a_test_that_cannot_be_collected_is_an_error(project: Path) -> None:
    add(project, "test_broken.py", "import no_such_module_anywhere\n")
    done = run(project)
    assert done.returncode == 1
    assert "no_such_module_anywhere" in done.stderr
    assert "test_broken.py" in done.stderr


def test_a_mark_without_a_registered_rule_is_an_error(project: Path) -> None:
    add(project, "test_unknown.py", '@pytest.mark.rule("D99")\ndef test_one():\n    assert True\n')
    add(project, "test_nothing.py", "@pytest.mark.rule()\ndef test_two():\n    assert True\n")
    done = run(project)
    assert done.returncode == 1
    assert "D99: test_unknown::one" in done.stderr
    assert "(none): test_nothing::two" in done.stderr


def test_a_prefix_that_fits_nothing_is_an_error(project: Path) -> None:
    done = run(project, "X")
    assert done.returncode == 2
    assert "'X'" in done.stderr


def test_a_number_that_is_registered_twice_is_refused(project: Path) -> None:
    (project / "tests" / "rules.yaml").write_text(REGISTER.replace("D2", "D1"))
    with pytest.raises(ValueError, match="D1 stands there more than once"):
        registered(project)


def test_a_rule_without_a_test_says_so() -> None:
    assert lines() == [
        "D1  | no test yet | It is sent.",
        "D3  | no test yet | It is sent once.",
        "P1  | no test yet | Nothing is lost.",
    ]
    assert summary(assigned(TEXTS, {})) == "3 rules, 0 with tests"


def test_an_acceptance_test_proves_each_rule_that_it_names() -> None:
    shown = lines(D1=[PROOF], D3=["tests/acceptance/sub/test_seeing.py::TestClass::test_once", PROOF])
    assert shown[0] == "D1  | test_sending::it_is_so | It is sent."
    assert shown[1] == "D3  | test_seeing::once, test_sending::it_is_so | It is sent once."


def test_other_tests_support_a_rule_and_hold_a_pitfall() -> None:
    other = "tests/unit/test_sending.py::test_it_is_so"
    chosen = assigned(TEXTS, {"D1": [other], "P1": [other]})
    assert line(chosen[0]) == "D1  | no test yet; supporting: test_sending::it_is_so | It is sent."
    assert line(chosen[2]) == "P1  | test_sending::it_is_so | Nothing is lost."
    assert summary(chosen) == "3 rules, 1 with tests"


@pytest.mark.parametrize("path", ["tests/contract/gmail_simulator/test_x.py", "tests/stack/test_x.py"])
def test_a_test_of_the_simulators_or_the_stack_proves_nothing_about_the_product(path: str) -> None:
    assert lines(P1=[f"{path}::test_y"])[2] == "P1  | no test yet; supporting: test_x::y | Nothing is lost."


def test_a_test_with_many_cases_counts_once() -> None:
    assert lines(D1=[f"{PROOF}[a::b]", f"{PROOF}[c[d]]"])[0] == "D1  | test_sending::it_is_so | It is sent."


def test_only_a_few_tests_are_named_unless_all_are_wanted() -> None:
    rule = assigned(TEXTS, {"D1": [f"tests/acceptance/test_{number}.py::test_x" for number in range(5)]})[0]
    assert line(rule) == "D1  | test_0::x, test_1::x, test_2::x and 2 more | It is sent."
    assert "test_4::x" in line(rule, shown=None)
