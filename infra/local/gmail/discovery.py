"""Gmail's discovery document, as the table of methods, parameters, scopes and shapes that the simulator serves."""

import importlib.util
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from infra.local.gmail.errors import invalid

Schema = Mapping[str, Any]


@dataclass(frozen=True)
class Method:
    """One method of Gmail v1; `name` is its id without the prefix, as in `messages.attachments.get`."""

    name: str
    verb: str
    path: re.Pattern[str]
    parameters: frozenset[str]
    scopes: frozenset[str]
    request: str | None
    response: str | None
    upload_limit: int | None


class Discovery:
    """The methods by verb and path, and the schemas by name."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.schemas: Mapping[str, Schema] = document["schemas"]
        everywhere = frozenset(document["parameters"])
        self.methods = [_method(entry, everywhere) for entry in _entries(document["resources"])]

    def match(self, verb: str, path: str) -> tuple[Method, dict[str, str]] | None:
        """The method that a request line means and its path parameters; None if Gmail has none."""
        for method in self.methods:
            found = method.path.fullmatch(path) if method.verb == verb else None
            if found:
                return method, found.groupdict()
        return None

    def check_query(self, method: Method, names: Iterable[str]) -> None:
        """Refuse (400) a query parameter that the method does not have."""
        for name in names:
            if name not in method.parameters:
                raise invalid(f'Invalid JSON payload received. Unknown name "{name}": Cannot bind query parameter.')

    def check_body(self, schema: str | None, body: Mapping[str, Any]) -> None:
        """Refuse (400) a field of a JSON body that the method's request has not."""
        known = self.schemas[schema].get("properties", {}) if schema else {}
        for name in body:
            if name not in known:
                raise invalid(f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.')

    def field(self, schema: Schema, name: str) -> Schema | None:
        """The schema of one field of a (possibly repeated) object, None if it has no such field."""
        properties: Mapping[str, Schema] = self.resolve(schema).get("properties", {})
        return properties.get(name)

    def resolve(self, schema: Schema) -> Schema:
        """Follow `$ref` and step into a list's items."""
        if "$ref" in schema:
            return self.resolve(self.schemas[schema["$ref"]])
        return self.resolve(schema["items"]) if schema.get("type") == "array" else schema


def _entries(resources: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for resource in resources.values():
        yield from resource.get("methods", {}).values()
        yield from _entries(resource.get("resources", {}))


def _method(entry: Mapping[str, Any], everywhere: frozenset[str]) -> Method:
    upload = entry.get("mediaUpload")
    return Method(
        name=entry["id"].removeprefix("gmail.users."),
        verb=entry["httpMethod"],
        path=_pattern("/" + entry["flatPath"]),
        parameters=everywhere | frozenset(entry.get("parameters", {})) | {"upload_id"},
        scopes=frozenset(entry.get("scopes", ())),
        request=entry.get("request", {}).get("$ref"),
        response=entry.get("response", {}).get("$ref"),
        upload_limit=int(upload["maxSize"]) if upload else None,
    )


def _pattern(template: str) -> re.Pattern[str]:
    pieces = re.split(r"\{(\w+)\}", template)
    return re.compile("".join(f"(?P<{x}>[^/]+)" if i % 2 else re.escape(x) for i, x in enumerate(pieces)))


@cache
def load() -> Discovery:
    """Read the document that ships with google-api-python-client, without importing that library."""
    spec = importlib.util.find_spec("googleapiclient")
    if spec is None or spec.origin is None:
        raise FileNotFoundError(
            "The Gmail simulator needs google-api-python-client: pip install -r requirements-dev.txt"
        )
    path = Path(spec.origin).parent / "discovery_cache" / "documents" / "gmail.v1.json"
    return Discovery(json.loads(path.read_text(encoding="utf-8")))
