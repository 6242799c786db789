"""A sealer without encryption, as strict about the context as the real one."""

import json

from mailbridge.errors import Permanent


class FakeSealer:
    """`ports.Sealer`: readable, bound to its context."""

    def seal(self, secret: str, context: str) -> bytes:
        """Secret and context, side by side."""
        return json.dumps([context, secret]).encode()

    def open(self, sealed: bytes, context: str) -> str:
        """The secret; Permanent with another context, or where nothing was sealed."""
        try:
            sealed_context, secret = json.loads(sealed)
        except ValueError as exc:
            raise Permanent("Nothing was sealed here.") from exc
        if sealed_context != context:
            raise Permanent("Sealed with another context.")
        return str(secret)
