"""What all tests share: the running stack, started once when the first test asks for it."""

from collections.abc import Generator, Iterator

import pytest

from infra.local.stack import LocalStack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """The whole local stack with the product's functions, in a directory of its own."""
    with LocalStack(run_dir=tmp_path_factory.mktemp("stack")) as running:
        yield running


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that fails on a running stack says where that stack's logs are."""
    report = yield
    if report.failed:
        arguments = getattr(item, "funcargs", {})
        logs = [f"logs: {used.run_dir.logs}" for used in arguments.values() if isinstance(used, LocalStack)]
        report.sections.extend(("local stack", line) for line in logs)
    return report
