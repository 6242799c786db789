"""The settings: every variable named in one place, all faults told at once, no secret shown."""

from pathlib import Path

import pytest

from infra.local.settings import Endpoints, functions_environment, load_keys
from mailbridge.config import VARIABLES, Config, ConfigError
from tests.contract.adapters.loopback import config, environment


def test_an_empty_environment_names_every_required_variable_and_what_it_is_for() -> None:
    with pytest.raises(ConfigError) as refused:
        Config.from_env({})
    for variable in VARIABLES:
        assert (variable.name in str(refused.value)) is (variable.default is None)
        assert (variable.purpose in str(refused.value)) is (variable.default is None)


def test_an_empty_variable_counts_as_missing() -> None:
    with pytest.raises(ConfigError, match="GMAIL_TOPIC"):
        config(GMAIL_TOPIC=" ")


def test_all_unusable_values_are_named_together() -> None:
    with pytest.raises(ConfigError) as refused:
        config(PUBLIC_URL="gateway", SEND_TIMEOUT_SECONDS="soon", CONSUMER_DAILY_LIMIT="-1")
    for name in ("PUBLIC_URL", "SEND_TIMEOUT_SECONDS", "CONSUMER_DAILY_LIMIT"):
        assert name in str(refused.value)


def test_secrets_show_neither_in_the_representation_nor_in_an_error() -> None:
    secrets = {variable.name for variable in VARIABLES if variable.secret}
    assert secrets == {"OAUTH_CLIENT_SECRET", "GRANT_KEYSET", "SIGNING_KEY"}
    settings = config(OAUTH_CLIENT_SECRET="hidden-1", SIGNING_KEY="hidden-2")
    assert "hidden" not in repr(settings)
    assert settings.grant_keyset not in repr(settings)
    with pytest.raises(ConfigError) as refused:
        config(GRANT_KEYSET="hidden-3")
    assert "GRANT_KEYSET" in str(refused.value)
    assert "hidden" not in str(refused.value)


def test_whatever_is_not_set_points_at_google() -> None:
    needed = {variable.name for variable in VARIABLES if variable.default is None}
    settings = Config.from_env({name: value for name, value in environment().items() if name in needed})
    assert settings.gmail_api_endpoint == "https://gmail.googleapis.com"
    assert settings.oauth_token_url == "https://oauth2.googleapis.com/token"
    assert settings.service_issuer == "https://accounts.google.com"
    assert not settings.cloud_tasks_endpoint
    assert (settings.consumer_daily_limit, settings.workspace_daily_limit) == (500, 2000)


def test_google_sends_the_browser_back_to_our_callback() -> None:
    assert config(PUBLIC_URL="https://bridge.example/").redirect_url == "https://bridge.example/connect_callback"


def test_return_urls_are_a_list() -> None:
    settings = config(RETURN_URLS="https://crm.example, http://localhost")
    assert settings.return_urls == ("https://crm.example", "http://localhost")


@pytest.mark.rule("P15")
def test_a_lease_that_a_send_can_outlive_is_refused() -> None:
    with pytest.raises(ConfigError, match="SENDING_LEASE_SECONDS"):
        config(SEND_TIMEOUT_SECONDS="60", SENDING_LEASE_SECONDS="60")


def test_the_local_stack_sets_all_that_is_required_and_nothing_unknown(tmp_path: Path) -> None:
    parts = {name: f"http://127.0.0.1:{port}" for port, name in enumerate(Endpoints.__dataclass_fields__, 8000)}
    env = functions_environment(Endpoints(**parts), load_keys(tmp_path), oauth={}, overrides={})
    assert Config.from_env(env).public_url == parts["gateway"]
    assert env.keys() <= {variable.name for variable in VARIABLES}
