"""An auditor's look into Firestore, through the emulator's REST surface."""

import json
from dataclasses import dataclass
from typing import Any

from infra.local.people.http import Client


@dataclass(frozen=True, slots=True)
class Database:
    """Every document there is."""

    url: str
    project: str

    def documents(self) -> list[dict[str, Any]]:
        """All documents of all collections, as REST shows them: `{name, fields}`."""
        query = {"structuredQuery": {"from": [{"allDescendants": True}]}}
        path = f"v1/projects/{self.project}/databases/(default)/documents:runQuery"
        answers = Client(self.url, token="owner").call("POST", path, json=query)
        return [answer["document"] for answer in answers if "document" in answer]

    def mentioning(self, text: str) -> list[str]:
        """The names of the documents in which a text occurs, in whatever field and case."""
        wanted = json.dumps(text).strip('"').lower()
        return [found["name"] for found in self.documents() if wanted in json.dumps(found).lower()]
