"""A simulator, a target and the real client for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from infra.local.service_tokens import load_or_create_key
from infra.local.tasks.server import Options, serving_in_thread
from tests.contract.tasks_simulator.bench import Bench, connected, listening


@pytest.fixture(scope="session")
def signing_key(tmp_path_factory: pytest.TempPathFactory) -> RSAPrivateKey:
    path: Path = tmp_path_factory.mktemp("keys") / "signing.pem"
    return load_or_create_key(path)


@pytest.fixture
def bench(signing_key: RSAPrivateKey) -> Iterator[Bench]:
    with listening() as target, serving_in_thread(Options(signing_key)) as endpoints, connected(endpoints) as client:
        yield Bench(client, endpoints.control, target)
