"""Serves every function of a main.py at `/<function>`, through functions-framework, in one process.

One process, so that killing it ends all functions at once, with threads enough for all of them together.
"""

import argparse
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import functions_framework
import waitress
from functions_framework import _function_registry as registry
from werkzeug.middleware.dispatcher import DispatcherMiddleware

THREADS = 16
# Cloud Run refuses larger requests, and so does this.
LARGEST_REQUEST_BYTES = 32 * 1024 * 1024


def main() -> None:
    """Serve until ended."""
    parser = argparse.ArgumentParser(prog="python -m infra.local.gateway", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--source", type=Path, required=True, help="the functions' main.py")
    options = parser.parse_args()
    waitress.serve(
        application(options.source),
        host="127.0.0.1",
        port=options.port,
        threads=THREADS,
        max_request_body_size=LARGEST_REQUEST_BYTES,
        ident=None,
    )


def application(source: Path) -> WSGIApplication:
    """Every function of `source` below its own name, `/healthz`, and a list of the functions at `/`."""
    functions = discover(source)
    mounts = {
        f"/{name}": at_root(functions_framework.create_app(target=name, source=str(source), signature_type=signature))
        for name, signature in functions.items()
    }
    return DispatcherMiddleware(front(functions), mounts)


def at_root(function: WSGIApplication) -> WSGIApplication:
    """The function with `/` for an empty path, as Cloud Run's proxy has it; Flask would redirect there."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ["PATH_INFO"] = environ["PATH_INFO"] or "/"
        return function(environ, start_response)

    return answer


def discover(source: Path) -> dict[str, str]:
    """The functions that `source` registers with functions-framework: name to `http` or `cloudevent`."""
    module, spec = registry.load_function_module(str(source))
    spec.loader.exec_module(module)
    return dict(registry.REGISTRY_MAP)


def front(functions: Mapping[str, str]) -> WSGIApplication:
    """What stands beside the functions: the health check and the list."""
    pages = {"/healthz": {"status": "ok", "pid": os.getpid()}, "/": {"functions": functions}}

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        page = pages.get(environ["PATH_INFO"] or "/")
        body = json.dumps(page or {"title": "There is no such function; / lists those there are."}).encode()
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        start_response("200 OK" if page else "404 Not Found", headers)
        return [body]

    return answer


if __name__ == "__main__":
    main()
