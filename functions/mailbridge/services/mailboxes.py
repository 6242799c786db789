"""A mailbox's life: connect, watch, disconnect (A)."""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from itsdangerous import BadData, URLSafeSerializer

from mailbridge import logs
from mailbridge.domain import oauth
from mailbridge.domain.model import ConnectState, Link, Mailbox, MailboxState
from mailbridge.domain.oauth import Grant, Identity
from mailbridge.errors import InvalidRequest, MailbridgeError, NotFound, ReconnectNeeded
from mailbridge.ports import Clock, Gmail, GoogleAccounts, Mailboxes, Sealer

STATE_LIFETIME = timedelta(minutes=15)
"""How long a person may take for Google's consent pages."""

NewToken = Callable[[int], str]


class _Limits(Protocol):
    @property
    def consumer_daily_limit(self) -> int: ...
    @property
    def workspace_daily_limit(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Started:
    """A connection begun: where to send the browser, and the secret that it has to bring back."""

    authorization_url: str
    browser_token: str


@dataclass(frozen=True, slots=True)
class Ended:
    """A connection's end: where the browser goes, with which status of design §2."""

    return_url: str
    status: str


@dataclass(frozen=True, slots=True)
class Connecting:
    """Connects a user's Gmail to a location, through Google's consent pages."""

    mailboxes: Mailboxes
    accounts: GoogleAccounts
    gmail: Gmail
    sealer: Sealer
    signer: URLSafeSerializer
    limits: _Limits
    clock: Clock
    new_token: NewToken = secrets.token_urlsafe

    def start(self, user_id: str, location_id: str, return_url: str) -> Started:
        """Begin a connection: single use, bound to this user and this browser, over in a quarter of an hour (A1)."""
        browser_token, verifier, state_id = self.new_token(32), self.new_token(48), self.new_token(24)
        self.mailboxes.add_connect_state(
            ConnectState(
                state_id=state_id,
                user_id=user_id,
                location_id=location_id,
                return_url=return_url,
                browser_digest=_digest(browser_token),
                code_verifier=verifier,
                expire_at=self.clock() + STATE_LIFETIME,
            )
        )
        state = self.signer.dumps([state_id, return_url])
        return Started(self.accounts.authorization_url(state, oauth.code_challenge(verifier)), browser_token)

    def finish(self, state: str, browser_token: str | None, code: str | None, error: str | None) -> Ended:
        """End a connection: linked, or nothing stored and no grant kept (A2).

        A state that is used up or too old ends at its own return URL, which is part of what is signed. InvalidRequest where
        it is not ours at all: there is nowhere safe to send the browser then.
        """
        state_id, return_url = self._opened(state)
        started = self.mailboxes.take_connect_state(state_id)
        if started is None or self.clock() >= started.expire_at:
            return Ended(return_url, "expired")
        if not secrets.compare_digest(started.browser_digest, _digest(browser_token or "")):
            logs.warning("connect.other_browser", userId=started.user_id)
            return Ended(return_url, "failed")
        if error or not code:
            logs.info("connect.cancelled", userId=started.user_id, reason=error)
            return Ended(started.return_url, "cancelled" if error == "access_denied" else "failed")
        try:
            return Ended(started.return_url, self._connect(started, code))
        except MailbridgeError as exc:
            logs.error("connect.failed", exc, userId=started.user_id, locationId=started.location_id)
            return Ended(started.return_url, "failed")

    def _opened(self, state: str) -> tuple[str, str]:
        try:
            state_id, return_url = self.signer.loads(state)
        except BadData as exc:
            raise InvalidRequest("This connection was not started by us. Start it from the CRM's settings.") from exc
        return state_id, return_url

    def _connect(self, started: ConnectState, code: str) -> str:
        grant = self.accounts.exchange(code, started.code_verifier)
        identity = self.accounts.identify(grant)
        known = self.mailboxes.mailbox(oauth.mailbox_id(identity.email))
        if oauth.missing(grant.scopes):
            self._give_back(grant, known)
            return "missing_permissions"
        try:
            replaced = self._link(started, grant, identity, known)
        except MailbridgeError:
            self._give_back(grant, known)
            raise
        if replaced:
            self.close(replaced)
        return "connected"

    def _link(self, started: ConnectState, grant: Grant, identity: Identity, known: Mailbox | None) -> str | None:
        mailbox_id = oauth.mailbox_id(identity.email)
        sealed = self.sealer.seal(grant.refresh_token, mailbox_id) if grant.refresh_token else known and known.grant
        if not sealed:
            raise ReconnectNeeded("Google gave no lasting permission. Connect again.", reason="no_refresh_token")
        link = Link(location_id=started.location_id, user_id=started.user_id, linked_at=self.clock())
        watch = self.gmail.open_grant(grant).watch()
        mailbox = Mailbox(
            mailbox_id=mailbox_id,
            email_address=identity.email.lower(),
            name=identity.name,
            sub=identity.sub,
            state=MailboxState.ACTIVE,
            daily_limit=oauth.daily_limit(
                identity, self.limits.consumer_daily_limit, self.limits.workspace_daily_limit
            ),
            grant=sealed,
            scopes=tuple(sorted(grant.scopes)),
            watch_expires_at=watch.expires_at,
        )
        replaced = self.mailboxes.link(mailbox, link, watch.history_id)
        logs.info("mailbox.linked", mailboxId=mailbox_id, locationId=link.location_id, userId=link.user_id)
        return replaced

    def _give_back(self, grant: Grant, known: Mailbox | None) -> None:
        """Revoke a grant that is not kept, unless the account is in use: Google revokes all or nothing (P21)."""
        if known is None or not known.links:
            self.accounts.revoke(grant.refresh_token or grant.access_token)

    def disconnect(self, location_id: str, user_id: str) -> None:
        """Permanent and immediate; only the last link gives the grant back (A6). A repeat is no error."""
        closing = self.mailboxes.unlink(location_id, user_id)
        logs.info("mailbox.unlinked", locationId=location_id, userId=user_id, last=closing is not None)
        if closing:
            self.close(closing)

    def close(self, mailbox_id: str) -> None:
        """Stop the watch, revoke the grant, delete the tokens; whatever fails here is tried again by the sweep."""
        mailbox = self.mailboxes.mailbox(mailbox_id)
        if mailbox is None or mailbox.state is not MailboxState.CLOSING:
            return
        try:
            self._stop(mailbox)
            self.accounts.revoke(self.sealer.open(mailbox.grant, mailbox_id))
        except MailbridgeError as exc:
            logs.error("mailbox.closing_failed", exc, mailboxId=mailbox_id)
            return
        self.mailboxes.forget(mailbox_id)
        logs.info("mailbox.closed", mailboxId=mailbox_id)

    def _stop(self, mailbox: Mailbox) -> None:
        try:
            self.gmail.open(mailbox).stop()
        except ReconnectNeeded:
            logs.info("mailbox.grant_gone", mailboxId=mailbox.mailbox_id)

    def renew(self) -> int:
        """Renew every linked mailbox's watch; answers how many. One mailbox's trouble is its own (P4, P34)."""
        renewed = 0
        for mailbox in self.mailboxes.all():
            if mailbox.state is MailboxState.ACTIVE and mailbox.links:
                renewed += self._renew(mailbox)
        return renewed

    def _renew(self, mailbox: Mailbox) -> bool:
        try:
            self.mailboxes.watched(mailbox.mailbox_id, self.gmail.open(mailbox).watch().expires_at)
        except ReconnectNeeded:
            self.mailboxes.require_reconnect(mailbox.mailbox_id, mailbox.grant)
        except (MailbridgeError, NotFound) as exc:
            logs.error("watch.renewal_failed", exc, mailboxId=mailbox.mailbox_id)
        else:
            return True
        return False

    def silent(self, before: datetime) -> list[Mailbox]:
        """Linked mailboxes; those that are closing are closed on the way (A6)."""
        linked = []
        for mailbox in self.mailboxes.all():
            if mailbox.state is MailboxState.CLOSING:
                self.close(mailbox.mailbox_id)
            elif mailbox.state is MailboxState.ACTIVE and mailbox.links:
                linked.append(mailbox)
        return [mailbox for mailbox in linked if self._silent(mailbox, before)]

    def _silent(self, mailbox: Mailbox, before: datetime) -> bool:
        seen = self.mailboxes.cursor(mailbox.mailbox_id)
        return seen is not None and seen.cursor.last_sync_at < before


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
