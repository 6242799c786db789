"""Cloud Storage on one machine: gcp-storage-emulator in memory, with one bucket, behind a server of its own.

The emulator's own server takes one connection at a time: a browser that opens one in advance and says nothing would
stop everybody. Here each connection has a thread, and only the work on the (not thread-safe) store is done one by one.
"""

import argparse
import logging
from collections.abc import Callable
from functools import partial
from http.server import ThreadingHTTPServer
from threading import Lock

from gcp_storage_emulator.handlers.buckets import create_bucket
from gcp_storage_emulator.server import RequestHandler
from gcp_storage_emulator.storage import Storage

_store = Lock()


def _one_by_one(handle: Callable[[RequestHandler], None]) -> Callable[[RequestHandler], None]:
    def locked(handler: RequestHandler) -> None:
        with _store:
            handle(handler)

    return locked


class _Handler(RequestHandler):  # type: ignore[misc]  # the emulator has no types
    """The emulator's handler; its methods are replaced below by ones that take turns."""


for _method in ("do_GET", "do_POST", "do_PUT", "do_PATCH", "do_DELETE"):
    setattr(_Handler, _method, _one_by_one(getattr(RequestHandler, _method)))


class _Server(ThreadingHTTPServer):
    request_queue_size = 128


def main() -> None:
    """Serve until ended."""
    parser = argparse.ArgumentParser(prog="python -m infra.local.storage", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--bucket", required=True)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO)
    storage = Storage(use_memory_fs=True)
    create_bucket(options.bucket, storage)
    _Server(("127.0.0.1", options.port), partial(_Handler, storage)).serve_forever()


if __name__ == "__main__":
    main()
