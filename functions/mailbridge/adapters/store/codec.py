"""Values to Firestore documents and back."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from mailbridge.domain.model import Document

D = TypeVar("D", bound=Document)
_NATIVE = (datetime, bytes)


def to_fields(value: Any) -> Any:
    """A document, or any part of one, as Firestore stores it."""
    return msgspec.to_builtins(value, builtin_types=_NATIVE)


def from_fields(fields: Mapping[str, Any], kind: type[D]) -> D:
    """The document in these fields; unknown fields are left alone, so that a newer writer does not break an older reader."""
    return msgspec.convert(_plain(fields), kind, builtin_types=_NATIVE)


def _plain(value: Any) -> Any:
    """Firestore answers a subclass of datetime, which the codec does not take."""
    if isinstance(value, datetime):
        return datetime.combine(value.date(), value.time(), UTC)
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
