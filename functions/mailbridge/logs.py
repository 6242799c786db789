"""Structured logs as Cloud Logging reads them: a static event name and ids, never content, an address or a token."""

import json
import logging
import sys
from typing import Any

_LOGGER = logging.getLogger("mailbridge")


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {"severity": record.levelname, "message": record.getMessage()}
        entry |= getattr(record, "fields", {})
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, default=str)


def configure() -> None:
    """Write our events to stdout, one JSON object a line; a second call changes nothing."""
    if _LOGGER.handlers:
        return
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_JsonLines())
    _LOGGER.addHandler(handler)
    _LOGGER.setLevel(logging.INFO)
    _LOGGER.propagate = False


def info(event: str, **fields: Any) -> None:
    """Something happened as it should."""
    _LOGGER.info(event, extra={"fields": fields})


def warning(event: str, **fields: Any) -> None:
    """Something will be tried again, or was refused."""
    _LOGGER.warning(event, extra={"fields": fields})


def error(event: str, exc: BaseException, **fields: Any) -> None:
    """Something needs a person; with the stack of the exception."""
    _LOGGER.error(event, exc_info=exc, extra={"fields": fields})
