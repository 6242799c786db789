"""Google as the tests need it: in memory or as the running simulator, with the adapters that belong to each."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from mailbridge.adapters.crypto import TinkSealer
from mailbridge.adapters.gmail import GoogleGmail
from mailbridge.adapters.oauth import GoogleOauth
from mailbridge.domain.model import Mailbox, MailboxState
from mailbridge.domain.oauth import REQUESTED, Grant, code_challenge, mailbox_id
from mailbridge.ports import Gmail, GmailMailbox, GoogleAccounts, Sealer
from tests.contract.adapters.loopback import program
from tests.contract.adapters.simulator import SimulatedGoogle
from tests.fakes.gmail import FakeGmail
from tests.fakes.google import FakeGoogle, FakeGoogleAccounts
from tests.fakes.sealer import FakeSealer

ANN = "ann@gmail.com"
VERIFIER = "v" * 64


@dataclass(frozen=True)
class World:
    """Google with Ann's account, as a user and the world act on it, and the adapters under test."""

    google: FakeGoogle | SimulatedGoogle
    accounts: GoogleAccounts
    gmail: Gmail
    sealer: Sealer

    def grant(self, email: str = ANN, scopes: tuple[str, ...] = REQUESTED) -> Grant:
        """The user connects."""
        url = self.accounts.authorization_url("state", code_challenge(VERIFIER))
        return self.accounts.exchange(self.google.consent(url, email, scopes), VERIFIER)

    def mailbox(self, grant: Grant, email: str = ANN) -> Mailbox:
        """The mailbox as it is stored."""
        assert grant.refresh_token is not None
        return Mailbox(
            mailbox_id=mailbox_id(email),
            email_address=email,
            sub="1",
            state=MailboxState.ACTIVE,
            daily_limit=500,
            grant=self.sealer.seal(grant.refresh_token, mailbox_id(email)),
        )

    def ann(self) -> GmailMailbox:
        """Ann's mailbox, connected and opened as the functions do."""
        return self.gmail.open(self.mailbox(self.grant()))


@pytest.fixture(scope="session")
def gmail_simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The Gmail simulator as a program of its own; gives its URL."""
    folder = tmp_path_factory.mktemp("gmail")
    port = folder / "port"
    with program("infra.local.gmail", ["--port-file", str(port)], folder / "log", port.exists):
        yield f"http://127.0.0.1:{port.read_text()}"


@pytest.fixture
def simulator(gmail_simulator: str) -> SimulatedGoogle:
    """The simulator with Ann's account and nothing else."""
    google = SimulatedGoogle(gmail_simulator)
    google.reset()
    google.account(ANN)
    return google


@pytest.fixture
def real(simulator: SimulatedGoogle) -> World:
    """The adapters on the simulator."""
    settings = simulator.config()
    sealer = TinkSealer(settings.grant_keyset)
    return World(simulator, GoogleOauth(settings), GoogleGmail(settings, sealer, _now), sealer)


@pytest.fixture(params=["fake", "real"])
def world(request: pytest.FixtureRequest) -> World:
    """The fakes, then the adapters on the simulator: both keep the same promises."""
    if request.param == "real":
        real: World = request.getfixturevalue("real")
        return real
    google, sealer = FakeGoogle(_now), FakeSealer()
    google.account(ANN)
    return World(google, FakeGoogleAccounts(google), FakeGmail(google, sealer), sealer)


def _now() -> datetime:
    return datetime.now(UTC)
