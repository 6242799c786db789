"""Joins services and adapters, each built on its first use and kept for the life of the process.

Adapters are imported where they are built, so that a function loads only the clients that it uses.
"""

import os
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from itsdangerous import Signer, URLSafeSerializer

from mailbridge import logs
from mailbridge.config import Config
from mailbridge.ports import Blobs, Callers, Gmail, GoogleAccounts, Sealer, Tasks
from mailbridge.resources import Api
from mailbridge.services.contents import AttachmentCopies, Contents
from mailbridge.services.crm import Keeping, Reading
from mailbridge.services.delivering import Delivering, Patience
from mailbridge.services.inbound import Inbound
from mailbridge.services.intake import Intake
from mailbridge.services.mailboxes import Connecting
from mailbridge.services.outbound import Outbound
from mailbridge.services.own_mail import OwnMail


@cache
def config() -> Config:
    """The settings of this process; its logs are set up with them."""
    logs.configure()
    return Config.from_env(os.environ)


def connecting() -> Connecting:
    """Connect, watch, disconnect."""
    signer = URLSafeSerializer(config().signing_key, salt="connect-state")
    return Connecting(_mailboxes(), _accounts(), _gmail(), _sealer(), signer, config(), now)


def inbound() -> Inbound:
    """Sync."""
    own_mail, contents = _own_mail(), _contents()
    intake = Intake(_threads(), own_mail, contents, now)
    return Inbound(_mailboxes(), _gmail(), intake, now)


def outbound() -> Outbound:
    """Accept and cancel mail."""
    return Outbound(_crm(), _mailboxes(), _threads(), _deliveries(), _contents(), _tasks(), now)


def delivering() -> Delivering:
    """Deliver queued mail."""
    patience = Patience(
        lease=timedelta(seconds=config().sending_lease_seconds), lag=timedelta(seconds=config().sent_lag_seconds)
    )
    return Delivering(_crm(), _mailboxes(), _deliveries(), _gmail(), _contents(), _own_mail(), _tasks(), patience, now)


def attachment_copies() -> AttachmentCopies:
    """Copy attachments."""
    return AttachmentCopies(_mailboxes(), _crm(), _gmail(), _blobs())


@cache
def api() -> Api:
    """The API's resources."""
    reading = Reading(_crm(), _mailboxes(), _contents(), _blobs(), now)
    return Api(reading, Keeping(_crm(), now), outbound())


@cache
def callers() -> Callers:
    """Who is calling."""
    from mailbridge.adapters.identity import TokenCallers

    return TokenCallers(config())


def now() -> datetime:
    """The clock."""
    return datetime.now(UTC)


def _own_mail() -> OwnMail:
    return OwnMail(_deliveries(), Signer(config().signing_key, salt="message-id"))


def _contents() -> Contents:
    return Contents(_blobs(), _tasks(), now)


@cache
def _accounts() -> GoogleAccounts:
    from mailbridge.adapters.oauth import GoogleOauth

    return GoogleOauth(config())


@cache
def _gmail() -> Gmail:
    from mailbridge.adapters.gmail import GoogleGmail

    return GoogleGmail(config(), _sealer(), now)


@cache
def _sealer() -> Sealer:
    from mailbridge.adapters.crypto import TinkSealer

    return TinkSealer(config().grant_keyset)


@cache
def _tasks() -> Tasks:
    from mailbridge.adapters.tasks import CloudTasks

    return CloudTasks(config())


@cache
def _blobs() -> Blobs:
    from mailbridge.adapters.blobs import CloudStorage

    return CloudStorage(config())


@cache
def _database() -> Any:
    from google.cloud import firestore

    return firestore.Client(project=config().google_cloud_project)


@cache
def _mailboxes() -> Any:
    from mailbridge.adapters.store.mailboxes import FirestoreMailboxes

    return FirestoreMailboxes(_database())


@cache
def _threads() -> Any:
    from mailbridge.adapters.store.threads import FirestoreThreads

    return FirestoreThreads(_database())


@cache
def _crm() -> Any:
    from mailbridge.adapters.store.crm import FirestoreCrm

    return FirestoreCrm(_database())


@cache
def _deliveries() -> Any:
    from mailbridge.adapters.store.deliveries import FirestoreDeliveries

    return FirestoreDeliveries(_database())
