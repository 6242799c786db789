"""Cloud Storage in a dictionary."""

from dataclasses import dataclass, field
from urllib.parse import quote

from mailbridge.errors import NotFound


@dataclass
class FakeBlobs:
    """`ports.Blobs`; `stored` maps names to contents."""

    stored: dict[str, bytes] = field(default_factory=dict)

    def put(self, name: str, content: bytes, content_type: str) -> None:
        """Store, or overwrite."""
        self.stored[name] = content

    def get(self, name: str) -> bytes:
        """The content; NotFound."""
        try:
            return self.stored[name]
        except KeyError as exc:
            raise NotFound("No blob by that name.") from exc

    def url(self, name: str, file_name: str, content_type: str) -> str:
        """A URL that names the blob and the file."""
        return f"https://storage.invalid/{quote(name)}?file={quote(file_name, safe='')}"
