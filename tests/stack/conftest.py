"""A stack that serves the small functions of this folder instead of the product."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.stack import LocalStack
from infra.local.topology import Schedule
from tests.stack.probes import FUNCTIONS


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the small functions keep what reached them."""
    return tmp_path_factory.mktemp("kept")


@pytest.fixture(scope="session")
def echo_stack(tmp_path_factory: pytest.TempPathFactory, kept: Path) -> Iterator[LocalStack]:
    """One running stack for all tests of this folder that leave it as they found it."""
    running = LocalStack(
        run_dir=tmp_path_factory.mktemp("echo-stack"),
        functions_source=FUNCTIONS,
        env_overrides={"KEPT": str(kept)},
        schedule=Schedule(poll_seconds=1.0),
    )
    with running:
        yield running
