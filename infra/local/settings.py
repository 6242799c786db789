"""What the functions are told about their surroundings: endpoints, names and secrets of the local stack."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import tink
from tink import aead, json_proto_keyset_format, secret_key_access

PROJECT = "mailbridge-local"
LOCATION = "local"
TOPIC = f"projects/{PROJECT}/topics/gmail-notifications"
SUBSCRIPTION = f"projects/{PROJECT}/subscriptions/sync-mailbox"
DELIVERY_QUEUE = f"projects/{PROJECT}/locations/{LOCATION}/queues/delivery"
BACKGROUND_QUEUE = f"projects/{PROJECT}/locations/{LOCATION}/queues/background"
BUCKET = f"{PROJECT}-content"

# The functions share one process here, so tasks leave threads to the CRM; a task that fails is soon tried again.
QUEUE_LIMITS = {
    "rateLimits": {"maxConcurrentDispatches": 6},
    "retryConfig": {"maxAttempts": -1, "minBackoff": "0.2s", "maxBackoff": "5s", "maxDoublings": 5},
}

# Whatever of these the caller has set leads to a real project or another emulator: the functions never see it.
_FOREIGN = ("GOOGLE_APPLICATION_CREDENTIALS", "GCLOUD_PROJECT", "CLOUDSDK_CORE_PROJECT", "FUNCTION_TARGET", "PORT")


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where the parts listen: URLs without a trailing slash, or `host:port` where a client wants no scheme."""

    gateway: str
    gmail: str
    issuer: str
    relay: str
    storage: str
    firestore: str
    pubsub: str
    tasks: str
    tasks_control: str
    smtp: str


@dataclass(frozen=True, slots=True)
class Keys:
    """The secrets of one run directory: they survive a restart, so that stored data stays readable."""

    service_key: Path
    grant_keyset: str
    signing_key: str


def load_keys(directory: Path) -> Keys:
    """Read the secrets kept in `directory`, making those that are missing."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Keys(
        service_key=directory / "service-key.pem",
        grant_keyset=_kept(directory / "grant-keyset.json", _new_keyset),
        signing_key=_kept(directory / "signing-key", lambda: secrets.token_urlsafe(32)),
    )


def functions_environment(
    endpoints: Endpoints, keys: Keys, *, oauth: Mapping[str, str], overrides: Mapping[str, str]
) -> dict[str, str]:
    """Every setting of the functions by its name.

    `oauth` may place another Gmail's OAuth endpoints and client (`OAUTH_*`); `overrides` win over everything.
    """
    return {
        "GOOGLE_CLOUD_PROJECT": PROJECT,
        "PUBLIC_URL": endpoints.gateway,
        **_google(endpoints, oauth),
        "GMAIL_TOPIC": TOPIC,
        "DELIVERY_QUEUE": DELIVERY_QUEUE,
        "BACKGROUND_QUEUE": BACKGROUND_QUEUE,
        "CONTENT_BUCKET": BUCKET,
        **_identities(endpoints),
        "RETURN_URLS": "http://127.0.0.1,http://localhost,https://crm.example",
        "GRANT_KEYSET": keys.grant_keyset,
        "SIGNING_KEY": keys.signing_key,
        "SEND_TIMEOUT_SECONDS": "10",
        "SENDING_LEASE_SECONDS": "20",
        "SENT_LAG_SECONDS": "2",
        **overrides,
    }


def process_environment(caller: Mapping[str, str], settings: Mapping[str, str]) -> dict[str, str]:
    """The caller's environment, without what leads to a real project, and the functions' settings on top.

    No proxy of the caller's stands between the parts.
    """
    inherited = {name: value for name, value in caller.items() if name not in _FOREIGN}
    return {**inherited, **settings, "PYTHONUNBUFFERED": "1", "NO_PROXY": "127.0.0.1,localhost"}


def _google(endpoints: Endpoints, oauth: Mapping[str, str]) -> dict[str, str]:
    ours = {
        "OAUTH_AUTHORIZE_URL": f"{endpoints.gmail}/o/oauth2/v2/auth",
        "OAUTH_TOKEN_URL": f"{endpoints.gmail}/token",
        "OAUTH_REVOKE_URL": f"{endpoints.gmail}/revoke",
        "OAUTH_CERTS_URL": f"{endpoints.gmail}/oauth2/v3/certs",
        "OAUTH_CLIENT_ID": "mailbridge-local.apps.googleusercontent.com",
        "OAUTH_CLIENT_SECRET": "mailbridge-local-secret",
    }
    return {
        "GMAIL_API_ENDPOINT": endpoints.gmail,
        **{name: oauth.get(name, value) for name, value in ours.items()},
        "FIRESTORE_EMULATOR_HOST": endpoints.firestore,
        "PUBSUB_EMULATOR_HOST": endpoints.pubsub,
        "CLOUD_TASKS_ENDPOINT": endpoints.tasks,
        "STORAGE_EMULATOR_HOST": endpoints.storage,
    }


def _identities(endpoints: Endpoints) -> dict[str, str]:
    return {
        "CRM_ISSUER": endpoints.issuer,
        "CRM_JWKS_URL": f"{endpoints.issuer}/jwks",
        "CRM_AUDIENCE": "mailbridge",
        "SERVICE_ISSUER": "https://accounts.google.com",
        "SERVICE_JWKS_URL": f"{endpoints.issuer}/google/certs",
        **{
            f"{caller.upper()}_SERVICE_ACCOUNT": f"{caller}@{PROJECT}.iam.gserviceaccount.com"
            for caller in ("push", "tasks", "scheduler")
        },
    }


def _kept(path: Path, make: Callable[[], str]) -> str:
    if not path.exists():
        partial = path.with_suffix(".partial")
        partial.touch(mode=0o600)
        partial.write_text(make())
        partial.replace(path)
    return path.read_text()


def _new_keyset() -> str:
    aead.register()
    handle = tink.new_keyset_handle(aead.aead_key_templates.AES256_GCM)
    return str(json_proto_keyset_format.serialize(handle, secret_key_access.TOKEN))
