"""Sealing grants: the fake and Tink keep the same promises."""

import json

import pytest

from mailbridge.adapters.crypto import TinkSealer
from mailbridge.config import ConfigError
from mailbridge.errors import Permanent
from mailbridge.ports import Sealer
from tests.contract.adapters.loopback import new_keyset
from tests.fakes.sealer import FakeSealer


@pytest.fixture(params=["fake", "real"])
def sealer(request: pytest.FixtureRequest) -> Sealer:
    return FakeSealer() if request.param == "fake" else TinkSealer(new_keyset())


def test_a_secret_opens_with_the_context_it_was_sealed_with(sealer: Sealer) -> None:
    assert sealer.open(sealer.seal("1//refresh-ü", "mailbox-1"), "mailbox-1") == "1//refresh-ü"


def test_another_mailboxs_grant_does_not_open(sealer: Sealer) -> None:
    sealed = sealer.seal("1//refresh", "mailbox-1")
    with pytest.raises(Permanent):
        sealer.open(sealed, "mailbox-2")


def test_what_was_never_sealed_does_not_open(sealer: Sealer) -> None:
    with pytest.raises(Permanent):
        sealer.open(b"1//refresh", "mailbox-1")


def test_a_sealed_secret_cannot_be_read_and_never_looks_the_same() -> None:
    sealer = TinkSealer(new_keyset())
    first, second = sealer.seal("1//refresh", "mailbox-1"), sealer.seal("1//refresh", "mailbox-1")
    assert b"refresh" not in first
    assert first != second


def test_after_a_rotation_old_grants_open_and_new_ones_take_the_new_key() -> None:
    old, new = json.loads(new_keyset()), json.loads(new_keyset())
    rotated = {"primaryKeyId": new["primaryKeyId"], "key": [*old["key"], *new["key"]]}
    sealed_before = TinkSealer(json.dumps(old)).seal("1//refresh", "mailbox-1")
    sealer = TinkSealer(json.dumps(rotated))
    assert sealer.open(sealed_before, "mailbox-1") == "1//refresh"
    assert TinkSealer(json.dumps(new)).open(sealer.seal("1//new", "mailbox-1"), "mailbox-1") == "1//new"


def test_a_lost_key_leaves_the_grant_closed() -> None:
    sealed = TinkSealer(new_keyset()).seal("1//refresh", "mailbox-1")
    with pytest.raises(Permanent):
        TinkSealer(new_keyset()).open(sealed, "mailbox-1")


def test_a_keyset_that_is_none_is_a_fault_of_configuration() -> None:
    with pytest.raises(ConfigError, match="GRANT_KEYSET"):
        TinkSealer('{"key": []}')
