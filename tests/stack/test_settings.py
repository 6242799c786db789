"""The stack hands the functions what they read, and nothing that leads to a real project."""

from pathlib import Path

import pytest
from tink import aead, json_proto_keyset_format, secret_key_access

from infra.local import settings, topology
from mailbridge.config import VARIABLES, Config


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    endpoints = topology.endpoints(topology.choose_ports(None), gmail=None)
    return settings.functions_environment(endpoints, settings.load_keys(tmp_path), oauth={}, overrides={})


def test_every_setting_handed_over_is_one_the_functions_read(env: dict[str, str]) -> None:
    assert set(env) <= {variable.name for variable in VARIABLES}


def test_the_functions_accept_the_settings_and_keep_to_this_machine(env: dict[str, str]) -> None:
    config = Config.from_env(env)
    assert config.public_url == env["PUBLIC_URL"]
    hosts = {name: value for name, value in env.items() if name.endswith(("_URL", "_ENDPOINT", "_HOST"))}
    assert [name for name, value in hosts.items() if not value.removeprefix("http://").startswith("127.0.0.1:")] == []


def test_overrides_win(tmp_path: Path) -> None:
    endpoints = topology.endpoints(topology.choose_ports(None), gmail=None)
    keys = settings.load_keys(tmp_path)
    changed = settings.functions_environment(endpoints, keys, oauth={}, overrides={"SEND_TIMEOUT_SECONDS": "1"})
    assert changed["SEND_TIMEOUT_SECONDS"] == "1"


def test_secrets_are_made_once_and_readable_by_their_owner_only(tmp_path: Path) -> None:
    assert settings.load_keys(tmp_path) == settings.load_keys(tmp_path)
    assert {file.stat().st_mode & 0o077 for file in tmp_path.iterdir()} == {0}


def test_the_keyset_encrypts_with_tink(env: dict[str, str]) -> None:
    aead.register()
    keyset = json_proto_keyset_format.parse(env["GRANT_KEYSET"], secret_key_access.TOKEN)
    primitive: aead.Aead = keyset.primitive(aead.Aead)
    assert primitive.decrypt(primitive.encrypt(b"grant", b"m1"), b"m1") == b"grant"


def test_the_callers_way_to_a_real_project_is_not_inherited() -> None:
    caller = {"GOOGLE_APPLICATION_CREDENTIALS": "/secret.json", "HTTP_PROXY": "http://proxy.example", "PATH": "/bin"}
    inherited = settings.process_environment(caller, {"GOOGLE_CLOUD_PROJECT": "mailbridge-local"})
    assert "GOOGLE_APPLICATION_CREDENTIALS" not in inherited
    assert inherited["GOOGLE_CLOUD_PROJECT"] == "mailbridge-local"
    assert "127.0.0.1" in inherited["NO_PROXY"]
