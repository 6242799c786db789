"""Blobs: the fake and Cloud Storage keep the same promises."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from mailbridge.adapters.blobs import CloudStorage
from mailbridge.errors import NotFound, Temporary
from mailbridge.ports import Blobs
from tests.contract.adapters.loopback import NOWHERE, accepts, config, free_port, program
from tests.fakes.blobs import FakeBlobs


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudStorage]:
    port = free_port()
    log = tmp_path_factory.mktemp("storage") / "log"
    options = ["--port", str(port), "--bucket", "content"]
    with program("infra.local.storage", options, log, lambda: accepts(port)):
        yield CloudStorage(config(STORAGE_EMULATOR_HOST=f"http://127.0.0.1:{port}"))


@pytest.fixture(params=["fake", "real"])
def blobs(request: pytest.FixtureRequest) -> Blobs:
    if request.param == "fake":
        return FakeBlobs()
    storage: CloudStorage = request.getfixturevalue("storage")
    return storage


@pytest.mark.parametrize("content", [b"", b"\0\r\n\xff", b"x" * 9_000_000])
def test_content_comes_back_as_it_was_stored(blobs: Blobs, content: bytes) -> None:
    blobs.put("bodies/l1/m1", content, "text/html")
    assert blobs.get("bodies/l1/m1") == content


def test_storing_again_replaces(blobs: Blobs) -> None:
    blobs.put("bodies/l1/m2", b"first", "text/plain")
    blobs.put("bodies/l1/m2", b"second", "text/plain")
    assert blobs.get("bodies/l1/m2") == b"second"


def test_what_was_not_stored_is_not_found(blobs: Blobs) -> None:
    with pytest.raises(NotFound):
        blobs.get("bodies/l1/unknown")


def test_names_may_hold_any_character(blobs: Blobs) -> None:
    blobs.put("attachments/l1/m1/ä b?c#d%2F", b"content", "application/pdf")
    assert blobs.get("attachments/l1/m1/ä b?c#d%2F") == b"content"


@pytest.mark.rule("D5")
def test_a_url_downloads_the_content_under_its_own_name(storage: CloudStorage) -> None:
    storage.put("attachments/l1/m1/1", b"%PDF", "application/pdf")
    answer = requests.get(storage.url("attachments/l1/m1/1", 'Rechnung "März".pdf', "application/pdf"), timeout=10)
    assert answer.content == b"%PDF"
    disposition = "attachment; filename*=UTF-8''Rechnung%20%22M%C3%A4rz%22.pdf"
    assert answer.headers["Content-Disposition"] == disposition


@pytest.mark.rule("P28")
@pytest.mark.parametrize("content_type", ["text/html", "image/svg+xml", "Text/HTML; charset=utf-8", "nonsense", ""])
def test_nothing_that_a_browser_would_run_keeps_its_type(storage: CloudStorage, content_type: str) -> None:
    storage.put("attachments/l1/m1/2", b"<script>", content_type)
    url = storage.url("attachments/l1/m1/2", "a.html", content_type)
    assert requests.get(url, timeout=10).headers["Content-Type"] == "application/octet-stream"
    assert parse_qs(urlsplit(url).query)["response-content-type"] == ["application/octet-stream"]


def test_a_picture_keeps_its_type(storage: CloudStorage) -> None:
    url = storage.url("attachments/l1/m1/3", "a.png", "image/PNG; name=a.png")
    assert parse_qs(urlsplit(url).query)["response-content-type"] == ["image/png"]


def test_a_url_is_signed_and_good_for_minutes(storage: CloudStorage) -> None:
    query = parse_qs(urlsplit(storage.url("attachments/l1/m1/4", "a", "text/plain")).query)
    assert query["X-Goog-Expires"] == ["300"]
    assert len(query["X-Goog-Signature"][0]) == 512


def test_a_file_name_cannot_add_a_header(storage: CloudStorage) -> None:
    storage.put("attachments/l1/m1/5", b"content", "text/plain")
    url = storage.url("attachments/l1/m1/5", "a\r\nX-Evil: 1\ud800", "text/plain")
    assert "X-Evil" not in requests.get(url, timeout=10).headers


def test_eight_threads_share_one_adapter(storage: CloudStorage) -> None:
    def round_trip(number: int) -> bytes:
        storage.put(f"bodies/l1/t{number}", b"%d" % number, "text/plain")
        return storage.get(f"bodies/l1/t{number}")

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(round_trip, range(32))) == [b"%d" % number for number in range(32)]


def test_cloud_storage_out_of_reach_is_passing_trouble() -> None:
    with pytest.raises(Temporary):
        CloudStorage(config(STORAGE_EMULATOR_HOST=NOWHERE)).get("bodies/l1/m1")
