"""Bodies and attachments in Cloud Storage; downloads go straight there, by signed URL."""

from datetime import timedelta
from functools import cached_property
from typing import Any
from urllib.parse import quote

import google.auth
from google.api_core.client_options import ClientOptions
from google.auth import iam
from google.auth.credentials import AnonymousCredentials
from google.auth.crypt import RSASigner
from google.auth.transport.requests import Request
from google.cloud import storage
from google.cloud.storage.retry import DEFAULT_RETRY
from google.oauth2 import service_account

from mailbridge.adapters.google_errors import translated
from mailbridge.config import Config

URL_LIFE = timedelta(minutes=5)

_SAFE_TYPES = frozenset({"application/pdf", "image/gif", "image/jpeg", "image/png", "image/webp", "text/plain"})
"""What a browser shows without running anything in it; all else is handed out as bytes."""

_SIGNING_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_UNKNOWN_TYPE = "application/octet-stream"
_DISPOSITION = "attachment"
_TIMEOUT_SECONDS = 30.0
# Short: whoever called us, or the queue, tries again.
_RETRY = DEFAULT_RETRY.with_delay(initial=0.2, maximum=1.0).with_timeout(3.0)


class CloudStorage:
    """`ports.Blobs` in one bucket; the client is made on first use and is safe to share between threads."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def put(self, name: str, content: bytes, content_type: str) -> None:
        """Store, or overwrite with the same, which is why it may be repeated."""
        blob = self._bucket.blob(name)
        blob.content_disposition = _DISPOSITION
        with translated("Cloud Storage"):
            blob.upload_from_string(content, _safe(content_type), timeout=_TIMEOUT_SECONDS, retry=_RETRY)

    def get(self, name: str) -> bytes:
        """The content; NotFound."""
        with translated("Cloud Storage"):
            content: bytes = self._bucket.blob(name).download_as_bytes(timeout=_TIMEOUT_SECONDS, retry=_RETRY)
        return content

    def url(self, name: str, file_name: str, content_type: str) -> str:
        """A URL that downloads it, never shows it on our origin, for five minutes."""
        with translated("Cloud Storage"):
            signed: str = self._bucket.blob(name).generate_signed_url(
                version="v4",
                expiration=URL_LIFE,
                api_access_endpoint=self._config.storage_emulator_host or None,
                credentials=self._signing,
                response_disposition=disposition(file_name),
                response_type=_safe(content_type),
            )
        return signed

    @cached_property
    def _bucket(self) -> Any:
        emulator = self._config.storage_emulator_host
        client = storage.Client(
            project=self._config.google_cloud_project,
            credentials=AnonymousCredentials() if emulator else None,
            client_options=ClientOptions(api_endpoint=emulator) if emulator else None,
        )
        return client.bucket(self._config.content_bucket)

    @cached_property
    def _signing(self) -> Any:
        """Google's runtime holds no private key: IAM signs for its account. An emulator takes any signature."""
        if self._config.storage_emulator_host:
            return service_account.Credentials(_local_signer(), "mailbridge@local.invalid", "")
        request = Request()
        own, _ = google.auth.default(scopes=[_SIGNING_SCOPE])
        own.refresh(request)
        signer = iam.Signer(request, own, own.service_account_email)
        return service_account.Credentials(signer, own.service_account_email, "")


def disposition(file_name: str) -> str:
    """`Content-Disposition` of a download with any file name (RFC 6266, RFC 8187)."""
    return f"{_DISPOSITION}; filename*=UTF-8''{quote(file_name, safe='', errors='replace')}"


def _safe(content_type: str) -> str:
    kind = content_type.partition(";")[0].strip().lower()
    return kind if kind in _SAFE_TYPES else _UNKNOWN_TYPE


def _local_signer() -> RSASigner:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return RSASigner.from_string(pem)
