"""Gmail through its API: `ports.Gmail`."""

from mailbridge.adapters.gmail.access import Access, AccessCache, TokenEndpoint, credentials
from mailbridge.adapters.gmail.calls import Calls, GmailApi
from mailbridge.adapters.gmail.mailbox import ApiMailbox
from mailbridge.adapters.gmail.sending import Sender
from mailbridge.adapters.gmail.transport import AuthorizedHttp
from mailbridge.adapters.http import new_session
from mailbridge.config import Config
from mailbridge.domain.model import Mailbox
from mailbridge.domain.oauth import Grant
from mailbridge.ports import Clock, GmailMailbox, Sealer

__all__ = ["GoogleGmail"]


class GoogleGmail:
    """Opens mailboxes; one for the process, safe to share between threads.

    Access tokens stay in the process, by mailbox and grant, so that opening a mailbox twice asks Google once.
    """

    def __init__(self, config: Config, sealer: Sealer, clock: Clock) -> None:
        self._config = config
        self._sealer = sealer
        self._clock = clock
        self._api = GmailApi(config.gmail_api_endpoint)
        self._session = new_session()
        self._sender = Sender(config.gmail_api_endpoint, config.send_timeout_seconds, clock)
        self._token_endpoint = TokenEndpoint()
        self._accesses = AccessCache()

    def open(self, mailbox: Mailbox) -> GmailMailbox:
        """With the stored grant: the refresh token, sealed with the mailbox's id as its context."""
        return self._mailbox(self._accesses.get((mailbox.mailbox_id, mailbox.grant), lambda: self._unseal(mailbox)))

    def open_grant(self, grant: Grant) -> GmailMailbox:
        """With a grant that is not stored yet."""
        return self._mailbox(self._access(grant.refresh_token, grant.access_token))

    def _unseal(self, mailbox: Mailbox) -> Access:
        return self._access(self._sealer.open(mailbox.grant, mailbox.mailbox_id))

    def _access(self, refresh_token: str | None, access_token: str | None = None) -> Access:
        return Access(credentials(self._config, refresh_token, access_token), self._token_endpoint)

    def _mailbox(self, access: Access) -> ApiMailbox:
        calls = Calls(self._api, AuthorizedHttp(self._session, access), self._clock)
        return ApiMailbox(self._api, calls, self._sender, access, self._config.gmail_topic)
