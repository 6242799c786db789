"""The functions' settings: the one place that names every environment variable (`VARIABLES`)."""

import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit


class ConfigError(Exception):
    """The environment cannot be used; the text names every variable at fault and what it is for."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable, as the README lists it; `default` None: required, "": switched off."""

    name: str
    purpose: str
    default: str | None
    secret: bool


def _setting(
    purpose: str, *, default: str | None = None, parse: Callable[[str], Any] = str, secret: bool = False
) -> Any:
    metadata = {"purpose": purpose, "default": default, "parse": parse, "secret": secret}
    return field(repr=not secret, metadata=metadata)


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise ValueError("is no http(s) URL")
    return text.rstrip("/")


def _origins(text: str) -> tuple[str, ...]:
    return tuple(_url(origin.strip()) for origin in text.split(",") if origin.strip())


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < 86_400:
        raise ValueError("is not between 0 and 86400 seconds")
    return seconds


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise ValueError("is not a number above 0")
    return count


def _keyset(text: str) -> str:
    if not isinstance(json.loads(text), dict):
        raise ValueError("is no Tink keyset in JSON")
    return text


def _optional_url(text: str) -> str:
    return _url(text) if text else ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    """Every setting, under its variable's name in lower case; secrets stay out of its representation.

    Whatever points at Google has Google's own address as default. URLs carry no trailing slash.
    """

    google_cloud_project: str = _setting("the Google Cloud project")
    public_url: str = _setting("URL under which the functions are reached, without the function's name", parse=_url)

    gmail_api_endpoint: str = _setting("the Gmail API", default="https://gmail.googleapis.com", parse=_url)
    gmail_topic: str = _setting("Pub/Sub topic that Gmail notifies, projects/P/topics/T")
    oauth_client_id: str = _setting("OAuth client of this deployment")
    oauth_client_secret: str = _setting("the OAuth client's secret", secret=True)
    oauth_authorize_url: str = _setting(
        "Google's consent page", default="https://accounts.google.com/o/oauth2/v2/auth", parse=_url
    )
    oauth_token_url: str = _setting(
        "Google's token endpoint", default="https://oauth2.googleapis.com/token", parse=_url
    )
    oauth_revoke_url: str = _setting(
        "Google's revocation endpoint", default="https://oauth2.googleapis.com/revoke", parse=_url
    )
    oauth_certs_url: str = _setting(
        "keys of Google's ID tokens", default="https://www.googleapis.com/oauth2/v3/certs", parse=_url
    )
    grant_keyset: str = _setting("Tink keyset (JSON) that encrypts grants", parse=_keyset, secret=True)
    signing_key: str = _setting("key that signs states, cursors and X-Mailbridge-Id", secret=True)

    delivery_queue: str = _setting("queue of deliveries, projects/P/locations/L/queues/Q")
    background_queue: str = _setting("queue of deferred work, projects/P/locations/L/queues/Q")
    content_bucket: str = _setting("bucket of large bodies and attachments")
    cloud_tasks_endpoint: str = _setting("host:port of a Cloud Tasks on this machine", default="")
    firestore_emulator_host: str = _setting("host:port of a Firestore on this machine", default="")
    pubsub_emulator_host: str = _setting("host:port of a Pub/Sub on this machine", default="")
    storage_emulator_host: str = _setting("URL of a Cloud Storage on this machine", default="", parse=_optional_url)

    crm_issuer: str = _setting("issuer of the CRM's ID tokens")
    crm_jwks_url: str = _setting("keys of the CRM's ID tokens", parse=_url)
    crm_audience: str = _setting("audience of the CRM's ID tokens")
    return_urls: tuple[str, ...] = _setting("origins a connection may end at, comma-separated", parse=_origins)
    service_issuer: str = _setting("issuer of Google's service tokens", default="https://accounts.google.com")
    service_jwks_url: str = _setting(
        "keys of Google's service tokens", default="https://www.googleapis.com/oauth2/v3/certs", parse=_url
    )
    push_service_account: str = _setting("account as which Pub/Sub pushes notifications")
    tasks_service_account: str = _setting("account as which Cloud Tasks calls")
    scheduler_service_account: str = _setting("account as which Cloud Scheduler calls")

    send_timeout_seconds: float = _setting("how long Gmail may take to answer a send", default="60", parse=_seconds)
    sending_lease_seconds: float = _setting(
        "longest life of a send's attempt, at least twice SEND_TIMEOUT_SECONDS", default="120", parse=_seconds
    )
    sent_lag_seconds: float = _setting("how late Gmail's lists may show a send", default="60", parse=_seconds)
    consumer_daily_limit: int = _setting("mails in 24 hours of a gmail.com account", default="500", parse=_count)
    workspace_daily_limit: int = _setting("mails in 24 hours of a Workspace account", default="2000", parse=_count)

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Config":
        """The settings in `env`; an empty variable counts as missing. ConfigError names all that is wrong at once."""
        values: dict[str, Any] = {}
        faults: list[str] = []
        for setting, variable in _settings():
            try:
                values[setting.name] = _value(setting, variable, env)
            except ValueError as exc:
                faults.append(f"  {variable.name} {_fault(variable, exc)}: {variable.purpose}")
        if not faults and values["sending_lease_seconds"] < 2 * values["send_timeout_seconds"]:
            faults.append("  SENDING_LEASE_SECONDS is less than twice SEND_TIMEOUT_SECONDS: a mail could go out twice")
        if faults:
            raise ConfigError("Set these environment variables (README, Configuration):\n" + "\n".join(faults))
        return cls(**values)

    def function_url(self, function: str) -> str:
        """Where a function is called, and the audience of the service tokens that call it."""
        return f"{self.public_url}/{function}"

    @property
    def redirect_url(self) -> str:
        """Where Google sends the browser back to; registered with the OAuth client."""
        return self.function_url("connect_callback")


def _settings() -> Iterator[tuple[dataclasses.Field[Any], Variable]]:
    for setting in dataclasses.fields(Config):
        notes = setting.metadata
        yield setting, Variable(setting.name.upper(), notes["purpose"], notes["default"], notes["secret"])


def _value(setting: dataclasses.Field[Any], variable: Variable, env: Mapping[str, str]) -> Any:
    text = env.get(variable.name, "").strip() or variable.default
    if text is None:
        raise ValueError("is missing")
    return setting.metadata["parse"](text)


def _fault(variable: Variable, exc: ValueError) -> str:
    """Why a value was refused; a secret's own text never shows."""
    return "is missing or unusable" if variable.secret else f"({exc})"


VARIABLES = tuple(variable for _, variable in _settings())
"""Every environment variable that the functions read."""
