"""One simulator and one Pub/Sub stand-in for all tests here, emptied before each."""

from collections.abc import Iterator

import pytest

from infra.local.gmail.app import create_app
from tests.contract.gmail_simulator.driver import ANN, BOB, Simulator
from tests.contract.gmail_simulator.serving import served
from tests.contract.gmail_simulator.topic import Topics


@pytest.fixture(scope="session")
def running_simulator() -> Iterator[Simulator]:
    topics = Topics()
    with served(topics.app()) as pubsub, served(create_app(pubsub)) as gmail:
        yield Simulator(f"http://{gmail}", topics)


@pytest.fixture
def sim(running_simulator: Simulator) -> Simulator:
    """A simulator with two accounts: Ann at gmail.com and Bob in a Workspace."""
    running_simulator.control("DELETE", "")
    running_simulator.topics.payloads.clear()
    running_simulator.account(ANN, name="Ann Example")
    running_simulator.account(BOB, name="Bob Example", workspace=True)
    return running_simulator
