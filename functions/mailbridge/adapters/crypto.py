"""Grants are encrypted with Tink (AEAD); a keyset with several keys reads with all and writes with the primary one."""

import tink
from tink import aead, json_proto_keyset_format, secret_key_access

from mailbridge.config import ConfigError
from mailbridge.errors import Permanent


class TinkSealer:
    """`ports.Sealer` over a Tink keyset in JSON; the context is the associated data."""

    def __init__(self, keyset: str) -> None:
        aead.register()
        try:
            handle = json_proto_keyset_format.parse(keyset, secret_key_access.TOKEN)
            self._aead: aead.Aead = handle.primitive(aead.Aead)
        except tink.TinkError as exc:
            raise ConfigError("GRANT_KEYSET is no AEAD keyset of Tink: make one with `tinkey create-keyset`.") from exc

    def seal(self, secret: str, context: str) -> bytes:
        """The secret under the primary key, bound to its context."""
        sealed: bytes = self._aead.encrypt(secret.encode(), context.encode())
        return sealed

    def open(self, sealed: bytes, context: str) -> str:
        """The secret; Permanent where key or context are not the ones it was sealed with."""
        try:
            secret: bytes = self._aead.decrypt(sealed, context.encode())
        except tink.TinkError as exc:
            raise Permanent("The grant cannot be decrypted: its key is gone from GRANT_KEYSET.") from exc
        return secret.decode()
